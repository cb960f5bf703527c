"""A minute of chaos, and a little more; `python -m tests.chaos --minutes 60` is the same for an hour."""

from pathlib import Path

import pytest

from .run import Chaos, Plan

pytestmark = pytest.mark.slow


async def after(plan: Plan, folder: Path) -> Chaos:
    """The plan carried out."""
    chaos = Chaos(plan, folder)
    try:
        await chaos.run()
    finally:
        await chaos.close()
    print(chaos.book.report())
    return chaos


async def test_what_is_acknowledged_reaches_every_device_once(tmp_path: Path) -> None:
    """Archive and offline store; the server is killed again and again."""
    chaos = await after(Plan(60), tmp_path)
    assert chaos.book.problems(archived=True) == []
    assert chaos.book.counts["clients that did not come home in time"] == 0
    assert chaos.book.counts["sessions resumed"] >= 20, "too little happened to prove anything"
    assert sum(map(len, chaos.book.sure.values())) >= 500, "too little was said to prove anything"


async def test_without_an_archive_what_is_acknowledged_is_received_or_stored(tmp_path: Path) -> None:
    """The offline store alone, which has what a client has not acknowledged; the server is killed here too."""
    chaos = await after(Plan(15, seed=2, archive=False, lives=(4, 8)), tmp_path)
    assert chaos.book.problems(archived=False) == []
    assert chaos.book.counts["times the server was killed"] >= 1, "too little happened to prove anything"
    assert chaos.book.counts["sessions resumed"] >= 10, "too little happened to prove anything"
