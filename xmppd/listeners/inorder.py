"""Handles what comes in on one connection in order, inline as long as nothing has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from .stepper import step

if TYPE_CHECKING:
    from .shared import Shared

HANDLER: Final = 1  # reading pauses while an item's handler waits

T = TypeVar("T")


class Sharing(Protocol):
    """What a connection came in by, as far as it holds what all doors share."""

    shared: Shared


class InOrder(Generic[T]):
    """The items of one connection, each handled when the one before is done.

    Who derives from this has the attributes `_rest` and `_task`, empty at first, and says how an item is handled, what
    happens where that fails, and what is left to do at the end.
    """

    if not TYPE_CHECKING:  # the slots themselves are the carrier's: two bases of one class cannot both have some
        __slots__ = ()

    listener: Sharing
    _task: asyncio.Task[None] | None
    _rest: list[T]

    if TYPE_CHECKING:

        @property
        def gone(self) -> bool:
            """Whether nothing comes in or goes out any more."""

        def pause(self, reason: int) -> None:
            """Read nothing more while any reason stands."""

        def resume(self, reason: int) -> None:
            """One reason less not to read."""

        def _handle(self, item: T) -> Coroutine[Any, Any, None] | None:
            """What is to be done with an item; None where it is done."""

        def _failed(self, error: Exception) -> None:
            """That went wrong."""

        def _leave(self) -> None:
            """The connection is gone, and all that came in is handled."""

    def take(self, items: list[T]) -> None:
        """Handle in order; while one item's handler waits, the rest does too."""
        if self._task is None:
            self._rest = items
            self._run()
        else:
            self._rest += items

    def _run(self) -> None:
        items = self._rest  # whoever ends or restarts the stream empties it
        for index, item in enumerate(items):
            try:
                if (work := self._handle(item)) is None:
                    continue
                task = step(work)
            except Exception as error:
                self._failed(error)
                continue
            if task is not None:
                del items[: index + 1]
                self._task = task
                self.pause(HANDLER)
                self.listener.shared.keep(task)
                task.add_done_callback(self._go_on)
                return
        items.clear()

    def _go_on(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._failed(error)
        self._run()
        if self._task is None:
            self.resume(HANDLER)
            if self.gone:
                self._leave()
