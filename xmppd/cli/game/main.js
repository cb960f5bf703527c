// Joins the parts: what the player does goes to the server, what the server says goes to the screen.

import { Connection } from "./connection.js";
import { Friends } from "./friends.js";
import { Game } from "./game.js";
import { watchLatency } from "./latency.js";
import { Talk } from "./talk.js";
import { View } from "./view.js";

const $ = (selector) => document.querySelector(selector);
const connection = new Connection();
const friends = new Friends(connection);
const talk = new Talk(connection, friends);
const game = new Game($("#sky"), playground);
const jidOf = (name) => (name.includes("@") ? name : `${name.toLowerCase()}@${location.hostname}`);

const view = new View({
  lobby: () => talk.lobby,
  befriend: (name) => friends.befriend(jidOf(name)),
  annotate: (friend, text) => friends.annotate(friend, text),
  ignore: (friend, yes) => friends.ignore(friend.jid, yes),
  whisper: (friend) => view.conversation(friend.jid, friend.name, true),
  say: (partner, text) => { talk.say(partner, text); stopTyping(); },
  typing: (partner, on) => startTyping(partner, on),
});

// What the chat leaves of the screen: it stands at the right, on a phone at the bottom.
function playground() {
  const panel = $("#chat").getBoundingClientRect();
  if (!panel.width) return [innerWidth, innerHeight];
  return panel.left > 0 ? [panel.left, innerHeight] : [innerWidth, panel.top];
}

// Chat states: said once when typing begins, and once when it ends.
let typingTo = null;
function startTyping(partner, on) {
  if (on === (typingTo === partner)) return;
  typingTo = on ? partner : null;
  talk.typing(partner, on);
}
function stopTyping() { typingTo = null; }

// What this player is doing, for friends to see.
function announce() {
  if (!connection.online) return;
  if (game.running) friends.announce("game", `in game, ${game.points} caught`);
  else if (document.hidden) friends.announce("away", "away");
  else friends.announce("lobby", "in lobby");
}
for (const name of ["begun", "over"]) game.addEventListener(name, announce);
game.addEventListener("scored", ({ detail }) => {
  $("#score").textContent = detail;
  if (detail % 5 === 0) announce();
});
game.addEventListener("begun", () => { $("#score").textContent = 0; });
game.addEventListener("second", ({ detail }) => { $("#play").textContent = detail ? `${detail} s` : "Play"; });
document.addEventListener("visibilitychange", announce);
$("#play").addEventListener("click", () => game.begin());

// The connection
const look = watchLatency(connection, () => talk.lobby, (own, slowest) => {
  const text = (label, value) => (value === undefined ? "" : `${label} ${Math.round(value)} ms`);
  $("#latency").textContent = [text("ping", own), text("slowest", slowest)].filter(Boolean).join(" · ");
});
connection.addEventListener("state", ({ detail }) => {
  $("#link").textContent = detail;
  $("#link").dataset.state = detail;
});
connection.addEventListener("fresh", async () => {
  $("#login").hidden = true;
  $("#chat").hidden = false;
  view.conversation(talk.lobby, "Lobby");
  await friends.load();
  announce();
  await talk.begin();
  look();
});
connection.addEventListener("resumed", () => talk.goOn());
connection.addEventListener("refused", () => { $("#login").trouble.value = "The server does not know this name and password."; });
friends.addEventListener("changed", () => view.friends(friends.list()));
talk.addEventListener("people", () => view.people([...talk.people].sort()));
talk.addEventListener("said", ({ detail }) => {
  if (friends.ignores(detail.with)) return;
  view.conversation(detail.with, detail.with.split("@")[0]);
  view.said(detail.with, detail.message);
  view.typing(detail.with, "", false);
});
talk.addEventListener("typing", ({ detail }) => {
  view.conversation(detail.with, detail.who);
  view.typing(detail.with, detail.who, detail.on);
});

$("#login").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  form.trouble.value = "";
  $("#door").value = form.door.value;
  connection.start(jidOf(form.account.value.trim()), form.password.value, form.door.value);
});
$("#door").addEventListener("change", (event) => connection.switchTo(event.target.value));
$("#logout").addEventListener("click", () => { connection.stop(); location.reload(); });
