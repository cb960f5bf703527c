"""Attack after attack, memory stays flat."""

import gc
import resource
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import pytest

from tests.kit.raw import HEADER
from tests.stories.hard_input.calm import Calm
from tests.wire.test_hard_input import FORBIDDEN

GROWTH = 12_000  # KiB; what one of these storms holds at its height is twice that


def held() -> int:
    """KiB of memory that this process holds: the server and its attackers."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


async def stays_flat(calm: Calm, storm: Callable[[Calm, Iterator[int]], Awaitable[None]]) -> None:
    """After some storms, more of them cost no memory."""
    numbers = count()
    for _ in range(4):
        await storm(calm, numbers)
    before = held()
    for _ in range(6):
        await storm(calm, numbers)
    assert held() - before < GROWTH


async def storm(calm: Calm, numbers: Iterator[int]) -> None:
    """Each kind of attack, with names that were never seen before."""
    for stream, _ in FORBIDDEN.values():
        await calm.error_after(stream[: 1 << 17])
    for _ in range(5):
        names = b"".join(b"<a%x b%x=''/>" % (next(numbers), next(numbers)) for _ in range(800))
        await calm.error_after(HEADER + b"<iq id='1'>" + names + b"</b></iq>")
        await calm.error_after(HEADER[:-1] + b" xmlns:a%d='urn:%d'><mail/>" % (next(numbers), next(numbers)))
        eve = await calm.world.session(f"eve/{next(numbers)}")
        for _ in range(20):
            names = b"".join(b"<a%x/>" % next(numbers) for _ in range(2000))
            eve.send(b"<message to='nobody@localhost' type='headline'>%b</message>" % names)
            eve.send(b"<iq type='set' id='1'><query xmlns='jabber:iq:roster'>%b</query></iq>" % names)
            eve.send(f"<message to='u{next(numbers)}@localhost' type='headline' id='{next(numbers)}'/>")
            await eve.receives_error("bad-request")
        eve.writer.transport.abort()
    await calm.chat()


@pytest.mark.slow
async def test_memory_stays_flat(calm: Calm) -> None:
    await stays_flat(calm, storm)
