"""XEP-0047 as channels use it: slixmpp's plugin opens and closes, the blocks of messages are written here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0047 import XEP_0047, IBBytestream

from .errors import ChannelBroken

if TYPE_CHECKING:
    from slixmpp.stanza import Iq

SEQUENCE: Final = 1 << 16  # block numbers begin anew there (XEP-0047 2.2)
LEAST_BLOCK: Final = 512  # bytes; a peer who wants still smaller ones gets none
PATIENCE: Final = 60  # seconds for an answer
CUT: Final = "the connection ended"
T = TypeVar("T")


def ibb(xmpp: ClientXMPP) -> XEP_0047:
    """slixmpp's plugin."""
    plugin: XEP_0047 = xmpp.plugin["xep_0047"]
    return plugin


async def open_stream(xmpp: ClientXMPP, peer: JID, sid: str, size: int) -> IBBytestream:
    """Open it with blocks of `size` bytes, or of half as many as often as the peer finds them too large."""
    while True:
        try:
            return await ibb(xmpp).open_stream(peer, sid=sid, block_size=size, use_messages=True, timeout=PATIENCE)
        except IqError as error:
            if error.condition != "resource-constraint" or size // 2 < LEAST_BLOCK:
                raise
            size //= 2


def send_block(stream: IBBytestream, block: bytes) -> None:
    """Send one block. It has no id: who answers it with an error answers a message without one, and only blocks are."""
    stream.send_seq = (stream.send_seq + 1) % SEQUENCE
    message = stream.xmpp.Message()
    del message["id"]
    message["to"] = stream.peer_jid
    message["ibb_data"]["sid"] = stream.sid
    message["ibb_data"]["seq"] = stream.send_seq
    message["ibb_data"]["data"] = block
    message.send()


async def close_stream(stream: IBBytestream) -> None:
    """Send `<close/>` and wait for its answer, whatever it is (XEP-0047 2.3); then the stream is forgotten."""
    with suppress(IqError, IqTimeout, ChannelBroken):
        await answered(stream.xmpp, stream.close(timeout=PATIENCE))
    forget_stream(stream)


async def answered(xmpp: ClientXMPP, answer: asyncio.Future[T]) -> T:
    """Wait for an answer; `ChannelBroken` where the connection ends before, which slixmpp does not say."""
    await asyncio.wait({answer, xmpp.disconnected}, return_when=asyncio.FIRST_COMPLETED)
    if answer.done():
        return answer.result()
    answer.cancel()
    raise ChannelBroken(CUT)


def forget_stream(stream: IBBytestream) -> None:
    """Blocks that still come belong to nothing any more."""
    ibb(stream.xmpp).api["del_stream"](stream.self_jid, stream.sid, stream.peer_jid, None)


def ask_for_receipt(stream: IBBytestream) -> asyncio.Future[bool]:
    """Ping the peer (XEP-0199): stanzas keep their order, so its answer says that all blocks came.

    True for a result; False for an error, which a peer that knows no ping sends too, and for silence.
    """
    receipt: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def answered(future: asyncio.Future[Iq]) -> None:
        if not receipt.done():
            receipt.set_result(not future.cancelled() and future.exception() is None)

    iq = stream.xmpp.make_iq_get(ito=stream.peer_jid)
    iq.enable("ping")
    iq.send(timeout=PATIENCE).add_done_callback(answered)
    return receipt
