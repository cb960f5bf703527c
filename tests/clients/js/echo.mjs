// A session of one of three libraries: says "online", answers every message with its text in capitals, and leaves on "bye".
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, library, url, jid, password] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(`${folder}/`).resolve(name)));
const say = (event, text = "") => process.stdout.write(`${JSON.stringify({ event, text })}\n`);
const byBosh = url.startsWith("http");
// Browsers have these; strophe.js needs answers that are parsed already.
const Plain = (await load("xmlhttprequest-ssl")).default;
globalThis.WebSocket ??= (await load("ws")).default;
globalThis.XMLHttpRequest ??= class extends Plain {
  constructor() {
    super();
    const parsed = () => (this.responseText ? new DOMParser().parseFromString(this.responseText, "text/xml") : null);
    Object.defineProperty(this, "responseXML", { get: parsed, set: () => {} });
  }
};

const libraries = {
  "strophe.js": async () => {
    const { Strophe, $msg, $pres } = await import(pathToFileURL(`${folder}/node_modules/strophe.js/dist/strophe.node.esm.js`));
    const connection = new Strophe.Connection(url);
    connection.addHandler((message) => {
      const body = message.getElementsByTagName("body")[0]?.textContent;
      if (body === "bye") {
        connection.disconnect("bye");
      } else if (body) {
        connection.send($msg({ to: message.getAttribute("from"), type: "chat" }).c("body").t(body.toUpperCase()));
      }
      return true;
    }, null, "message");
    connection.connect(jid, password, (status, condition) => {
      if (status === Strophe.Status.CONNECTED) {
        connection.send($pres());
        say("online", connection.jid);
      } else if (status === Strophe.Status.DISCONNECTED) {
        say("left");
        process.exit(0);
      } else if ([Strophe.Status.AUTHFAIL, Strophe.Status.CONNFAIL, Strophe.Status.ERROR].includes(status)) {
        say("error", String(condition));
      }
    });
  },
  "@xmpp/client": async () => {
    const { client, xml } = await load("@xmpp/client");
    const [username, domain] = jid.split("@");
    const xmpp = client({ service: url, domain, username, password });
    xmpp.on("error", (error) => say("error", String(error)));
    xmpp.on("online", async (address) => {
      await xmpp.send(xml("presence"));
      say("online", address.toString());
    });
    xmpp.on("stanza", async (stanza) => {
      const body = stanza.is("message") && stanza.getChildText("body");
      if (body === "bye") {
        await xmpp.stop();
        say("left");
        process.exit(0);
      } else if (body) {
        await xmpp.send(xml("message", { to: stanza.attrs.from, type: "chat" }, xml("body", {}, body.toUpperCase())));
      }
    });
    await xmpp.start();
  },
  stanza: async () => {
    const { createClient } = (await load("stanza")).default;
    const transports = { bosh: byBosh && url, websocket: !byBosh && url };
    const client = createClient({ jid, password, transports });
    client.on("session:started", () => {
      client.sendPresence();
      say("online", client.jid);
    });
    client.on("message", (message) => {
      if (message.body === "bye") client.disconnect();
      else if (message.body) client.sendMessage({ to: message.from, type: "chat", body: message.body.toUpperCase() });
    });
    client.on("stream:error", (error) => say("error", JSON.stringify(error)));
    client.on("auth:failed", () => say("error", "auth"));
    client.on("disconnected", () => {
      say("left");
      process.exit(0);
    });
    client.connect();
  },
};

await libraries[library]();
