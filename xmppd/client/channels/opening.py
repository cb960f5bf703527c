"""The side that asks: sends the requests and brings the blocks that come to the channels they belong to."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0047 import IBBytestream

from .errors import ChannelBroken, ChannelRefused
from .reading import Channel
from .transport import CUT, PATIENCE, answered, ibb

Key = tuple[str, str]  # the peer's full address and the stream's sid


class Opening:
    """The channels that one client reads."""

    def __init__(self, xmpp: ClientXMPP) -> None:
        self.patience: float = PATIENCE  # seconds between the peer's consent and its stream
        self._xmpp = xmpp
        self._channels: dict[Key, Channel[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, channel: Channel[Any]) -> None:
        """Ask the peer to open it; `ChannelRefused` where it does not want to."""
        channel.sid = secrets.token_hex(3)
        self._channels[channel.peer.full, channel.sid] = channel
        await ibb(self._xmpp).api["preauthorize_sid"](self._xmpp.boundjid, channel.sid, channel.peer, None)
        iq: Any = self._xmpp.make_iq_set(ito=channel.peer)
        ask = iq["channel_ask"]
        ask["service"], ask["sid"], ask["batch"] = channel.service, channel.sid, str(channel.batch)
        try:
            await answered(self._xmpp, iq.send(timeout=PATIENCE))
        except IqError as error:
            raise ChannelRefused(error.condition, error.text) from None
        except IqTimeout:
            raise ChannelRefused("remote-server-timeout", f"{channel.peer} does not answer") from None

    async def give_up(self, channel: Channel[Any]) -> None:
        """Nobody waits for its stream any more."""
        self.forget(channel)
        await ibb(self._xmpp).api["authorized_sid"](self._xmpp.boundjid, channel.sid, channel.peer, None)

    def forget(self, channel: Channel[Any]) -> None:
        """Blocks that still come are not for it."""
        self._channels.pop((channel.peer.full, channel.sid), None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def started(self, stream: IBBytestream) -> None:
        """A stream was opened; perhaps one of ours."""
        if (channel := self._of(stream)) is not None:
            channel.began(stream)

    def block_came(self, stream: IBBytestream) -> None:
        """slixmpp has checked its number and decoded it."""
        if (channel := self._of(stream)) is not None:
            channel.feed(stream.recv_queue.get_nowait(), stream.recv_seq)

    def ended(self, stream: IBBytestream) -> None:
        """A stream was closed: by its peer, or by slixmpp because a block was missing or wrong."""
        if (channel := self._of(stream)) is not None:
            channel.ended_by(stream)

    def stop(self) -> None:
        """The session is over."""
        for channel in list(self._channels.values()):
            channel.cut_off(ChannelBroken(CUT))
        for task in self._tasks:
            task.cancel()

    def _of(self, stream: IBBytestream) -> Channel[Any] | None:
        return self._channels.get((stream.peer_jid.full, stream.sid))
