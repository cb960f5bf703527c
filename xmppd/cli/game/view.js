// The chat overlay: shows friends and conversations, and says what the player wants. It knows no XML.
//
// What others say is put into text nodes, never into HTML.

const $ = (selector) => document.querySelector(selector);
const TYPING = 4000; // milliseconds until "is typing" fades

export class View {
  #talks = new Map(); // with -> {title, messages: Map of id -> message, unread}
  #open = "friends";
  #typing = new Map();

  constructor(wishes) {
    this.wishes = wishes;
    $("#befriend").addEventListener("submit", (event) => this.#submit(event, "who", wishes.befriend));
    $("#say").addEventListener("submit", (event) => this.#submit(event, "text", (text) => wishes.say(this.#open, text)));
    $("#say").addEventListener("input", () => wishes.typing(this.#open, $("#say").text.value !== ""));
  }

  // A conversation there may be a tab for; `select` opens it.
  conversation(partner, title, select = false) {
    if (!this.#talks.has(partner)) this.#talks.set(partner, { title, messages: new Map(), unread: 0 });
    if (select) this.#select(partner);
    this.#tabs();
  }

  said(partner, message) {
    const talk = this.#talks.get(partner);
    const known = talk.messages.has(message.id);
    talk.messages.set(message.id ?? Symbol("no id"), message);
    if (partner === this.#open) this.#lines();
    else if (!known && !message.own) talk.unread += 1;
    this.#tabs();
  }

  typing(partner, who, on) {
    clearTimeout(this.#typing.get(partner)?.timer);
    const timer = on ? setTimeout(() => this.typing(partner, who, false), TYPING) : 0;
    this.#typing.set(partner, { who: on ? who : "", timer });
    this.#showTyping();
  }

  people(names) {
    this.names = names;
    this.#showPeople();
  }

  friends(list) {
    $("#friends ul").replaceChildren(...list.map((friend) => this.#friend(friend)));
  }

  askNote(friend) {
    const dialog = $("#note");
    const form = dialog.querySelector("form");
    dialog.querySelector("b").textContent = friend.name;
    form.text.value = friend.note;
    dialog.onclose = () => { if (dialog.returnValue === "save") this.wishes.annotate(friend, form.text.value.trim()); };
    dialog.returnValue = "";
    dialog.showModal();
  }

  #friend(friend) {
    const doing = { game: "in game", lobby: "in lobby", away: "away", offline: "offline" }[friend.state];
    const item = element("li", { class: "friend", "data-state": friend.state, "data-jid": friend.jid });
    if (friend.ignored) item.dataset.ignored = "";
    const name = button(friend.name, () => this.wishes.whisper(friend), "name");
    const more = element("span", { class: "more" }, friend.ignored ? "ignored" : friend.status || doing);
    if (friend.note) more.append(" · ", element("q", {}, friend.note));
    const tools = element("span", { class: "tools" });
    tools.append(
      button("Note", () => this.askNote(friend), "annotate"),
      button(friend.ignored ? "Hear" : "Ignore", () => this.wishes.ignore(friend, !friend.ignored), "ignore"),
    );
    item.append(element("i", { title: doing }), name, tools, more);
    return item;
  }

  #select(which) {
    this.#open = which;
    const talk = this.#talks.get(which);
    $("#friends").hidden = Boolean(talk);
    $("#talk").hidden = !talk;
    if (talk) talk.unread = 0;
    this.#lines();
    this.#tabs();
    this.#showPeople();
    this.#showTyping();
  }

  #tabs() {
    const tabs = [["friends", { title: "Friends", unread: 0 }], ...this.#talks];
    $("#tabs").replaceChildren(...tabs.map(([which, { title, unread }]) => {
      const tab = button(title, () => this.#select(which));
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", String(which === this.#open));
      tab.dataset.unread = String(unread);
      return tab;
    }));
  }

  #lines() {
    const list = $("#talk ol");
    const messages = [...(this.#talks.get(this.#open)?.messages.values() ?? [])].sort((a, b) => a.when - b.when);
    list.replaceChildren(...messages.map((message) => {
      const line = element("li", { class: `${message.own ? "own" : ""} ${message.waiting ? "waiting" : ""}` });
      const time = message.when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      line.append(element("b", {}, message.who), " ", element("span", {}, message.text), element("time", {}, time));
      return line;
    }));
    list.scrollTop = list.scrollHeight;
  }

  #showPeople() {
    $("#people").textContent = this.#open === this.wishes.lobby() ? `Here: ${(this.names ?? []).join(", ")}` : "";
  }

  #showTyping() {
    const who = this.#typing.get(this.#open)?.who;
    $("#typing").textContent = who ? `${who} is typing …` : "";
  }

  #submit(event, field, wish) {
    event.preventDefault();
    const input = event.target[field];
    if (input.value.trim()) wish(input.value.trim());
    input.value = "";
  }
}

function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function button(text, press, name = "") {
  const made = element("button", { type: "button", class: name }, text);
  made.addEventListener("click", press);
  return made;
}
