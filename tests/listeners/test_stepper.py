"""Handlers run at once; only one that waits becomes a task."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from xmppd.listeners.stepper import step, step_by_hand

Stepper = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None] | None"]


@pytest.fixture(params=[step, step_by_hand], ids=["step", "step_by_hand"])
def stepper(request: pytest.FixtureRequest) -> Stepper:
    chosen: Stepper = request.param
    return chosen


async def test_what_does_not_wait_is_done_when_step_returns(stepper: Stepper) -> None:
    done = []

    async def inner() -> None:
        done.append(1)

    async def work() -> None:
        await inner()
        done.append(2)

    assert stepper(work()) is None
    assert done == [1, 2]


async def test_what_waits_goes_on_as_a_task(stepper: Stepper) -> None:
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    said: list[str] = []

    async def work() -> None:
        said.append("begun")
        said.append(await gate)
        await asyncio.sleep(0)
        said.append("done")

    task = stepper(work())
    assert task is not None
    assert said == ["begun"]
    gate.set_result("open")
    await task
    assert said == ["begun", "open", "done"]


async def test_a_failure_before_the_first_wait_is_raised(stepper: Stepper) -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        stepper(work())


async def test_a_failure_behind_a_wait_is_the_tasks(stepper: Stepper) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise LookupError

    task = stepper(work())
    assert task is not None
    with pytest.raises(LookupError):
        await task


async def test_what_is_awaited_may_fail_and_be_caught(stepper: Stepper) -> None:
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    caught = []

    async def work() -> None:
        try:
            await gate
        except LookupError:
            await asyncio.sleep(0)
            caught.append(1)

    task = stepper(work())
    gate.set_exception(LookupError())
    assert task is not None
    await task
    assert caught == [1]


async def test_a_task_can_be_cancelled_while_it_waits(stepper: Stepper) -> None:
    left = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            left.append(1)

    task = stepper(work())
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left == [1]


async def test_locks_and_queues_work(stepper: Stepper) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    lock = asyncio.Lock()

    async def work() -> None:
        for number in range(3):
            async with lock:
                await queue.put(number)

    task = stepper(work())
    assert [await queue.get() for _ in range(3)] == [0, 1, 2]
    assert task is not None
    await task


async def test_behind_a_wait_a_handler_may_set_a_timeout(stepper: Stepper) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await asyncio.sleep(0)

    task = stepper(work())
    assert task is not None
    await task


async def test_two_may_wait_for_the_same(stepper: Stepper) -> None:
    """Both have begun to wait before either has become a task."""
    arrived: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    got: list[int] = []

    async def work() -> None:
        got.append(await arrived)

    async def other() -> None:
        await work()

    plain = asyncio.create_task(other())
    tasks = [stepper(work()), stepper(work())]
    await asyncio.sleep(0)
    arrived.set_result(7)
    for task in (plain, *tasks):
        assert task is not None
        await task
    assert got == [7, 7, 7]


async def test_what_happens_before_it_is_a_task_is_not_missed(stepper: Stepper) -> None:
    arrived: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        assert await arrived == 7

    task = stepper(work())
    arrived.set_result(7)
    assert task is not None
    await task
