"""Group commit, without a database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from xmppd.storage import Busy, Closed, Commit, Conflict, StorageError
from xmppd.storage.group import CROWD, TURNS, GroupCommit, Outcome, Transaction


class Disk:
    """Commits a group when told to."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.outcomes: dict[str, StorageError] = {}
        self.broken: Exception | None = None
        self._turns: asyncio.Semaphore = asyncio.Semaphore(0)

    async def commit(self, group: Sequence[Transaction]) -> Sequence[Outcome]:
        names = [statements[0][0] for statements in group]
        self.groups.append(names)
        await self._turns.acquire()
        if self.broken:
            raise self.broken
        return [self.outcomes.get(name, [[(name,)]]) for name in names]

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self._turns.release()


async def begun(disk: Disk, groups: int) -> None:
    """So many groups are on their way to the disk."""
    for _ in range(2 * TURNS):
        if len(disk.groups) >= groups:
            return
        await asyncio.sleep(0)


def write(group: GroupCommit, name: str) -> Commit:
    return group.write(((name, ("a secret",)),))


async def test_what_is_queued_during_one_commit_is_the_next_group() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    first = [write(group, "a"), write(group, "b")]
    first[0].hurry()
    await begun(disk, 1)
    second = [write(group, "c"), write(group, "d")]
    assert disk.groups == [["a", "b"]]
    disk.turn(2)
    assert [await commit for commit in first + second] == [[[("a",)]], [[("b",)]], [[("c",)]], [[("d",)]]]
    assert disk.groups == [["a", "b"], ["c", "d"]]


async def test_what_nobody_waits_for_waits_for_company() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    alone = write(group, "a")
    for _ in range(5):
        await asyncio.sleep(0)
    assert disk.groups == []
    disk.turn()
    await write(group, "b")
    assert disk.groups == [["a", "b"]]
    assert alone.done


async def test_company_is_not_waited_for_for_long() -> None:
    disk = Disk()
    alone = write(GroupCommit(disk.commit), "a")
    done = asyncio.Event()
    alone.add_done_callback(lambda _: done.set())
    disk.turn()
    await asyncio.wait_for(done.wait(), 10)
    assert disk.groups == [["a"]]


async def test_a_burst_that_somebody_waits_for_is_one_group() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    write(group, "a").hurry()
    for name in "bcd":
        await asyncio.sleep(0)
        group.add(name, (1,))
    await begun(disk, 1)
    assert disk.groups == [["a", "b", "c", "d"]]
    disk.turn()
    await group.close()


async def test_a_burst_without_end_is_not_waited_for() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    write(group, "a").hurry()
    written = 0
    while not disk.groups:
        await asyncio.sleep(0)
        group.add("b", (written := written + 1,))
    assert written <= TURNS + 2
    disk.turn(2)
    await group.close()


async def test_a_crowd_waits_for_nobody() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    for number in range(CROWD):
        write(group, str(number))
    await begun(disk, 1)
    assert [len(names) for names in disk.groups] == [CROWD]
    disk.turn()
    await group.close()


async def test_what_comes_while_a_group_is_written_waits_for_company_too() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    first = write(group, "a")
    first.hurry()
    await begun(disk, 1)
    second = write(group, "b")
    disk.turn()
    await first
    for _ in range(5):
        await asyncio.sleep(0)
    assert disk.groups == [["a"]]
    disk.turn()
    await second
    assert disk.groups == [["a"], ["b"]]


async def test_an_idle_queue_keeps_no_task() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    disk.turn(2)
    await write(group, "a")
    await group.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_full_queue_refuses_and_recovers() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit, limit=2)
    kept = [write(group, "a"), write(group, "b")]
    with pytest.raises(Busy, match="busy: 2 writes wait"):
        write(group, "c")
    disk.turn(2)
    for commit in kept:
        await commit
    await write(group, "d")
    assert disk.groups == [["a", "b"], ["d"]]


async def test_a_closed_queue_finishes_and_refuses() -> None:
    disk = Disk()
    group = GroupCommit(disk.commit)
    commit = write(group, "a")
    disk.turn()
    await group.close()
    assert commit.done
    with pytest.raises(Closed):
        write(group, "b")


async def test_a_commit_can_be_awaited_any_number_of_times(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    commit = write(GroupCommit(disk.commit), "a")
    waiting = [asyncio.ensure_future(_result(commit)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    disk.turn()
    assert await asyncio.gather(*waiting[1:]) == [[[("a",)]]] * 2
    assert await commit == await commit == [[("a",)]]
    assert not caplog.records


async def test_a_failure_is_raised_at_each_await_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    disk.outcomes["b"] = StorageError("no such table: nowhere")
    group = GroupCommit(disk.commit)
    good, bad = write(group, "a"), write(group, "b")
    disk.turn()
    for _ in range(2):
        with pytest.raises(StorageError, match="nowhere"):
            await bad
    assert await good == [[("a",)]]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "a write failed and is undone: no such table: nowhere; SQL: b"


async def test_a_failure_that_nobody_awaits_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    disk.outcomes["a"] = Conflict("UNIQUE constraint failed: letters.text")
    group = GroupCommit(disk.commit)
    write(group, "a")
    disk.turn()
    await group.close()
    assert ["UNIQUE" in record.getMessage() and record.levelname for record in caplog.records] == ["ERROR"]
    assert "secret" not in caplog.text


async def test_a_conflict_that_is_awaited_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    disk.outcomes["a"] = Conflict("UNIQUE constraint failed: letters.text")
    commit = write(GroupCommit(disk.commit), "a")
    disk.turn()
    with pytest.raises(Conflict):
        await commit
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


@pytest.mark.parametrize("broken", [StorageError("the disk is full"), RuntimeError("the disk is full")])
async def test_a_lost_group_fails_whole_and_the_next_goes_on(
    broken: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk()
    disk.broken = broken
    group = GroupCommit(disk.commit)
    lost = [write(group, "a"), write(group, "b")]
    disk.turn()
    for commit in lost:
        with pytest.raises(StorageError, match="the disk is full"):
            await commit
    assert len(caplog.records) == 1
    disk.broken = None
    disk.turn()
    assert await write(group, "c") == [[("c",)]]


async def test_callbacks_are_called_once_each_in_order() -> None:
    disk = Disk()
    commit = write(GroupCommit(disk.commit), "a")
    told: list[tuple[int, bool]] = []
    commit.add_done_callback(lambda commit: told.append((1, commit.done)))
    commit.add_done_callback(lambda commit: told.append((2, commit.done)))
    assert told == []
    disk.turn()
    await commit
    assert told == [(1, True), (2, True)]
    commit.add_done_callback(lambda commit: told.append((3, commit.done)))
    assert told[2:] == [(3, True)]


async def test_a_callback_that_crashes_stops_nobody() -> None:
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    disk = Disk()
    group = GroupCommit(disk.commit)
    first, second = write(group, "a"), write(group, "b")
    first.add_done_callback(lambda _: [][0])
    disk.turn()
    assert (await first, await second) == ([[("a",)]], [[("b",)]])
    assert [type(context["exception"]) for context in reported] == [IndexError]


async def _result(commit: Commit) -> object:
    return await commit
