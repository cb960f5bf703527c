"""The TLS engine, byte for byte and over a real socket."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.listeners.authority import Authority
from tests.listeners.tls_client import TLS12, TLS13, TLSClient, trusting_context
from xmppd.listeners.tls import MAX_HANDSHAKE, SLICE, TLSEngine

OPENSSL = shutil.which("openssl") or ""
needs_openssl = pytest.mark.skipif(not OPENSSL, reason="needs the command openssl (apt-get install openssl)")
VERSIONS = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    path = Authority().issue("example.org").write(tmp_path_factory.mktemp("tls") / "example.org.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 1
    context.load_cert_chain(path)
    return context


def connect(context: ssl.SSLContext, version: ssl.TLSVersion = TLS13) -> TLSClient:
    return TLSClient(TLSEngine(context), trusting_context(version)).shake_hands()


@VERSIONS
def test_talk_goes_both_ways(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    client = connect(context, version)
    assert client.engine.established
    assert client.engine.receive(client.seal(b"<presence/>")) == b"<presence/>"
    assert client.open(client.engine.send(b"<iq/>")) == b"<iq/>"
    assert client.engine.outgoing() == b""


@VERSIONS
def test_what_was_agreed_can_be_asked(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    engine = TLSEngine(context)
    assert (engine.version, engine.cipher) == ("", "")
    client = TLSClient(engine, trusting_context(version)).shake_hands()
    assert engine.version == client.tls.version()
    assert engine.cipher == client.tls.cipher()[0]  # type: ignore[index]
    assert engine.peer_certificate is None


@VERSIONS
def test_one_byte_at_a_time(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    client = TLSClient(TLSEngine(context), trusting_context(version)).shake_hands(pieces=1)
    said = client.seal(b"<message/>") + client.seal(b"<iq/>") + client.say_goodbye()
    heard = [client.engine.receive(said[at : at + 1]) for at in range(len(said))]
    assert b"".join(heard) == b"<message/><iq/>"
    assert client.engine.closed


@VERSIONS
def test_cut_at_each_byte(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    client = connect(context, version)
    for cut in range(len(client.seal(b"ab")) * 2):
        client = connect(context, version) if cut == 0 else client
        said = client.seal(b"ab") + client.seal(b"cd")
        assert client.engine.receive(said[:cut]) + client.engine.receive(said[cut:]) == b"abcd"


@VERSIONS
def test_handshake_cut_at_each_byte(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    hello = TLSClient(TLSEngine(context), trusting_context(version)).step()
    for cut in range(1, len(hello)):
        engine = TLSEngine(context)
        assert (engine.receive(hello[:cut]), engine.outgoing()) == (b"", b"")
        assert (engine.receive(hello[cut:]), engine.established) == (b"", False)
        assert engine.outgoing()


@VERSIONS
@pytest.mark.parametrize("size", [SLICE - 1, SLICE, SLICE + 1, 16384, 16385, 1_000_000])
def test_large_both_ways(context: ssl.SSLContext, version: ssl.TLSVersion, size: int) -> None:
    client = connect(context, version)
    text = (b"0123456789" * (size // 10 + 1))[:size]
    assert client.engine.receive(client.seal(text)) == text
    assert client.open(client.engine.send(text)) == text


def test_nothing_to_send_is_nothing(context: ssl.SSLContext) -> None:
    assert connect(context).engine.send(b"") == b""


def test_first_words_come_with_the_last_of_the_handshake(context: ssl.SSLContext) -> None:
    client = TLSClient(TLSEngine(context), trusting_context())
    client.engine.receive(client.step())
    client.hear(client.engine.outgoing())
    assert client.engine.receive(client.step() + client.seal(b"<stream>")) == b"<stream>"
    assert client.engine.established


def test_sending_before_the_handshake_is_refused(context: ssl.SSLContext) -> None:
    engine = TLSEngine(context)
    with pytest.raises(ssl.SSLError, match="before the TLS handshake"):
        engine.send(b"<stream>")
    assert TLSClient(engine, trusting_context()).shake_hands().engine.established


@VERSIONS
def test_peer_says_goodbye(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    client = connect(context, version)
    assert client.engine.receive(client.seal(b"</stream>") + client.say_goodbye() + b"noise") == b"</stream>"
    assert client.engine.closed
    assert client.engine.receive(b"more noise") == b""


@VERSIONS
def test_we_say_goodbye(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    client = connect(context, version)
    late = client.seal(b"late")
    goodbye = client.engine.close()
    assert client.open(goodbye) == b""
    assert client.engine.receive(late) == b"late"
    assert client.engine.receive(client.say_goodbye()) == b""
    assert client.engine.closed
    with pytest.raises(ssl.SSLError):
        client.engine.send(b"too late")


def test_goodbye_in_the_middle_of_a_handshake(context: ssl.SSLContext) -> None:
    engine = TLSEngine(context)
    engine.receive(TLSClient(engine, trusting_context()).step())
    assert engine.outgoing()
    assert engine.close() == b""


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"<stream:stream>", bytes(64), b"\x16\x03\x01\xff\xff"])
def test_noise_in_place_of_a_handshake(context: ssl.SSLContext, noise: bytes) -> None:
    engine = TLSEngine(context)
    with pytest.raises(ssl.SSLError):
        engine.receive(noise)
    with pytest.raises(ssl.SSLError):
        engine.receive(noise)


def test_old_versions_are_told_so(context: ssl.SSLContext) -> None:
    engine = TLSEngine(context)
    hello = bytearray(TLSClient(engine, trusting_context(TLS12)).step())
    hello[9:11] = b"\x03\x02"
    with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
        engine.receive(bytes(hello))
    assert engine.outgoing()[0] == 21  # alert


@VERSIONS
def test_noise_after_the_handshake(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    client = connect(context, version)
    with pytest.raises(ssl.SSLError):
        client.engine.receive(b"noise" * 10)
    assert client.engine.outgoing()[0] in (21, 23)


@VERSIONS
def test_a_changed_byte_is_noticed(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    client = connect(context, version)
    said = bytearray(client.seal(b"<message/>"))
    said[-1] ^= 1
    with pytest.raises(ssl.SSLError, match=r"(?i)bad record mac|decryption"):
        client.engine.receive(bytes(said))


def test_a_handshake_without_end(context: ssl.SSLContext) -> None:
    engine = TLSEngine(context, lambda name: context)
    endless = b"\x01\x01\xff\xff" + bytes(MAX_HANDSHAKE)
    records = [b"\x16\x03\x01\x10\x00" + endless[at : at + 4096] for at in range(0, MAX_HANDSHAKE, 4096)]
    for record in records[:-1]:
        assert engine.receive(record) == b""
    with pytest.raises(ssl.SSLError, match="longer than 65536 bytes"):
        engine.receive(records[-1])


@VERSIONS
def test_tickets_resume(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    ours = trusting_context(version)
    first = TLSClient(TLSEngine(context), ours).shake_hands()
    session = first.session()
    assert not first.tls.session_reused
    second = TLSClient(TLSEngine(context), ours, session=session).shake_hands()
    assert second.tls.session_reused
    assert second.engine.receive(second.seal(b"again")) == b"again"


class Echo(asyncio.Protocol):
    """Says back what it hears, and remembers in `errors` what went wrong with a connection."""

    def __init__(self, context: ssl.SSLContext, errors: list[ssl.SSLError]) -> None:
        self.engine = TLSEngine(context)
        self.errors = errors

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            if plaintext := self.engine.receive(data):
                self.transport.write(self.engine.send(plaintext))
        except ssl.SSLError as error:
            self.errors.append(error)
        self.transport.write(self.engine.outgoing())
        if self.engine.closed:
            self.transport.write(self.engine.close())
            self.transport.close()


@asynccontextmanager
async def echo_server(context: ssl.SSLContext, *expected: str) -> AsyncIterator[int]:
    """Its port. Says at the end whether connections went wrong otherwise than expected."""
    errors: list[ssl.SSLError] = []
    server = await asyncio.get_running_loop().create_server(lambda: Echo(context, errors), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    assert [error.reason for error in errors] == list(expected)


@VERSIONS
async def test_a_real_client(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    async with echo_server(context) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting_context(version))
        text = b"<message/>" * 50_000
        writer.write(text)
        assert await reader.readexactly(len(text)) == text
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def s_client(port: int, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`openssl s_client`, which takes single letters on a line as orders."""
    client = await asyncio.create_subprocess_exec(
        *(OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield client
    finally:
        if client.returncode is None:
            client.terminate()
        await client.wait()


async def heard(client: asyncio.subprocess.Process, said: bytes) -> bytes:
    """The first line that begins like this; b"" where the client ends before."""
    assert client.stdout
    async for line in client.stdout:
        if line.startswith(said):
            return line
    return b""


@needs_openssl
async def test_new_keys_in_the_middle(context: ssl.SSLContext) -> None:
    async with echo_server(context) as port, s_client(port, "-tls1_3") as client:
        assert client.stdin
        client.stdin.write(b"before\n")
        assert await heard(client, b"before")
        client.stdin.write(b"K\n")
        assert await heard(client, b"KEYUPDATE")
        client.stdin.write(b"after\n")
        assert await heard(client, b"after")


@needs_openssl
async def test_renegotiation_is_refused_and_breaks_nothing_here(context: ssl.SSLContext) -> None:
    async with echo_server(context, "SSLV3_ALERT_HANDSHAKE_FAILURE") as port:
        async with s_client(port, "-tls1_2") as client:
            assert client.stdin
            client.stdin.write(b"before\n")
            assert await heard(client, b"before")
            client.stdin.write(b"R\n")
            assert client.stdout
            assert b"no renegotiation" in await client.stdout.read()
        async with s_client(port, "-tls1_2") as client:
            assert client.stdin
            client.stdin.write(b"again\n")
            assert await heard(client, b"again")
