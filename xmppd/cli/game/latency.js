// How late things are: our own round-trip time, and that of the slowest player in the lobby.

const NS = "urn:xmppd:latency:0";
const EVERY = 5000; // milliseconds; the server pings as often

// Calls `show(own, slowest)` with milliseconds, each undefined while nothing is known.
export function watchLatency(connection, room, show) {
  const read = async (to) => {
    const answer = await connection.ask("get", to, (iq) => iq.c("latency", { xmlns: NS }));
    const latency = answer.getElementsByTagName("latency")[0];
    const known = (latency.getAttribute("samples") ?? latency.getAttribute("measured")) !== "0";
    return known ? Number(latency.getAttribute("rtt")) : undefined;
  };
  const look = async () => {
    if (!connection.online) return show();
    const [own, slowest] = await Promise.all([read(connection.domain), read(room())].map((each) => each.catch(() => undefined)));
    show(own, slowest);
  };
  setInterval(look, EVERY);
  return look;
}
