"""One load of a key at a time, and nobody is given a load that began before something he could know."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from .fills import Fill
from .guard import Guard

Load = Callable[[], Awaitable[Any] | Any]
TagsOf = Iterable[str] | Callable[[Any], Iterable[str]]


class Flight:
    """One load under way."""

    __slots__ = ("fill", "number", "task")

    def __init__(self, number: int, fill: Fill, task: asyncio.Task[Any]) -> None:
        self.number = number
        self.fill = fill
        self.task = task


class Loads:
    """The loads of one cache."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._flights: dict[str, Flight] = {}
        self._count = 0

    async def join(self, key: str, load: Load, tags: TagsOf) -> Any:
        """The value of a load of this key: one that is under way where that is right, else a new one.

        A load that an invalidation came into, or that has ended, is left to those who wait for it already. While this
        member is not sure, an invalidation may have come that nobody told it of; then only a load that began after the
        call will do.
        """
        arrived = self._count
        while True:
            flight = self._flights.get(key)
            if flight is None or flight.fill.spoiled:
                flight = self._begin(key, load, tags)
                break
            if flight.number > arrived or self._guard.sure():
                break
            await asyncio.wait({flight.task})
        return await asyncio.shield(flight.task)

    def _begin(self, key: str, load: Load, tags: TagsOf) -> Flight:
        self._count += 1
        fill = self._guard.begin(key, None if callable(tags) else tags)
        task = asyncio.create_task(self._run(fill, load, tags))
        flight = self._flights[key] = Flight(self._count, fill, task)
        task.add_done_callback(lambda _: self._end(key, flight))
        return flight

    async def _run(self, fill: Fill, load: Load, tags: TagsOf) -> Any:
        self._guard.stats.loads += 1
        try:
            value = load()
            if inspect.isawaitable(value):
                value = await value
            labels = tags(value) if callable(tags) else None
        except BaseException:
            self._guard.abandon(fill)
            raise
        self._guard.keep(fill, value, labels)
        return value

    def _end(self, key: str, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.task.cancelled():
            flight.task.exception()  # it was given to those who waited, and nobody else asks
