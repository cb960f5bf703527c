// The connection: logs in over WebSocket or BOSH, comes back by itself, and tells what it is doing.
//
// Events: "state" ("offline" | "connecting" | "online"), "fresh" (a new session: fetch everything anew),
// "resumed" (the old session goes on: nothing was missed), "refused" (the password is wrong).

import { Strophe, $iq } from "./vendor/strophe.esm.js";

const DOORS = { websocket: "/xmpp-websocket", bosh: "/http-bind" };
const LONGEST_WAIT = 15000; // milliseconds between two tries
const { Status } = Strophe;
Strophe.setLogLevel(Strophe.LogLevel.WARN);

export class Connection extends EventTarget {
  #tries = 0;
  #timer = 0;
  #wanted = false;
  #account = null;
  #handlers = [];

  get jid() { return this.strophe?.jid ?? ""; }
  get bare() { return Strophe.getBareJidFromJid(this.jid); }
  get domain() { return Strophe.getDomainFromJid(this.jid); }
  get online() { return Boolean(this.strophe?.connected && this.strophe.authenticated); }

  // Log in and stay so. `door` is "websocket" or "bosh".
  start(jid, password, door) {
    this.#account = { jid: `${jid}/drift-${crypto.randomUUID().slice(0, 8)}`, password };
    this.#wanted = true;
    this.switchTo(door);
  }

  // Another door: the session is a new one, the person is the same.
  switchTo(door) {
    const old = this.strophe;
    this.strophe = null;
    old?.disconnect("switched");
    this.#make(door);
    this.#connect();
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.strophe?.disconnect("bye");
  }

  // Call `take(stanza)` for each that comes in under this name ("message", "presence", "iq").
  on(name, take, namespace = null) {
    const add = () => this.strophe.addHandler((stanza) => (take(stanza), true), namespace, name);
    this.#handlers.push(add);
    if (this.strophe) add();
  }

  send(stanza) { this.strophe.send(stanza); }

  // Send a request; the promise has its result, or throws its error.
  ask(type, to, fill) {
    const iq = $iq(to ? { type, to } : { type });
    fill(iq);
    return new Promise((resolve, reject) => this.strophe.sendIQ(iq, resolve, reject, 20000));
  }

  // Whether stream management (XEP-0198) will see to it that what contains this id arrives.
  holds(id) {
    return (this.strophe.sm?.state.unacked ?? []).some((stanza) => JSON.stringify(stanza).includes(id));
  }

  #make(door) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const url = door === "websocket" ? `${scheme}://${location.host}${DOORS.websocket}` : DOORS.bosh;
    this.strophe = new Strophe.Connection(url, { enableStreamManagement: true, streamManagement: { maxUnacked: 3 } });
    this.door = door;
  }

  #connect() {
    const strophe = this.strophe;
    this.#say("connecting");
    strophe.connect(this.#account.jid, this.#account.password, (status) => {
      if (strophe === this.strophe) this.#changed(status);
    });
  }

  #changed(status) {
    if (status === Status.CONNECTED) {
      this.#tries = 0;
      for (const add of this.#handlers) add();
      this.#say("online");
      this.dispatchEvent(new Event(this.strophe.hasResumed() ? "resumed" : "fresh"));
    } else if (status === Status.AUTHFAIL) {
      this.#wanted = false;
      this.dispatchEvent(new Event("refused"));
    } else if (status === Status.DISCONNECTED) {
      this.#say("offline");
      if (this.#wanted) this.#again();
    }
  }

  #again() {
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  #say(state) { this.dispatchEvent(new CustomEvent("state", { detail: state })); }
}
