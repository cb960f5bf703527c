"""XEP-0138: Stream Compression."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.kit.client import HEADER, Client
from tests.kit.world import World, a_world
from tests.stories.hard_input.test_memory import held
from tests.stories.managed import enable, resume, returning, tag, vanish

EXTENSION = "xmppd.extensions.compression"
NS_COMPRESS = "http://jabber.org/protocol/compress"
NS_FEATURE = "http://jabber.org/features/compress"


MOST_HELD = 8192  # KiB; one read makes 1 MiB at most, which is copied once or twice
WINDOW = zstandard.ZstdCompressionParameters.from_level(3, window_log=17)


class Squeezed:
    """A client's side of a compressed stream, put between a `Client` and its socket."""

    def __init__(self, client: Client, method: str) -> None:
        self.reader, self.writer = client.reader, client.writer
        self.sent = self.received = 0
        self._method = method
        if method == "zlib":
            self._deflate, self._inflate = zlib.compressobj(), zlib.decompressobj()
        else:
            self._encoder = zstandard.ZstdCompressor(compression_params=WINDOW).compressobj()
            self._decoder = zstandard.ZstdDecompressor().decompressobj(read_across_frames=True)
        client.reader, client.writer = self, self  # type: ignore[assignment]

    def write(self, data: bytes) -> None:
        if self._method == "zlib":
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        else:
            data = self._encoder.compress(data) + self._encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        self.sent += len(data)
        self.writer.write(data)

    async def read(self, size: int = -1) -> bytes:
        data = await self.reader.read(size)
        self.received += len(data)
        return self._inflate.decompress(data) if self._method == "zlib" else self._decoder.decompress(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.writer, name)


async def compressed(world: World, name: str, method: str) -> tuple[Client, Squeezed]:
    """Log in, compress, bind."""
    await world.account(name)
    client = await world.dial()
    await client.open()
    await client.login(name, name)
    squeezed = await squeeze(client, method)
    await client.bind("phone")
    return client, squeezed


async def squeeze(client: Client, method: str) -> Squeezed:
    """Begin compression, and the stream anew."""
    client.send(f"<compress xmlns='{NS_COMPRESS}'><method>{method}</method></compress>")
    assert (await client.receive()).tag == f"{{{NS_COMPRESS}}}compressed"
    squeezed = Squeezed(client, method)
    await client.open()
    return squeezed


@pytest.mark.parametrize("method", ["zlib", "zstd"])
@pytest.mark.parametrize("reset", ["never", "stanza"])
async def test_a_compressed_client_talks_with_a_plain_one(method: str, reset: str) -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {"reset": reset}}) as world:
        alice, squeezed = await compressed(world, "alice", method)
        bob = await world.session("bob/desk")
        for number in range(50):
            body = f"{{'s':'x','x':{number}}} wherefore art thou"
            bob.send(f"<message to='{alice.jid}' type='chat'><body>{body}</body></message>")
            await alice.receives(f"c:message[c:body[contains(., \"'x':{number}}}\")]]")
            alice.send(f"<message to='{bob.jid}' type='chat'><body>here {number}</body></message>")
            await bob.receives(f"c:message[c:body='here {number}']")
        module = world.module(EXTENSION)
        assert module.sent_after.value * (1 if reset == "stanza" else 3) < module.sent_before.value
        assert squeezed.received <= module.sent_after.value
        assert module.received_before.value == squeezed.sent


async def test_it_is_offered_on_an_authenticated_stream_only_and_once() -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {"methods": ["zlib", "zstd"]}}) as world:
        await world.account("alice")
        alice = await world.dial()
        assert (await alice.open()).find(f"{{{NS_FEATURE}}}compression") is None
        await alice.login("alice", "alice")
        assert alice.features is not None
        offer = alice.features.find(f"{{{NS_FEATURE}}}compression")
        assert offer is not None
        assert [method.text for method in offer] == ["zlib", "zstd"]
        bob, _ = await compressed(world, "bob", "zlib")
        assert bob.features is not None
        assert bob.features.find(f"{{{NS_FEATURE}}}compression") is None
        bob.send(f"<compress xmlns='{NS_COMPRESS}'><method>zlib</method></compress>")
        await bob.receives_stream_error("unsupported-stanza-type")


