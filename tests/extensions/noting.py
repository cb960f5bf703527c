"""What the tests of roster notes say again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.storage import Rows
from xmppd.xmpp.stanza import Element

EXTENSION: Final = "xmppd.extensions.roster_notes"
NS_NOTES: Final = "urn:xmppd:roster-notes:0"
RIOT: Final = "Versatile dude, plays only ranked, not a big fan of ARAMs"
SUMMONER: Final = "sum9876@pvp.example"
GET: Final = "<iq type='get'><query xmlns='jabber:iq:roster'/></iq>"
ITEM: Final = "{jabber:iq:roster}query/{jabber:iq:roster}item"
RECORDS: Final = "SELECT account, contact, record FROM roster_notes ORDER BY account, contact"


@asynccontextmanager
async def a_world_with_notes(folder: Path | None = None, **changes: Any) -> AsyncIterator[World]:
    """A server with roster notes; one whose data lies in `folder` can be started again."""
    kept = {} if folder is None else {"data_dir": str(folder)}
    named = {name: {} for name in ("disco", "ping", "presence", "roster")} | {EXTENSION: changes.pop("options", {})}
    async with a_world(modules=named, **kept, **changes) as world:
        yield world


async def notes(client: Client) -> dict[str, str]:
    """The notes of the roster as the server sends it, by contact; "" for a contact without one."""
    result = await client.ask(GET)
    return {item.get("jid", ""): note_in(item) for item in result.findall(ITEM)}


def note_in(element: Element) -> str:
    """The one note in an item, a push or a result; "" where there is none."""
    found = list(element.iter("{jabber:iq:roster}note"))
    assert len(found) < 2, "an item has one note"
    return found[0].text or "" if found else ""


async def put(client: Client, contact: str, inside: str = "", name: str = "") -> Element:
    """Set a roster item; returns the reply."""
    item = f"<item jid='{contact}' name='{name}'>{inside}</item>"
    return await client.ask(f"<iq type='set'><query xmlns='jabber:iq:roster'>{item}</query></iq>")


async def interested(client: Client) -> Client:
    """The client has asked for its roster, so it gets pushes."""
    await client.ask(GET)
    return client


async def records(world: World) -> Rows:
    """What lies in the database: account, contact, record."""
    return await world.server.house.storage.fetch(RECORDS)
