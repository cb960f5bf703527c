"""Runs a handler at once, in the caller's turn; only one that really has to wait becomes a task.

Python 3.12 has eager tasks for this, which cost a little more. On 3.11 a handler runs without a current task up to its
first wait: there, what looks for one (`asyncio.timeout`) must come behind an await.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


def step_by_hand(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run `work`; None where it is done, else the task that goes on with it."""
    try:
        waiting = work.send(None)
    except StopIteration:
        return None
    if waiting is not None:
        # A future carries this mark from the wait to the task that takes note of it; others may await it in between.
        waiting._asyncio_future_blocking = False
    return asyncio.get_running_loop().create_task(_rest(work, waiting))


async def _rest(work: Coroutine[Any, Any, None], waiting: Any) -> None:
    if waiting is not None:
        waiting._asyncio_future_blocking = True
    await _go_on(work, waiting)


@coroutine
def _go_on(work: Coroutine[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:
    while True:
        failure: BaseException | None = None
        try:
            yield waiting
        except BaseException as error:
            failure = error
        try:
            waiting = work.send(None) if failure is None else work.throw(failure)
        except StopIteration:
            return


if sys.version_info >= (3, 12):

    def step(work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Run `work`; None where it is done, else the task that goes on with it."""
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
        if not task.done():
            return task
        task.result()
        return None

else:
    step = step_by_hand