@pytest.mark.parametrize(
    ("inside", "condition"), [("<method>lzw</method>", "unsupported-method"), ("", "setup-failed")]
)
async def test_an_unknown_method_is_refused_and_the_stream_goes_on(inside: str, condition: str) -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        await world.account("alice")
        alice = await world.dial()
        await alice.open()
        await alice.login("alice", "alice")
        alice.send(f"<compress xmlns='{NS_COMPRESS}'>{inside}</compress>")
        failure = await alice.receive()
        assert failure.tag == f"{{{NS_COMPRESS}}}failure"
        assert failure[0].tag == f"{{{NS_COMPRESS}}}{condition}"
        assert await alice.bind("phone")


async def hostile(world: World, method: str) -> Squeezed:
    """Log in and agree on compression; what is written to `writer` then goes out as it is."""
    await world.account("mallory")
    mallory = await world.dial()
    await mallory.open()
    await mallory.login("mallory", "mallory")
    mallory.send(f"<compress xmlns='{NS_COMPRESS}'><method>{method}</method></compress>")
    await mallory.receive()
    squeezed = Squeezed(mallory, method)
    mallory.writer = squeezed.writer
    return squeezed


def bomb(method: str, mebibytes: int) -> bytes:
    """White space that expands a thousand times."""
    blank = b" " * (1 << 20)
    if method == "zlib":
        deflate = zlib.compressobj(9)
        return b"".join(deflate.compress(blank) for _ in range(mebibytes)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    small = zstandard.ZstdCompressionParameters(window_log=16)
    encoder = zstandard.ZstdCompressor(compression_params=small).compressobj()
    packed = b"".join(encoder.compress(blank) for _ in range(mebibytes))
    return packed + encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


def watched() -> int:
    """KiB that this process holds, the server and its attacker; its peak is watched from now on."""
    Path("/proc/self/clear_refs").write_text("5")
    return held()


def peak() -> int:
    """KiB that it has held at most since then."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("method", ["zlib", "zstd"])
async def test_a_bomb_ends_in_policy_violation(method: str) -> None:
    """And takes a little memory at its height, of 64 MiB that are in it."""
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        squeezed = await hostile(world, method)
        packed = bomb(method, 64)
        before = watched()
        squeezed.writer.write(packed)
        seen = await squeezed.read(65536)
        assert b"policy-violation" in seen
        assert peak() - before < MOST_HELD
        assert world.module(EXTENSION).refused.value == 1
        assert world.module(EXTENSION).received_after.value < 1 << 20


@pytest.mark.parametrize("method", ["zlib", "zstd"])
async def test_a_broken_stream_ends_with_an_error(method: str) -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        squeezed = await hostile(world, method)
        squeezed.writer.write(b"no compressed bytes at all")
        assert b"undefined-condition" in await squeezed.read(65536)


def ending(method: str, last: bytes) -> bytes:
    """All that a client says, and the end of its compressed stream."""
    if method == "zlib":
        return zlib.compress(last)
    return zstandard.ZstdCompressor(compression_params=WINDOW).compress(last)


@pytest.mark.parametrize("method", ["zlib", "zstd"])
async def test_what_comes_with_the_end_of_the_compressed_stream_is_handled(method: str) -> None:
    """A client's last message, its `</stream:stream>` and the end of the method's own stream, in one piece."""
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        bob = await world.online("bob/desk")
        mallory = await hostile(world, method)
        bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        last = f"<message to='{bob.jid}'><body>goodbye</body></message></stream:stream>"
        mallory.writer.write(ending(method, f"{HEADER.format(host='localhost')}{bind}{last}".encode()))
        await bob.receives("c:message[c:body='goodbye']")
        said = b""
        while piece := await mallory.read(65536):
            said += piece
        assert said.endswith(b"</stream:stream>")
        assert b"error" not in said


async def test_a_zlib_stream_that_is_over_takes_nothing_more() -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        squeezed = await hostile(world, "zlib")
        squeezed.writer.write(ending("zlib", HEADER.format(host="localhost").encode()))
        assert b"<stream:features" in await squeezed.read(65536)
        squeezed.writer.write(ending("zlib", b"<presence/>"))
        assert b"undefined-condition" in await squeezed.read(65536)


async def test_a_zstd_window_over_the_bound_is_refused() -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        squeezed = await hostile(world, "zstd")
        large = zstandard.ZstdCompressionParameters.from_level(3, window_log=23)
        encoder = zstandard.ZstdCompressor(compression_params=large).compressobj()
        squeezed.writer.write(encoder.compress(b"<a/>") + encoder.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
        assert b"131072 bytes at most" in await squeezed.read(65536)


async def test_a_small_burst_is_readable_at_once_and_small() -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        alice, squeezed = await compressed(world, "alice", "zlib")
        bob = await world.session("bob/desk")
        for number in range(20):
            before = squeezed.received
            bob.send(f'<message to=\'{alice.jid}\' id=\'u{number}\'><body>{{"s":"x","x":5}}</body></message>')
            await alice.receives(f"c:message[@id='u{number}']")
        assert squeezed.received - before <= 10


@pytest.mark.parametrize("method", ["zlib", "zstd"])
async def test_with_reset_a_guess_beside_a_secret_is_compressed_by_itself(method: str) -> None:
    """Two stanzas that leave in one turn take what they take in two turns, though one has all of the other in it."""
    async with a_world(modules={"ping": {}, EXTENSION: {"reset": "stanza"}}) as world:
        alice, squeezed = await compressed(world, "alice", method)
        bob = await world.session("bob/desk")
        secret, guess = (
            f"<message to='{alice.jid}' id='{id}'><body>{said}token=4b1e9f6c0a7d2853e1f4</body></message>"
            for id, said in (("secret", ""), ("guess", "is it "))
        )
        taken = []
        for turn in (secret, guess, secret + guess):
            before = squeezed.received
            bob.send(turn)
            for id in ("secret", "guess"):
                if f"'{id}'" in turn:
                    await alice.receives(f"c:message[@id='{id}']")
            taken.append(squeezed.received - before)
        alone, beside, together = taken
        assert together == alone + beside


async def test_it_stands_in_no_stanza(caplog: pytest.LogCaptureFixture) -> None:
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        await world.account("alice")
        alice = await world.dial()
        await alice.open()
        await alice.login("alice", "alice")
        alice.send(f"<iq type='set' id='1'><compress xmlns='{NS_COMPRESS}'><method>zlib</method></compress></iq>")
        await alice.receives_stream_error("not-authorized")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(("before", "behind"), [("zlib", "zstd"), ("zstd", "zlib"), ("zlib", "")])
async def test_a_session_is_resumed_on_a_stream_that_is_compressed_anew(before: str, behind: str) -> None:
    """Compression is of the stream, not of the session: the new one chooses its own, or none."""
    async with a_world(modules={"ping": {}, EXTENSION: {}}) as world:
        alice, _ = await compressed(world, "alice", before)
        id = (await enable(alice)).get("id") or ""
        bob = await world.online("bob/phone")
        await vanish(world, alice)
        bob.send(f"<message to='{alice.jid}' type='chat'><body>in the tunnel</body></message>")
        await bob.ping()
        again = await returning(world, "alice")
        if behind:
            await squeeze(again, behind)
        assert (await resume(again, id)).tag == tag("resumed")
        await again.receives("c:message[c:body='in the tunnel']")
