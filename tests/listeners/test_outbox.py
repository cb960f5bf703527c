"""What is written in one turn of the loop leaves in one piece, when the turn ends."""

import asyncio

from xmppd.listeners.outbox import Outbox


class Sink:
    def __init__(self) -> None:
        self.flushed = 0

    def flush(self) -> None:
        self.flushed += 1


async def test_a_turn_ends_with_a_flush_of_all() -> None:
    outbox, one, other = Outbox(), Sink(), Sink()
    outbox.add(one)
    outbox.add(other)
    assert (one.flushed, other.flushed) == (0, 0)
    await asyncio.sleep(0)
    assert (one.flushed, other.flushed) == (1, 1)


async def test_nothing_is_flushed_twice() -> None:
    outbox, sink = Outbox(), Sink()
    outbox.add(sink)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sink.flushed == 1


async def test_what_is_written_by_a_flush_leaves_too() -> None:
    outbox, last = Outbox(), Sink()

    class Talkative(Sink):
        def flush(self) -> None:
            super().flush()
            outbox.add(last)

    outbox.add(Talkative())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert last.flushed == 1


async def test_a_flush_by_hand_leaves_nothing_for_the_loop() -> None:
    outbox, sink = Outbox(), Sink()
    outbox.add(sink)
    outbox.flush()
    await asyncio.sleep(0)
    assert sink.flushed == 1
