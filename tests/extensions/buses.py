"""A server with rooms of the bus and a door for HTTP, and members of the real client library."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.kit.client import Client
from tests.kit.http import Answer, Http
from tests.kit.world import World, a_world
from xmppd.client.bus import Bus
from xmppd.testing import MODULES
from xmppd.xmpp.stanza import Element

NS_BUS = "urn:xmppd:bus:0"
BUS = "xmppd.extensions.bus"
TOKEN = "a-token-for-the-cache"  # noqa: S105
OTHER = "a-token-for-the-other"
ROOM = "cache@conference.localhost"
PATIENCE = 30.0  # seconds until a story that waits for nothing fails
CONFIRM = "/bus/cache?confirm=1&timeout=20"
ROOMS: Mapping[str, Any] = {"cache": {"tokens": [TOKEN]}, "other": {"tokens": [OTHER]}}
HTTP = {"port": 0, "ip": "127.0.0.1", "module": "http", "request_handlers": {"/": "modules"}}


@asynccontextmanager
async def a_server(
    folder: Path | None = None, port: int = 0, muc: Mapping[str, Any] | None = None, **options: Any
) -> AsyncIterator[World]:
    """Rooms are `cache` and `other` unless said otherwise."""
    modules: dict[str, Any] = {name: {} for name in MODULES} | {"muc": muc or {}, BUS: {"rooms": ROOMS} | options}
    door = {"port": port, "ip": "127.0.0.1", "module": "c2s", "starttls": "optional"}
    kept = {} if folder is None else {"data_dir": str(folder)}
    async with a_world(listen=[door, HTTP], modules=modules, **kept) as world:
        yield world


@asynccontextmanager
async def members(world: World, *names: str, **settings: Any) -> AsyncIterator[list[Bus]]:
    """All of them in the room, each under its account's name."""
    buses: list[Bus] = []
    where = {"host": "127.0.0.1", "port": world.server.port, "plaintext": True, "most_backoff": 0.2}
    try:
        for name in names:
            await world.account(name)
            buses.append(Bus(f"{name}@localhost", name, ROOM, name=name, **(where | settings)))
            await buses[-1].start(PATIENCE)
            assert buses[-1].sure
        yield buses
    finally:
        for bus in buses:
            await bus.close()


async def watcher(world: World, name: str = "bob", inside: str = "") -> Client:
    """Somebody in the room with any client; what comes in by entering is taken out."""
    client = await world.session(f"{name}/desk")
    client.send(f"<presence to='{ROOM}/{name}'><x xmlns='http://jabber.org/protocol/muc'/>{inside}</presence>")
    assert (await client.pending())[-1].find("{jabber:client}subject") is not None
    return client


async def silent_member(world: World, name: str = "web9") -> Client:
    """A member that confirms nothing by itself; its lease is seven seconds."""
    return await watcher(world, name, f"<member xmlns='{NS_BUS}' origin='{name}' epoch='e' seq='0' lease='7'/>")


async def post(world: World, body: str | bytes, path: str = "/bus/cache", token: str = TOKEN, **headers: str) -> Answer:
    """Publish over HTTP."""
    door = await Http.dial(world.server.doors[-1].port)
    given = {"authorization": f"Bearer {token}"} if token else {}
    try:
        return await door.ask("POST", path, body.encode() if isinstance(body, str) else body, **(given | headers))
    finally:
        await door.close()


async def told(world: World, body: str, path: str = "/bus/cache") -> dict[str, Any]:
    """Publish, and read the answer as JSON."""
    answer = await post(world, body, path, accept="application/json")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def asking(world: World, body: str, seconds: float = 20.0) -> asyncio.Task[dict[str, Any]]:
    """Publish, and wait for members meanwhile."""
    return asyncio.create_task(told(world, body, f"/bus/cache?confirm=1&timeout={seconds}"))


async def archived(client: Client) -> list[tuple[str, str]]:
    """What the room's archive has: ids and bodies."""
    await client.pending()
    await client.ask(f"<iq type='set' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>")
    results = [each.find("{urn:xmpp:mam:2}result") for each in await client.pending()]
    return [(each.get("id", ""), each.findtext(".//{jabber:client}body") or "") for each in results if each is not None]


def said_in(message: Element) -> Element:
    """The bus's element in a message."""
    found = message.find(f"{{{NS_BUS}}}*")
    assert found is not None
    return found


def figure(world: World, name: str) -> float:
    """The sum of a metric's series."""
    lines = world.server.metrics.render().decode().splitlines()
    full = f"xmppd_xmppd_extensions_bus_{name}{{"
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(full))
