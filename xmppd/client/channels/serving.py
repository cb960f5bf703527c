"""The side that serves: knows the services, answers who asks for one, and opens the stream to them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout, XMPPError
from slixmpp.plugins.xep_0030 import DiscoItems
from slixmpp.plugins.xep_0047 import IBBytestream
from slixmpp.stanza import Message

from .sending import Sending
from .service import Service
from .stanzas import NS, Ask
from .transport import open_stream

log = logging.getLogger(__name__)
Key = tuple[str, str]  # the peer's full address and the stream's sid


class Serving:
    """The services of one client and the channels that it feeds."""

    def __init__(self, xmpp: ClientXMPP, block_size: int) -> None:
        self.services: dict[str, Service] = {}
        self._xmpp = xmpp
        self._block_size = block_size
        self._served: dict[Key, tuple[Service, asyncio.Task[None]]] = {}
        self._sendings: dict[Key, Sending] = {}

    @property
    def sendings(self) -> list[Sending]:
        """The channels that are fed now."""
        return list(self._sendings.values())

    def listed(self, jid: JID, node: str, asker: JID, _: Any) -> DiscoItems:
        """disco#items at our node: what this asker may open."""
        items = DiscoItems()
        items["node"] = NS
        for service in self.services.values():
            if service.allow(self._xmpp, asker):
                items.add_item(self._xmpp.boundjid, node=service.name, name=service.description or None)
        return items

    async def asked(self, iq: Any) -> None:
        """Somebody asks for a channel: agree, then open the stream; or raise why not."""
        ask, asker = iq["channel_ask"], iq["from"]
        key, batch = (asker.full, ask["sid"]), ask.seconds()
        service = self._chosen(ask, asker, key)
        iq.reply().send()
        task = asyncio.ensure_future(self._serve(key, service, batch))
        self._served[key] = service, task
        task.add_done_callback(lambda _: self._served.pop(key, None))

    def _chosen(self, ask: Ask, asker: JID, key: Key) -> Service:
        service = self.services.get(ask["service"])
        if service is None:
            raise XMPPError("item-not-found", f"there is no service {ask['service'][:64]!r} here", etype="cancel")
        if not service.allow(self._xmpp, asker):
            raise XMPPError("forbidden", f"the service {service.name} is not for you", etype="auth")
        if not ask["sid"]:
            raise XMPPError("bad-request", "a channel needs a sid", etype="modify")
        if key in self._served:
            raise XMPPError("conflict", "this sid is in use; choose another", etype="modify")
        if sum(1 for other, _ in self._served.values() if other is service) >= service.most_channels:
            raise XMPPError("resource-constraint", f"{service.name} has as many channels as it can", etype="wait")
        return service

    async def _serve(self, key: Key, service: Service, batch: float) -> None:
        peer, sid = key
        try:
            stream = await open_stream(self._xmpp, JID(peer), sid, self._block_size)
        except (IqError, IqTimeout) as error:
            log.warning("%s for %s: the stream did not open: %s", service.name, peer, error.condition)
            return
        sending = self._sendings[key] = Sending(stream, service, batch)
        try:
            await sending.run()
        finally:
            del self._sendings[key]

    def ended(self, stream: IBBytestream) -> None:
        """A stream was closed by its peer; perhaps one of ours."""
        sending = self._sendings.get((stream.peer_jid.full, stream.sid))
        if sending is not None and stream.stream_in_closed:
            sending.stop()

    def refused(self, message: Message) -> None:
        """A message came back. Only blocks have no id, and a lost block ends the channel (XEP-0047 2.2)."""
        for (peer, _), sending in list(self._sendings.items()):
            if not message["id"] and message["from"].full == peer:
                sending.stop()

    def stop(self) -> None:
        """The session is over."""
        for _, task in list(self._served.values()):
            task.cancel()
