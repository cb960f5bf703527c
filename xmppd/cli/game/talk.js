// Conversations: whispers and the lobby. Nothing is lost and nothing shown twice, whatever the line does.
//
// What is said carries an id of its own (XEP-0359) and waits in `#unsure` until the server has answered a ping sent
// behind it (or the room has said it): a new session says it again, and whoever has it already drops the copy.
// What was missed meanwhile comes from the archive (XEP-0313), after the last message that is known.
//
// Events: "said" (detail: {with, message}), "typing" (detail: {with, who, on}), "people".

import { Strophe, $iq, $msg, $pres } from "./vendor/strophe.esm.js";

const STATES = "http://jabber.org/protocol/chatstates";
const MAM = "urn:xmpp:mam:2";
const MUC = "http://jabber.org/protocol/muc";
const OWNER = "http://jabber.org/protocol/muc#owner";
const SID = "urn:xmpp:sid:0";
const PAGE = 50;

export class Talk extends EventTarget {
  #unsure = new Map(); // id -> {with, stanza, message}
  #seen = new Set();
  #last = ""; // the newest id of our archive
  #asking = false;

  constructor(connection, friends) {
    super();
    this.connection = connection;
    this.friends = friends;
    this.people = new Set();
    connection.on("message", (message) => this.#message(message));
    connection.on("presence", (presence) => this.#presence(presence));
  }

  get lobby() { return `lobby@conference.${this.connection.domain}`; }
  get nick() { return Strophe.getNodeFromJid(this.connection.jid); }

  // A new session: enter the lobby, fetch what was missed, say again what may not have arrived.
  async begin() {
    this.people.clear();
    this.connection.send($pres({ to: `${this.lobby}/${this.nick}` }).c("x", { xmlns: MUC }).c("history", { maxstanzas: "30" }));
    await this.#catchUp();
    for (const { stanza } of this.#unsure.values()) this.connection.send(stanza);
    this.#makeSure();
  }

  // The old session goes on: it sends again what it had sent. What was said while there was no line it does not know.
  goOn() {
    for (const [id, { stanza }] of this.#unsure) if (!this.connection.holds(id)) this.connection.send(stanza);
    this.#makeSure();
  }

  say(to, text) {
    const id = crypto.randomUUID();
    const type = to === this.lobby ? "groupchat" : "chat";
    const stanza = $msg({ to, type, id }).c("body").t(text).up()
      .c("active", { xmlns: STATES }).up().c("origin-id", { xmlns: SID, id });
    const message = { id, who: this.nick, own: true, text, when: new Date(), waiting: true };
    this.#unsure.set(id, { with: to, stanza: stanza.tree(), message });
    if (type === "chat") this.#show(to, message);
    if (!this.connection.online) return;
    this.connection.send(stanza.tree());
    if (type === "chat") this.#makeSure();
  }

  typing(to, on) {
    if (!this.connection.online || to === this.lobby) return;
    this.connection.send($msg({ to, type: "chat" }).c(on ? "composing" : "active", { xmlns: STATES }));
  }

  // The answer to a ping says that all before it is safe.
  async #makeSure() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const before = [...this.#unsure].filter(([, each]) => each.with !== this.lobby);
      await this.connection.ask("get", null, (iq) => iq.c("ping", { xmlns: "urn:xmpp:ping" }));
      for (const [id, each] of before) this.#sure(id, each);
    } catch { /* the next session says it again */ }
    this.#asking = false;
    if ([...this.#unsure.values()].some((each) => each.with !== this.lobby) && this.connection.online) this.#makeSure();
  }

  #sure(id, each) {
    this.#unsure.delete(id);
    each.message.waiting = false;
    this.dispatchEvent(new CustomEvent("said", { detail: { with: each.with, message: each.message } }));
  }

  async #catchUp() {
    if (!this.#last) return this.#findEnd();
    for (let complete = false; !complete;) {
      const fin = await this.#query((set) => set.c("max").t(String(PAGE)).up().c("after").t(this.#last));
      complete = fin.getAttribute("complete") === "true";
    }
  }

  // The first time: the last page, so that a conversation does not begin empty.
  #findEnd() { return this.#query((set) => set.c("max").t(String(PAGE)).up().c("before")); }

  async #query(fill) {
    const result = await this.connection.ask("set", null, (iq) => {
      fill(iq.c("query", { xmlns: MAM }).c("set", { xmlns: "http://jabber.org/protocol/rsm" }));
    });
    const fin = result.getElementsByTagName("fin")[0];
    this.#last = fin.getElementsByTagName("last")[0]?.textContent || this.#last;
    return fin;
  }

  #message(outer) {
    const result = outer.getElementsByTagName("result")[0];
    const from = outer.getAttribute("from");
    if (result?.getAttribute("xmlns") === MAM) {
      if (from && from !== this.connection.bare) return; // somebody else's archive is none of ours
      this.#take(result.getElementsByTagName("message")[0], result.getElementsByTagName("delay")[0]);
    } else {
      this.#take(outer, outer.getElementsByTagName("delay")[0]);
    }
  }

  #take(message, delay) {
    const from = message.getAttribute("from") ?? "";
    const bare = Strophe.getBareJidFromJid(from) || this.connection.bare;
    const own = bare === this.connection.bare;
    const room = message.getAttribute("type") === "groupchat";
    const partner = own && !room ? Strophe.getBareJidFromJid(message.getAttribute("to")) : bare;
    const stamp = [...message.getElementsByTagName("stanza-id")].find((each) => each.getAttribute("by") === this.connection.bare);
    if (stamp) this.#last = stamp.getAttribute("id");
    const text = [...message.children].find((each) => each.tagName === "body")?.textContent;
    if (text === undefined) return this.#chatState(message, partner);
    const id = message.getElementsByTagName("origin-id")[0]?.getAttribute("id") ?? message.getAttribute("id") ?? stamp?.getAttribute("id");
    const key = `${bare} ${id}`;
    if (room && this.#unsure.has(id)) this.#unsure.delete(id);
    if (message.getAttribute("type") === "error" || (id && this.#seen.has(key))) return;
    this.#seen.add(key);
    const who = room ? Strophe.getResourceFromJid(from) ?? "" : Strophe.getNodeFromJid(bare);
    const when = delay ? new Date(delay.getAttribute("stamp")) : new Date();
    this.#show(partner, { id, who, own: own || (room && who === this.nick), text, when, waiting: false });
  }

  #show(partner, message) {
    if (message.own) this.#seen.add(`${this.connection.bare} ${message.id}`);
    this.dispatchEvent(new CustomEvent("said", { detail: { with: partner, message } }));
  }

  #chatState(message, partner) {
    const on = message.getElementsByTagName("composing").length > 0;
    if (message.getAttribute("type") !== "chat" || partner === this.connection.bare) return;
    this.dispatchEvent(new CustomEvent("typing", { detail: { with: partner, who: Strophe.getNodeFromJid(partner), on } }));
  }

  #presence(presence) {
    const from = presence.getAttribute("from") ?? "";
    if (Strophe.getBareJidFromJid(from) !== this.lobby) return;
    const nick = Strophe.getResourceFromJid(from);
    const codes = [...presence.getElementsByTagName("status")].map((each) => each.getAttribute("code"));
    if (presence.getAttribute("type") === "unavailable") this.people.delete(nick);
    else if (!presence.getAttribute("type")) this.people.add(nick);
    if (codes.includes("201")) this.#open();
    if (codes.includes("110") && this.people.has(nick)) this.#sayAgain();
    this.dispatchEvent(new Event("people"));
  }

  // The first player of all makes the lobby, as it is by default.
  #open() {
    this.connection.ask("set", this.lobby, (iq) => {
      iq.c("query", { xmlns: OWNER }).c("x", { xmlns: "jabber:x:data", type: "submit" });
    }).then(() => this.#sayAgain(), () => undefined);
  }

  #sayAgain() {
    for (const each of this.#unsure.values()) if (each.with === this.lobby) this.connection.send(each.stanza);
  }
}
