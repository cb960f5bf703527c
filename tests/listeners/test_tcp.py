"""One connection: turns, TLS, rate, backpressure, and what happens when something breaks."""

import asyncio
import logging
import ssl
from collections.abc import Sequence

import pytest

from tests.listeners.authority import Authority
from tests.listeners.serving import Serving
from tests.listeners.tls_client import TLSClient, trusting_context
from tests.listeners.transport import FakeTransport
from xmppd.listeners.inorder import HANDLER
from xmppd.listeners.outbox import Outbox
from xmppd.listeners.tcp import SHAPER, Connection
from xmppd.listeners.tls import TLSEngine
from xmppd.xmpp.errors import StreamError


class Echo(Connection):
    """Says what it hears; "fail" and "crash" do so."""

    def __init__(self, shaper: tuple[int, int] | None = None, max_queue: int = 1_000_000) -> None:
        super().__init__(Outbox(), max_queue, shaper)
        self.got: list[bytes] = []
        self.failed: list[str] = []
        self.left = 0

    def received(self, data: bytes) -> None:
        self.got.append(data)
        if data == b"fail":
            raise StreamError("bad-format")
        if data == b"crash":
            raise LookupError
        for at in range(len(data)):
            self.write(data[at : at + 1])

    def lost(self) -> None:
        self.left += 1

    def fail(self, error: StreamError) -> None:
        self.failed.append(error.condition)
        self.write(b"failed")
        self.end()


def connected(shaper: tuple[int, int] | None = None, **options: bool) -> tuple[Echo, FakeTransport]:
    connection = Echo(shaper)
    transport = FakeTransport(connection, **options)
    connection.connection_made(transport)
    return connection, transport


async def test_what_is_written_in_a_turn_leaves_in_one_piece() -> None:
    connection, transport = connected()
    pieces: list[bytes] = []
    transport.write = pieces.append  # type: ignore[method-assign,assignment]
    connection.data_received(b"hello")
    await asyncio.sleep(0)
    assert pieces == [b"hello"]


async def test_the_address_of_the_peer_is_known() -> None:
    connection, _ = connected()
    assert connection.address == "192.0.2.1"


async def test_an_error_of_the_stream_is_told_and_ends_it() -> None:
    connection, transport = connected()
    connection.data_received(b"fail")
    assert connection.failed == ["bad-format"]
    assert transport.written == b"failed"
    assert transport.closed
    assert not transport.aborted


async def test_a_crash_costs_its_connection_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    connection, transport = connected()
    connection.data_received(b"crash")
    assert transport.aborted
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    connection.write(b"never")
    connection.flush()
    assert transport.written == b""


async def test_a_crash_while_sending_costs_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def decode(self, data: bytes) -> bytes:
            return data

        def encode(self, pieces: Sequence[bytes]) -> bytes:
            raise LookupError

    connection, transport = connected()
    other, other_transport = connected()
    other._outbox = connection._outbox
    connection.wrap(Broken())
    connection.write(b"a")
    other.write(b"b")
    await asyncio.sleep(0)
    assert transport.aborted
    assert other_transport.written == b"b"
    assert "cut off" in caplog.text


async def test_nothing_is_written_behind_the_end() -> None:
    connection, transport = connected()
    connection.write(b"last words")
    connection.end()
    connection.write(b"more")
    connection.end()
    assert transport.written == b"last words"
    assert transport.closed


async def test_a_lost_connection_is_told_once() -> None:
    connection, transport = connected()
    transport.close()
    connection.connection_lost(None)
    assert connection.left == 1
    connection.write(b"more")
    connection.flush()


async def test_a_peer_that_does_not_read_is_cut_off() -> None:
    connection, transport = connected(stuck=True)
    connection.max_queue = 100_000
    for _ in range(9):
        connection.write(b"a" * 10_000)
        connection.flush()
    assert not transport.aborted
    connection.write(b"a" * 10_001)
    connection.flush()
    assert transport.aborted
    assert connection.closing


async def test_reading_goes_on_when_no_reason_stands_against_it() -> None:
    connection, transport = connected()
    connection.pause(HANDLER)
    connection.pause(SHAPER)
    connection.resume(HANDLER)
    assert not transport.reading
    connection.resume(HANDLER)
    connection.resume(SHAPER)
    assert transport.reading


async def test_a_closing_transport_is_not_asked_to_read() -> None:
    connection, transport = connected()
    connection.pause(HANDLER)
    transport.close()
    connection.resume(HANDLER)
    assert not transport.reading


