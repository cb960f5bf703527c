"""The clock and the watched sockets that libpurple asks of a user interface, on GLib's main loop."""

from collections.abc import Callable
from ctypes import byref, c_void_p, cast
from typing import Any

from . import purple_abi as abi

READ, WRITE = 1, 2
"""libpurple's conditions."""

IN, OUT, BROKEN = 1, 4, 8 | 16
"""GLib's conditions; BROKEN is an error or the peer's end."""


class Loop:
    """GLib's default main loop."""

    def __init__(self, glib: Any) -> None:
        self._glib = glib
        # C holds addresses of these: Python must not free them.
        self._kept: list[Any] = []

    def serve(self, purple: Any) -> None:
        """Give libpurple this loop. Must come before it starts."""
        ops = abi.EventLoopUiOps(input_add=abi.AddInput(self._add_input))
        for name, function in (
            ("timeout_add", "g_timeout_add"),
            ("timeout_add_seconds", "g_timeout_add_seconds"),
            ("timeout_remove", "g_source_remove"),
            ("input_remove", "g_source_remove"),
        ):
            setattr(ops, name, abi.address(self._glib, function))
        self._kept.append(ops)
        purple.purple_eventloop_set_ui_ops(byref(ops))

    def watch(self, descriptor: int, condition: int, ready: Callable[[int, int, int], int]) -> int:
        """Call `ready(descriptor, what happened, 0)` whenever it is so; returns what g_source_remove takes."""
        function = abi.DescriptorFunction(ready)
        self._kept.append(function)
        return int(self._glib.g_unix_fd_add_full(0, descriptor, condition, cast(function, c_void_p), None, None))

    def run(self) -> None:
        """Turn for ever."""
        self._glib.g_main_loop_run(self._glib.g_main_loop_new(None, 0))

    def _add_input(self, descriptor: int, condition: int, function: int, user_data: int) -> int:
        called = abi.InputFunction(function)

        def ready(descriptor: int, happened: int, _: int) -> int:
            known = (READ if happened & (IN | BROKEN) else 0) | (WRITE if happened & (OUT | BROKEN) else 0)
            called(user_data, descriptor, known & condition)
            return 1

        wanted = (IN if condition & READ else 0) | (OUT if condition & WRITE else 0)
        return self.watch(descriptor, wanted | BROKEN, ready)
