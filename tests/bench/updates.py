"""`python -m tests.bench.updates`: what a small update costs, by the way it is sent and the way it is compressed."""

import base64
import gc
import json
import random
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgpack

from tests.bench.accounts import Account, crowd
from tests.bench.certificate import make_certificate
from tests.bench.cpu import family, pin_load, pss_kib
from tests.bench.layers import LayeredWire, SecureBosh
from tests.bench.meter import Meter
from tests.bench.peer import Peer
from tests.bench.peers.xmppd import Xmppd
from tests.bench.probe import Probe
from tests.bench.web import BoshWire
from tests.bench.wire import Wire

UPDATES = 600  # a minute of them, one each 100 ms; the server is not made to wait for the clock
SENDER, READER = "a", "b"
BOSH = "BOSH"
METHODS = ("", "zlib", "zstd", BOSH)
_IBB = "http://jabber.org/protocol/ibb"
_CROWD = 100
_WARM = 20
_WINDOWS = 5


@dataclass(frozen=True)
class Way:
    """How updates travel: each as JSON in a message, or so many as records in one block of a channel."""

    title: str
    gathered: int = 0


WAYS = (
    Way("JSON in messages"),
    Way("channel, `batch` 0", 1),
    Way("channel, `batch` 500", 5),
    Way("channel, `batch` 1000", 10),
)


@dataclass(frozen=True)
class Cost:
    """Of one update: bytes of the stream to the reader, the same in TLS records, CPU µs of the server."""

    stream: float
    tls: float
    cpu: float


def accounts() -> list[Account]:
    """Who takes part."""
    return [Account(SENDER), Account(READER), *crowd("compressed", _CROWD), *crowd("early", _WARM)]


def measure(peer: Peer, way: Way, method: str, windows: int = _WINDOWS) -> Cost:
    """Send the updates over TLS, each stanza once the one before has come; bytes are those of the first window."""
    sender, reader = peer.login(SENDER), _reader(peer, method)
    reader.appear()
    _open_channel(sender, reader)
    sent = stanzas(way, reader.jid, UPDATES * (windows + 1))
    gc.disable()
    try:
        with Probe() as probe:
            meter = Meter(peer.pid, probe)
            stream, tls = reader.counted
            _run(meter, sender, reader, sent, way)
            stream, tls = reader.counted[0] - stream, reader.counted[1] - tls
            meter.take(UPDATES)
            cpu = []
            for _ in range(windows):
                _run(meter, sender, reader, sent, way)
                cpu.append(meter.take(UPDATES).figure)
    finally:
        gc.enable()
        sender.close()
        reader.close()
    return Cost(stream / UPDATES, tls / UPDATES, statistics.median(cpu))


def _reader(peer: Peer, method: str) -> LayeredWire | SecureBosh:
    """Who receives: over TLS, compressed, or by BOSH."""
    if method == BOSH:
        browser = SecureBosh(peer.secure_web_port)
        browser.login(READER)
        return browser
    reader = LayeredWire(peer.port, method)
    reader.login(READER, tls=True)
    return reader


def memory(peer: Peer, method: str) -> float:
    """KiB of a fresh server for a session without TLS, after enough text has come to fill an encoder's history."""
    peer.start()
    try:
        for account in crowd("early", _WARM):
            _plain_reader(peer, account.name, method).close()
        sender, before = peer.login(SENDER), pss_kib(family(peer.pid))
        wires = [_plain_reader(peer, account.name, method) for account in crowd("compressed", _CROWD)]
        for wire in wires:
            _fill(sender, wire)
        return (pss_kib(family(peer.pid)) - before) / _CROWD
    finally:
        peer.stop()


def _plain_reader(peer: Peer, name: str, method: str) -> Wire:
    if method == BOSH:
        return peer.browse(name, "bosh")
    wire = LayeredWire(peer.port, method)
    wire.login(name)
    wire.appear()
    return wire


def _fill(sender: Wire, wire: Wire) -> None:
    if isinstance(wire, BoshWire):
        wire.hold()  # there is no encoder, but always a request
        return
    for number in range(16):
        text = random.Random(number).randbytes(1500).hex()
        sender.send(f"<message to='{wire.jid}'><body>{text}</body></message>".encode())
        wire.expect(b"</message>")


def _run(meter: Meter, sender: Wire, reader: Wire, sent: Iterator[bytes], way: Way) -> None:
    with meter:
        for _ in range(UPDATES // max(1, way.gathered)):
            sender.send(next(sent))
            reader.expect(b"</message>")


def _open_channel(sender: Wire, reader: Wire) -> None:
    inside = f"<open xmlns='{_IBB}' sid='4f2a1c' block-size='4096' stanza='message'/>"
    sender.send(f"<iq type='set' to='{reader.jid}' id='open1'>{inside}</iq>".encode())
    reader.expect(b"</iq>")
    reader.send(f"<iq type='result' to='{sender.jid}' id='open1'/>".encode())
    sender.expect(b"open1")


def stanzas(way: Way, to: str, number: int) -> Iterator[bytes]:
    """Stanzas with so many updates, as clients send them."""
    chance = random.Random(1)
    updates = [{"s": "x", "x": chance.randrange(10)} for _ in range(number)]
    if not way.gathered:
        for index, update in enumerate(updates):
            body = json.dumps(update, separators=(",", ":"))
            yield f"<message type='chat' to='{to}' id='u{index}'><body>{body}</body></message>".encode()
        return
    for block, at in enumerate(range(0, number, way.gathered)):
        records = (msgpack.packb(update) for update in updates[at : at + way.gathered])
        data = base64.b64encode(b"".join(bytes([len(record)]) + record for record in records)).decode()
        inside = f"<data xmlns='{_IBB}' sid='4f2a1c' seq='{block}'>{data}</data>"
        yield f"<message to='{to}'>{inside}</message>".encode()


def as_markdown(costs: dict[tuple[str, str], Cost], kib: dict[str, float]) -> str:
    """The table of docs/benchmarks.md."""
    lines: list[Sequence[str]] = [
        ("one update as", "bytes", "in TLS records", "CPU µs", "KiB of the session"),
        ("---", "---:", "---:", "---:", "---:"),
    ]
    for (title, method), cost in costs.items():
        name = f"{title}, by BOSH" if method == BOSH else f"{title}, {method or 'not compressed'}"
        lines.append((name, f"{cost.stream:.1f}", f"{cost.tls:.1f}", f"{cost.cpu:.1f}", f"{kib[method]:.0f}"))
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{table}\nKiB: the server's memory for the reader's session, before TLS.\n"


@click.command()
@click.option("--quick", is_flag=True, help="A smoke test: figures of CPU mean nothing.")
def main(quick: bool) -> None:
    """Measure all ways, and print the table."""
    pin_load()
    with tempfile.TemporaryDirectory(prefix="xmppd-bench-") as folder:
        peer = Xmppd(Path(folder), *make_certificate(Path(folder)))
        peer.provision(accounts())
        peer.start()
        try:
            windows = 1 if quick else _WINDOWS
            costs = {(way.title, method): measure(peer, way, method, windows) for way in WAYS for method in METHODS}
        finally:
            peer.stop()
        kib = {method: memory(peer, method) for method in METHODS}
    click.echo(as_markdown(costs, kib), nl=False)


if __name__ == "__main__":
    main()