class Loop:
    """A loop's clock and timers, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, object, tuple[object, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, call: object) -> None:
        """Nothing has to leave in these tests."""

    def call_later(self, delay: float, call: object, *arguments: object) -> None:
        self.due.append((self.now + delay, call, arguments))


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop()
    monkeypatch.setattr("xmppd.listeners.tcp.asyncio.get_running_loop", lambda: made)
    return made


def test_a_burst_is_free_and_what_is_over_is_waited_for(loop: Loop) -> None:
    connection, transport = connected((1000, 5000))
    connection.data_received(b"a" * 5000)
    assert transport.reading
    connection.data_received(b"a" * 500)
    assert not transport.reading
    ((due, call, arguments),) = loop.due
    assert due == pytest.approx(100.5)
    loop.now = due
    call(*arguments)  # type: ignore[operator]
    assert transport.reading


def test_a_quiet_time_fills_the_burst_and_no_more(loop: Loop) -> None:
    connection, transport = connected((1000, 5000))
    connection.data_received(b"a" * 5000)
    loop.now += 3600
    connection.data_received(b"a" * 5000)
    assert transport.reading
    connection.data_received(b"a")
    assert not transport.reading


def test_a_steady_sender_under_the_rate_is_never_paused(loop: Loop) -> None:
    connection, transport = connected((1000, 1000))
    for _ in range(100):
        connection.data_received(b"a" * 900)
        loop.now += 1.0
    assert transport.reading
    assert not loop.due


def test_who_succeeds_a_connection_waits_for_what_that_one_read_too_much(loop: Loop) -> None:
    before, transport = connected((1000, 5000))
    before.data_received(b"a" * 5500)
    after = Echo((1000, 5000))
    after.succeed(before)
    assert not transport.reading
    loop.now += 0.5
    for _, call, arguments in loop.due:
        call(*arguments)  # type: ignore[operator]
    assert transport.reading
    after.data_received(b"a")
    assert not transport.reading


def test_other_reasons_not_to_read_end_with_whom_they_were_for(loop: Loop) -> None:
    before, transport = connected()
    before.pause(HANDLER)
    after = Echo()
    after.succeed(before)
    assert transport.reading
    after.pause(HANDLER)
    assert not transport.reading


# TLS


@pytest.fixture
def serving(tmp_path: object) -> Serving:
    made = Serving(tmp_path)  # type: ignore[arg-type]
    Authority().issue("localhost").write(made.certs / "localhost.pem")
    return made


def secured(serving: Serving) -> tuple[Echo, FakeTransport, TLSClient]:
    connection, transport = connected()
    engine = serving("localhost").engine()
    connection.start_tls(engine)
    client = TLSClient(engine, trusting_context())
    while said := client.step():
        connection.data_received(said)
        client.hear(transport.written)
        transport.written = b""
    return connection, transport, client


async def test_bytes_pass_through_tls(serving: Serving) -> None:
    connection, transport, client = secured(serving)
    connection.data_received(client.seal(b"hello"))
    await asyncio.sleep(0)
    assert client.open(transport.written) == b"hello"


async def test_tickets_leave_with_the_first_words(serving: Serving) -> None:
    connection, transport, client = secured(serving)
    assert not client.tls.session.has_ticket
    pieces: list[bytes] = []
    transport.write = pieces.append  # type: ignore[method-assign,assignment]
    connection.data_received(client.seal(b"hello"))
    await asyncio.sleep(0)
    (piece,) = pieces
    assert client.open(piece) == b"hello"
    assert client.tls.session.has_ticket


class Answering(TLSEngine):
    """TLS that has an answer to whatever comes in, as to requests for new keys (RFC 8446 4.6.3)."""

    def receive(self, ciphertext: bytes) -> bytes:
        return b""

    def outgoing(self) -> bytes:
        return b"a" * 1000


async def test_who_makes_tls_answer_and_does_not_read_is_cut_off() -> None:
    connection, transport = connected(stuck=True)
    connection.max_queue = 100_000
    connection.start_tls(Answering(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)))
    for _ in range(100):
        connection.data_received(b"\x16")
    assert not transport.aborted
    connection.data_received(b"\x16")
    assert transport.aborted
    assert connection.closing


async def test_what_came_before_a_goodbye_is_handled_and_answered(serving: Serving) -> None:
    connection, transport, client = secured(serving)
    connection.data_received(client.seal(b"last words") + client.say_goodbye())
    assert connection.got == [b"last words"]
    assert client.open(transport.written) == b"last words"
    assert transport.closed
    assert not transport.aborted


async def test_bytes_that_are_no_tls_end_the_connection_without_noise(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    connection, transport = connected()
    connection.start_tls(serving("localhost").engine())
    connection.data_received(b"<?xml version='1.0'?><stream:stream>")
    assert transport.closed
    assert connection.got == []
    assert not caplog.records


async def test_broken_records_end_the_connection_without_noise(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    connection, transport, client = secured(serving)
    sealed = bytearray(client.seal(b"hello"))
    sealed[-1] ^= 1
    connection.data_received(bytes(sealed))
    assert transport.closed
    assert connection.got == []
    assert not caplog.records


async def test_nothing_is_sent_in_the_clear_before_the_handshake(serving: Serving) -> None:
    connection, transport = connected()
    connection.start_tls(serving("localhost").engine())
    connection.write(b"secret")
    connection.flush()
    assert transport.written == b""
    assert transport.aborted
