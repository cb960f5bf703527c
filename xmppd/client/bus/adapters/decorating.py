"""Remembers what a function returns, under a key made of its arguments. Shared by the decorators."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from xmppd.client.bus.cache import Cache
from xmppd.client.bus.sync_cache import SyncCache

F = TypeVar("F", bound=Callable[..., Any])
Named = str | Callable[..., str]


def remembering(function: F, cache: Cache | SyncCache, key: Named, tags: Iterable[Named] = ()) -> F:
    """The function with a cache before it. A coroutine function needs a Cache, another a SyncCache."""
    is_async = inspect.iscoroutinefunction(function)
    if is_async is not isinstance(cache, Cache):
        kind = "a Bus" if is_async else "a SyncBus"
        raise TypeError(f"{function.__qualname__} needs {kind}")
    bound = inspect.signature(function)

    def called(*args: Any, **kwargs: Any) -> Any:
        arguments = bound.bind(*args, **kwargs)
        arguments.apply_defaults()

        def named(name: Named) -> str:
            return name.format(**arguments.arguments) if isinstance(name, str) else name(*args, **kwargs)

        return cache.get_or_load(named(key), lambda: function(*args, **kwargs), tags=[named(tag) for tag in tags])

    if is_async:

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await called(*args, **kwargs)

        return functools.update_wrapper(awaited, function)  # type: ignore[return-value]
    return functools.update_wrapper(called, function)  # type: ignore[return-value]
