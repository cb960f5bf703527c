"""One channel on the side that asked: records come out of it in the order they went in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from slixmpp import JID
from slixmpp.plugins.xep_0047 import IBBytestream

from .errors import ChannelBroken, ChannelError, ChannelRefused
from .records import Records
from .transport import SEQUENCE, close_stream, forget_stream

if TYPE_CHECKING:
    from .opening import Opening

T = TypeVar("T")
MOST_UNREAD: Final = 1 << 20  # bytes
LOST: Final = "a block was lost on the way"


class Channel(Generic[T]):
    """What `Channels.open` returns. Iterate over it, once; leaving the loop closes the channel.

    The channel opens with the first record asked for, or with `async with`, which also closes it when left. The loop
    ends when the other side closes. It raises `ChannelRefused` where the channel does not open, and `ChannelBroken`
    where records were lost; what came before is given out first.
    """

    def __init__(
        self, channels: Opening, peer: JID, service: str, batch: int, decode: Callable[[bytes], T], most_unread: int
    ) -> None:
        self.peer = peer
        self.service = service
        self.batch = batch
        self.sid = ""
        self._channels = channels
        self._decode = decode
        self._most_unread = most_unread
        self._records = Records()
        self._next = 0  # the number that the next block must have
        self._unread: deque[bytes] = deque()
        self._unread_bytes = 0
        self._stream: IBBytestream | None = None
        self._end: ChannelError | None = None
        self._ended = False
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[T]:
        return self._read()

    @property
    def ended(self) -> bool:
        """Whether no more records will come, beside those that came already."""
        return self._ended

    async def start(self) -> None:
        """Ask for the channel and wait until it is open. `ChannelRefused` where it is not to be."""
        if self.sid:
            return
        try:
            await self._channels.ask(self)
            async with asyncio.timeout(self._channels.patience):
                while self._stream is None and self._end is None:
                    await self._hear()
            if self._stream is None and self._end is not None:
                raise self._end
        except TimeoutError:
            await self._channels.give_up(self)
            raise ChannelRefused("remote-server-timeout", f"{self.peer} agreed, but opened no stream") from None
        except BaseException:
            await self._channels.give_up(self)
            raise

    async def close(self) -> None:
        """Tell the other side to stop; nothing happens where the channel is closed already."""
        if self._ended or self._stream is None:
            return
        self.end()
        await close_stream(self._stream)

    async def _read(self) -> AsyncIterator[T]:
        await self.start()
        try:
            while True:
                while self._unread:
                    record = self._unread.popleft()
                    self._unread_bytes -= len(record)
                    yield self._decode(record)
                if self._ended:
                    break
                await self._hear()
            if self._end is not None:
                raise self._end
        finally:
            await self.close()

    async def _hear(self) -> None:
        """Wait until something has happened to the channel."""
        self._news.clear()
        await self._news.wait()

    def began(self, stream: IBBytestream) -> None:
        """The other side has opened the stream."""
        self._stream = stream
        self._news.set()

    def feed(self, block: bytes, number: int) -> None:
        """A block came. slixmpp goes on after one that it could not read; a channel does not."""
        if number != self._next:
            self.fail(ChannelBroken(LOST))
            return
        self._next = (number + 1) % SEQUENCE
        try:
            for record in self._records.feed(block):
                self._unread.append(record)
                self._unread_bytes += len(record)
        except ChannelBroken as error:
            self.fail(error)
        if self._unread_bytes > self._most_unread:
            self.fail(ChannelBroken(f"{self._unread_bytes} bytes wait to be read, more than {self._most_unread}"))
        self._news.set()

    def fail(self, error: ChannelError) -> None:
        """Close the channel because of an error of the stream or of this side."""
        if self._ended or self._stream is None:
            return
        self.end(error)
        self._channels.spawn(close_stream(self._stream))

    def end(self, error: ChannelError | None = None) -> None:
        """No more blocks will come."""
        if self._ended:
            return
        if error is None and self._records.partial:
            error = ChannelBroken("the channel was closed in the middle of a record")
        self._ended, self._end = True, error
        self._channels.forget(self)
        self._news.set()

    def cut_off(self, error: ChannelError) -> None:
        """The connection has ended, so nothing can be said to the other side."""
        self.end(error)
        if self._stream is not None:
            forget_stream(self._stream)

    def ended_by(self, stream: IBBytestream) -> None:
        """The other side has closed the stream, or slixmpp has because a block was missing."""
        whole = stream.stream_in_closed and (stream.recv_seq + 1) % SEQUENCE == self._next
        self.end(None if whole else ChannelBroken(LOST))
        forget_stream(stream)
