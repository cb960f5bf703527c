"""XEP-0138: Stream Compression by zlib and zstd, as a stream feature that an extension adds."""

from __future__ import annotations

from typing import Literal

from xmppd.api import Counter, Module, ModuleOptions, Nonza, Peer, State, option, stream_feature
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza

from .codecs import Bounds, Codec, Figures, Zlib, Zstd

NS_FEATURE = "http://jabber.org/features/compress"
NS_COMPRESS = "http://jabber.org/protocol/compress"
CODECS: dict[str, type[Codec]] = {"zlib": Zlib, "zstd": Zstd}


class Compression(Module):
    """Offers compression on authenticated streams, once, and counts what it saves.

    Compression beside secrets can leak them through lengths (CRIME): who can make a client send chosen text and watch
    the wire learns what else it says. `reset: stanza` compresses each stanza by itself and costs most of the gain.
    """

    xeps = {"0138": "2.1"}
    sent_before = Counter("Bytes for clients before compression")
    sent_after = Counter("Bytes for clients after compression")
    received_before = Counter("Bytes of clients as they came in")
    received_after = Counter("Bytes of clients after decompression")
    refused = Counter("Streams ended because their bytes expanded beyond the bounds")

    class Options(ModuleOptions):
        """Which methods, how hard, and how much a client's bytes may expand."""

        methods: tuple[Literal["zlib", "zstd"], ...] = option(("zstd", "zlib"), "Offered in this order")
        level: int = option(6, "Effort of the encoder, 1 to 9; zstd takes half of it", least=1, most=9)
        window_bits: int = option(
            13, "History of the encoder: 2^13 bytes make 64 KiB a session with zlib, 100 with zstd", least=10, most=15
        )
        reset: Literal["never", "stanza"] = option("never", "When the encoder forgets what it has sent")
        max_ratio: int = option(250, "Bytes out for each byte in, over the stream; text reaches 50", least=10)
        max_read: int = option(1048576, "Bytes out of one read of the socket", least=65536)

    options: Options

    @stream_feature(
        "compression",
        f"{NS_COMPRESS} compress",
        needs=State.AUTHENTICATED,
        forbids=State.COMPRESSED | State.BOUND,
        advertise=lambda module, peer: module.offer(),
        order=25,
    )
    async def begin(self, peer: Peer, request: Nonza | Stanza) -> None:
        """The client chooses a method (XEP-0138 3); the stream starts anew beneath it."""
        method = _method(request)
        if method not in self.options.methods:
            condition = "unsupported-method" if method else "setup-failed"
            peer.write_xml(f"<failure xmlns='{NS_COMPRESS}'><{condition}/></failure>")
            return
        peer.write_xml(f"<compressed xmlns='{NS_COMPRESS}'/>")
        peer.restart()
        peer.wrap(self._codec(method))
        peer.grant(State.COMPRESSED)

    def offer(self) -> str:
        """The methods, for the list of stream features (XEP-0138 5)."""
        methods = "".join(f"<method>{method}</method>" for method in self.options.methods)
        return f"<compression xmlns='{NS_FEATURE}'>{methods}</compression>"

    def _codec(self, method: str) -> Codec:
        options = self.options
        figures = Figures(self.sent_before, self.sent_after, self.received_before, self.received_after, self.refused)
        bounds = Bounds(options.max_ratio, options.max_read)
        return CODECS[method](options.level, options.window_bits, options.reset == "stanza", bounds, figures)


def _method(request: Nonza | Stanza) -> str:
    if not isinstance(request, Nonza):
        raise StreamError("not-authorized", "<compress/> stands in no stanza; bind a resource first")
    child = request.element.find(f"{{{NS_COMPRESS}}}method")
    return "" if child is None else (child.text or "").strip()
