"""A world with a door for TCP, and one for HTTP behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.kit.world import World, a_world

TCP = {"port": 0, "ip": "127.0.0.1", "module": "c2s", "starttls": "optional"}
HANDLERS = {"/http-bind": "bosh", "/xmpp-websocket": "websocket", "/.well-known/host-meta": "host_meta"}


def message(to: object, text: str = "hello") -> str:
    """A chat message that says its namespace."""
    return f"<message xmlns='jabber:client' to='{to}' type='chat'><body>{text}</body></message>"


def http_door(**changes: Any) -> dict[str, Any]:
    """An entry of `listen`."""
    door = {"port": 0, "ip": "127.0.0.1", "module": "http", "request_handlers": HANDLERS, "cleartext": "loopback"}
    return door | changes


@asynccontextmanager
async def a_web(door: dict[str, Any] | None = None, **changes: Any) -> AsyncIterator[World]:
    """A world whose last door speaks HTTP."""
    async with a_world(listen=[TCP, door or http_door()], **changes) as world:
        yield world
