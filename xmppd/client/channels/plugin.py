"""The slixmpp plugin: brings what slixmpp hears to the side that serves and to the side that asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, overload

from slixmpp import JID
from slixmpp.plugins.base import register_plugin
from slixmpp.stanza import Iq
from slixmpp.xmlstream import register_stanza_plugin
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import StanzaPath

from xmppd.client.plugin import Plugin

from .opening import Opening
from .reading import MOST_UNREAD, Channel
from .service import Allow, Service, Source, WhenSlow, contacts
from .serving import Serving
from .stanzas import NS, Ask

T = TypeVar("T")
S = TypeVar("S", bound=Source)


class Channels(Plugin):
    """Data channels of one slixmpp client; `Channels.of(xmpp)` gives it. `block_size`: bytes of the largest block."""

    name = "xmppd_channels"
    description = "Data channels"
    feature = NS
    dependencies: ClassVar[set[str]] = {"xep_0030", "xep_0047", "xep_0199"}
    default_config: ClassVar[dict[str, Any]] = {"block_size": 4096}

    def service(
        self,
        name: str,
        *,
        allow: Allow = contacts,
        when_slow: WhenSlow = "wait",
        most_unsent: int = 65536,
        most_channels: int = 100,
    ) -> Callable[[S], S]:
        """Decorates an async generator function: what it yields goes to each asker, in a call of its own.

        It is called with the asker's full address. See `Service` for the rest; the first line of its docstring is its
        description in service discovery. When the asker closes, the generator is closed at its `yield` or `await`.
        """

        def offer(source: S) -> S:
            description = (source.__doc__ or "").strip().partition("\n")[0]
            self.serving.services[name] = Service(
                name, source, allow, when_slow, most_unsent, most_channels, description
            )
            return source

        return offer

    @overload
    def open(self, peer: JID | str, service: str, *, batch: int = 0, most_unread: int = ...) -> Channel[bytes]: ...
    @overload
    def open(
        self, peer: JID | str, service: str, *, batch: int = 0, decode: Callable[[bytes], T], most_unread: int = ...
    ) -> Channel[T]: ...
    def open(
        self,
        peer: JID | str,
        service: str,
        *,
        batch: int = 0,
        decode: Callable[[bytes], Any] = bytes,
        most_unread: int = MOST_UNREAD,
    ) -> Channel[Any]:
        """A channel to iterate over; see `Channel`. `peer` is a full address.

        `batch`: let the other side gather records for up to so many milliseconds; 0 sends each at once. `decode` makes
        of each record what the loop gets: `unpacked` for objects. More than `most_unread` bytes of records that came
        and were not read break the channel.
        """
        return Channel(self.opening, JID(peer), service, batch, decode, most_unread)

    def plugin_init(self) -> None:
        """Called by slixmpp."""
        self.serving = Serving(self.xmpp, self.config["block_size"])
        self.opening = Opening(self.xmpp)
        register_stanza_plugin(Iq, Ask)
        path = StanzaPath("iq@type=set/channel_ask")
        self.xmpp.register_handler(CoroutineCallback(self.name, path, self.serving.asked))
        for event, react in self._reactions():
            self.xmpp.add_event_handler(event, react)

    def plugin_end(self) -> None:
        """Called by slixmpp."""
        self.xmpp.remove_handler(self.name)
        for event, react in self._reactions():
            self.xmpp.del_event_handler(event, react)
        self._stop()

    def session_bind(self, jid: Any) -> None:
        """Called by slixmpp: say what is served here."""
        disco = self.xmpp.plugin["xep_0030"]
        disco.add_feature(NS)
        disco.set_node_handler("get_items", self.xmpp.boundjid, NS, lambda *asked: self.serving.listed(*asked))

    def _reactions(self) -> list[tuple[str, Callable[[Any], None]]]:
        return [
            ("ibb_stream_start", self.opening.started),
            ("ibb_stream_data", self.opening.block_came),
            ("ibb_stream_end", self.opening.ended),
            ("ibb_stream_end", self.serving.ended),
            ("message_error", self.serving.refused),
            ("session_end", self._stop),
        ]

    def _stop(self, _: Any = None) -> None:
        self.serving.stop()
        self.opening.stop()


register_plugin(Channels)
