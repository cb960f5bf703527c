// Friends: the roster with its private notes, what each friend is doing, and who is ignored (XEP-0191).
//
// Events: "changed". A friend is {jid, name, note, subscription, state, status, ignored}; `state` is "game",
// "lobby", "away" or "offline".

import { Strophe, $iq, $pres } from "./vendor/strophe.esm.js";

const ROSTER = "jabber:iq:roster";
const BLOCKING = "urn:xmpp:blocking";
const RICH = "urn:example:drift:0";

export class Friends extends EventTarget {
  #friends = new Map();
  #ignored = new Set();
  #resources = new Map(); // bare JID -> Map of resource -> {state, status}

  constructor(connection) {
    super();
    this.connection = connection;
    connection.on("iq", (iq) => this.#push(iq), ROSTER);
    connection.on("iq", (iq) => this.#pushIgnored(iq), BLOCKING);
    connection.on("presence", (presence) => this.#presence(presence));
  }

  list() {
    const weight = { game: 0, lobby: 1, away: 2, offline: 3 };
    return [...this.#friends.values()]
      .map((friend) => ({ ...friend, ...this.#doing(friend.jid), ignored: this.#ignored.has(friend.jid) }))
      .sort((a, b) => weight[a.state] - weight[b.state] || a.name.localeCompare(b.name));
  }

  ignores(bare) { return this.#ignored.has(bare); }

  async load() {
    this.#resources.clear();
    const roster = await this.connection.ask("get", null, (iq) => iq.c("query", { xmlns: ROSTER }));
    this.#friends.clear();
    for (const item of roster.getElementsByTagName("item")) this.#take(item);
    const blocked = await this.connection.ask("get", null, (iq) => iq.c("blocklist", { xmlns: BLOCKING }));
    this.#ignored = new Set([...blocked.getElementsByTagName("item")].map((item) => item.getAttribute("jid")));
    this.#changed();
  }

  // Tell everybody who may know what this player is doing.
  announce(state, status) {
    const presence = $pres();
    if (state === "away") presence.c("show").t("away").up();
    presence.c("status").t(status).up().c("doing", { xmlns: RICH, state });
    this.connection.send(presence);
  }

  async befriend(jid) {
    await this.connection.ask("set", null, (iq) => iq.c("query", { xmlns: ROSTER }).c("item", { jid }));
    this.connection.send($pres({ to: jid, type: "subscribe" }));
  }

  // A note is a child of the roster item; an empty one removes it. Other clients never see it.
  annotate(friend, text) {
    const item = friend.name === Strophe.getNodeFromJid(friend.jid) ? { jid: friend.jid } : { jid: friend.jid, name: friend.name };
    return this.connection.ask("set", null, (iq) => iq.c("query", { xmlns: ROSTER }).c("item", item).c("note").t(text));
  }

  ignore(jid, yes) {
    const verb = yes ? "block" : "unblock";
    return this.connection.ask("set", null, (iq) => iq.c(verb, { xmlns: BLOCKING }).c("item", { jid }));
  }

  #take(item) {
    const jid = item.getAttribute("jid");
    if (item.getAttribute("subscription") === "remove") this.#friends.delete(jid);
    else this.#friends.set(jid, {
      jid,
      name: item.getAttribute("name") || Strophe.getNodeFromJid(jid) || jid,
      note: item.getElementsByTagName("note")[0]?.textContent ?? "",
      subscription: item.getAttribute("subscription"),
    });
  }

  #push(iq) {
    if (iq.getAttribute("type") !== "set" || !this.#own(iq)) return;
    for (const item of iq.getElementsByTagName("item")) this.#take(item);
    this.#agree(iq);
  }

  #pushIgnored(iq) {
    if (iq.getAttribute("type") !== "set" || !this.#own(iq)) return;
    const adds = iq.getElementsByTagName("block").length > 0;
    const jids = [...iq.getElementsByTagName("item")].map((item) => item.getAttribute("jid"));
    if (!adds && !jids.length) this.#ignored.clear();
    for (const jid of jids) adds ? this.#ignored.add(jid) : this.#ignored.delete(jid);
    this.#agree(iq);
  }

  // Only our own server may change our lists: whoever else sends such a thing is not believed.
  #own(iq) {
    const from = iq.getAttribute("from");
    return !from || from === this.connection.bare;
  }

  #agree(iq) {
    this.connection.send($iq({ type: "result", id: iq.getAttribute("id") }));
    this.#changed();
  }

  #presence(presence) {
    const from = presence.getAttribute("from") ?? "";
    const bare = Strophe.getBareJidFromJid(from);
    const type = presence.getAttribute("type");
    if (type === "subscribe") this.#answer(bare);
    else if (!type) this.#resourcesOf(bare).set(from, this.#read(presence));
    else if (type === "unavailable") this.#resourcesOf(bare).delete(from);
    this.#changed();
  }

  // In this game whoever adds you is your friend at once. Ask the player, in yours.
  #answer(bare) {
    this.connection.send($pres({ to: bare, type: "subscribed" }));
    const known = this.#friends.get(bare);
    if (!known || !["to", "both"].includes(known.subscription)) this.connection.send($pres({ to: bare, type: "subscribe" }));
  }

  #read(presence) {
    const rich = presence.getElementsByTagName("doing")[0];
    const show = presence.getElementsByTagName("show")[0]?.textContent;
    const state = rich?.getAttribute("state") ?? (show && show !== "chat" ? "away" : "lobby");
    return { state, status: presence.getElementsByTagName("status")[0]?.textContent ?? "" };
  }

  #doing(bare) {
    const all = [...(this.#resources.get(bare)?.values() ?? [])];
    return all.find((each) => each.state === "game") ?? all[0] ?? { state: "offline", status: "" };
  }

  #resourcesOf(bare) {
    if (!this.#resources.has(bare)) this.#resources.set(bare, new Map());
    return this.#resources.get(bare);
  }

  #changed() { this.dispatchEvent(new Event("changed")); }
}
