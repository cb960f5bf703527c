"""Finds out what was missed, or has everything dropped."""

from __future__ import annotations

import logging
from collections.abc import Callable

from .archive import Archive
from .hearing import Hearing

log = logging.getLogger(__name__)


async def catch_up(hearing: Hearing, archive: Archive, reset: Callable[[str], None], *, fresh: str = "") -> None:
    """Have the archive tell what came since the last message that was heard, and follow again.

    Where it cannot, `reset` is called with the reason. `fresh` is a reason not to ask it at all. LinkLost where the
    connection ends; then nothing is decided, and the next connection asks again.
    """
    why = fresh or await _replayed(hearing, archive)
    if why:
        hearing.sequences.clear()
        hearing.anchors.set(await archive.tail())
        reset(why)
    if not hearing.resume():
        reset("a message is missing that the archive does not have")


async def _replayed(hearing: Hearing, archive: Archive) -> str:
    """Replay; what is wrong, if something is."""
    anchors = hearing.anchors
    if not anchors:
        return "the room keeps no archive, or too little of one"
    younger, met, count = anchors.younger, False, 0
    async for found in archive.after(anchors.older):
        if found is None:
            return "the archive does not reach back to what was heard last"
        met = met or found[0] == younger
        hearing.found(*found)
        count += 1
    log.debug("the archive had %d messages", count)
    return "" if met else "the archive has lost what was heard last"
