"""One channel on the side that serves: takes records from the service's generator, gathers them and sends blocks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

from slixmpp.plugins.xep_0047 import IBBytestream

from .blocks import Blocks
from .objects import packed
from .service import Service
from .transport import ask_for_receipt, close_stream, forget_stream, send_block

log = logging.getLogger(__name__)


class Sending:
    """Lives from the opening of the stream to its close. `batch` is in seconds.

    When a quarter of `service.most_unsent` is on its way, the peer is asked whether it came; the answer makes room.
    """

    def __init__(self, stream: IBBytestream, service: Service, batch: float) -> None:
        self._stream = stream
        self._service = service
        self._batch = batch
        self._blocks = Blocks(stream.block_size)
        self._timer: asyncio.TimerHandle | None = None
        self._unsent = 0  # bytes handed over that the peer has not shown to have
        self._asked = 0  # of these, what the receipt that is under way will cover
        self._confirms = False  # whether the peer has ever confirmed
        self._room = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self.dropped = 0

    async def run(self) -> None:
        """Send until the generator ends or fails, then close. Cancelled when the peer has closed or is gone."""
        self._task = asyncio.current_task()
        records = self._service.source(self._stream.peer_jid)
        try:
            async for record in records:
                if not await self._take(packed(record)):
                    log.warning("%s: closed, the asker is too slow", self)
                    break
        except asyncio.CancelledError:
            self._forget_timer()
            forget_stream(self._stream)
            raise
        except Exception:
            log.exception("%s: the service failed, so the channel is closed", self)
        finally:
            if isinstance(records, AsyncGenerator):
                await records.aclose()
        self._flush()
        await close_stream(self._stream)

    def stop(self) -> None:
        """The peer has closed, or is gone."""
        if self._task is not None:
            self._task.cancel()

    def __str__(self) -> str:
        return f"{self._service.name} for {self._stream.peer_jid}"

    async def _take(self, record: bytes) -> bool:
        """Take one record as the service chose; False where the channel is to be closed."""
        if self._full(record):
            self._seek_receipt()
            if self._service.when_slow == "close":
                return False
            if self._service.when_slow == "drop":
                self.dropped += 1
                return True
            await self._until_room(record)
        self._send(record)
        return True

    async def _until_room(self, record: bytes) -> None:
        while self._full(record):
            self._room.clear()
            self._seek_receipt()
            await self._room.wait()

    def _full(self, record: bytes) -> bool:
        held = self._unsent + len(self._blocks)
        return held > 0 and held + len(record) > self._service.most_unsent

    def _send(self, record: bytes) -> None:
        for block in self._blocks.add(record):
            self._put(block)
        if not self._batch:
            self._flush()
        elif self._timer is None and len(self._blocks):
            self._timer = asyncio.get_running_loop().call_later(self._batch, self._flush)
        if self._unsent >= self._service.most_unsent // 4:
            self._seek_receipt()

    def _flush(self) -> None:
        """Send what waits, though the block is not full."""
        self._forget_timer()
        for block in self._blocks.rest():
            self._put(block)

    def _put(self, block: bytes) -> None:
        send_block(self._stream, block)
        self._unsent += len(block)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _seek_receipt(self) -> None:
        """Have one receipt under way; where all that is held is still being gathered, it goes out first."""
        if self._asked:
            return
        if not self._unsent:
            self._flush()
        self._asked = self._unsent
        ask_for_receipt(self._stream).add_done_callback(self._received)

    def _received(self, receipt: asyncio.Future[bool]) -> None:
        """Silence means that the peer is gone, and so does an error, unless it never knew how to answer."""
        confirmed = not receipt.cancelled() and receipt.result()
        if not confirmed and self._confirms:
            self.stop()
        self._confirms = self._confirms or confirmed
        self._unsent -= self._asked
        self._asked = 0
        self._room.set()
