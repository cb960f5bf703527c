// One xmpp.js session: orders come in as lines of JSON, what happens goes out as lines of JSON.
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, jid, password, port] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(`${folder}/`).resolve(name)));
const { client, xml } = await load("@xmpp/client");
const [user, domain] = jid.split("@");
const resource = process.env.RESOURCE;
const MAM = "urn:xmpp:mam:2", FORWARD = "urn:xmpp:forward:0";

const say = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const xmpp = client({ service: `xmpp://${domain}:${port}`, domain, resource, username: user, password });
xmpp.reconnect.delay = 200;
xmpp.on("online", (address) => say("online", { jid: address.toString() }));
xmpp.on("error", (error) => say("error", { text: String(error) }));
xmpp.on("disconnect", () => say("disconnect"));
xmpp.streamManagement.on("resumed", () => say("resumed"));
xmpp.streamManagement.on("ack", (stanza) => say("acknowledged", { body: stanza.getChildText("body") }));
xmpp.streamManagement.on("fail", (stanza) => say("failed", { body: stanza.getChildText("body") }));

const inside = (outer) => outer.getChild("forwarded", FORWARD).getChild("message");

xmpp.on("stanza", (stanza) => {
  if (!stanza.is("message")) return;
  const result = stanza.getChild("result", MAM);
  const copy = stanza.getChild("received", "urn:xmpp:carbons:2") ?? stanza.getChild("sent", "urn:xmpp:carbons:2");
  if (result) say("archived", { body: inside(result).getChildText("body") });
  else if (copy) say("copy", { name: copy.name, body: inside(copy).getChildText("body") });
  else if (stanza.getChildText("body") !== null) say("message", { body: stanza.getChildText("body") });
});

const orders = {
  start: () => xmpp.start(),
  appear: () => xmpp.send(xml("presence")),
  say: ({ to, body }) => xmpp.send(xml("message", { to, type: "chat" }, xml("body", {}, body))),
  cut: () => xmpp.socket.socket?.destroy?.() ?? xmpp.socket.destroy(),
  copies: () => xmpp.iqCaller.set(xml("enable", "urn:xmpp:carbons:2")),
  page: async ({ after }) => {
    const rsm = xml("set", "http://jabber.org/protocol/rsm", xml("max", {}, "2"), ...(after ? [xml("after", {}, after)] : []));
    const fin = (await xmpp.iqCaller.request(xml("iq", { type: "set" }, xml("query", MAM, rsm)))).getChild("fin", MAM);
    return { complete: fin.attrs.complete, last: fin.getChild("set").getChildText("last") };
  },
  stop: () => xmpp.stop(),
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  Promise.resolve(orders[order.do](order)).then(
    (answer) => say("done", { order: order.do, answer: order.do === "page" ? answer : null }),
    (error) => say("refused", { order: order.do, text: String(error) }),
  );
}
