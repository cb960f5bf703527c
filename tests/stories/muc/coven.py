"""The room of XEP-0045's examples, and those who meet in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.kit.client import Client, show
from tests.kit.world import World, a_world
from xmppd.testing import MODULES
from xmppd.xmpp.stanza import Element

ROOM = "coven@conference.localhost"
MUC = "http://jabber.org/protocol/muc"
USER = f"{MUC}#user"
OWNER = f"{MUC}#owner"
NAMES = {
    "c": "jabber:client",
    "m": USER,
    "d": "urn:xmpp:delay",
    "id": "urn:xmpp:sid:0",
    "o": "urn:xmpp:occupant-id:0",
    "info": "http://jabber.org/protocol/disco#info",
    "items": "http://jabber.org/protocol/disco#items",
    "x": "jabber:x:data",
    "rsm": "http://jabber.org/protocol/rsm",
    "s": "urn:ietf:params:xml:ns:xmpp-stanzas",
}


@asynccontextmanager
async def a_service(**options: Any) -> AsyncIterator[World]:
    """A world with rooms; `options` are those of the module `muc`."""
    modules: dict[str, Any] = {name: {} for name in MODULES} | {"muc": options}
    async with a_world(modules=modules, acl={"admin": {"user": ["admin@localhost"]}}) as world:
        yield world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A world with rooms, as they are by default."""
    async with a_service() as world:
        yield world


def entering(nick: str, inside: str = "", room: str = ROOM) -> str:
    """The presence with which one enters."""
    return f"<presence to='{room}/{nick}'><x xmlns='{MUC}'>{inside}</x></presence>"


async def enters(client: Client, nick: str, inside: str = "", room: str = ROOM) -> list[Element]:
    """The client enters; returns all that it is sent: presences, history, the subject last."""
    client.send(entering(nick, inside, room))
    stanzas = await client.pending()
    assert has(stanzas[-1], "c:subject"), f"{client.jid} did not enter: {[show(each) for each in stanzas]}"
    return stanzas


async def found(client: Client, nick: str, room: str = ROOM, **fields: str) -> None:
    """The client makes a room: an instant one, or one with these fields of muc#roomconfig (their names without it)."""
    await enters(client, nick, room=room)
    await configure(client, room, **fields)


async def configure(client: Client, room: str = ROOM, **fields: str) -> None:
    """An owner submits the form with these fields; what comes in by it is taken out."""
    values = "".join(
        f"<field var='muc#roomconfig_{name}'>"
        + "".join(f"<value>{text}</value>" for text in value.split("|"))
        + "</field>"
        for name, value in fields.items()
    )
    form = f"<x xmlns='jabber:x:data' type='submit'>{values}</x>"
    reply = await client.ask(f"<iq type='set' to='{room}'><query xmlns='{OWNER}'>{form}</query></iq>")
    assert reply.get("type") == "result", show(reply)
    await client.pending()


def has(stanza: Element, path: str) -> bool:
    """Whether a stanza has something at this path."""
    return bool(stanza.xpath(path, namespaces=NAMES))


def codes(stanza: Element) -> list[str]:
    """The status codes of a stanza."""
    return [str(code) for code in stanza.xpath("m:x/m:status/@code", namespaces=NAMES)]


def item(stanza: Element) -> dict[str, str]:
    """The attributes of the item in a presence."""
    found = stanza.xpath("m:x/m:item", namespaces=NAMES)
    assert len(found) == 1, show(stanza)
    return {str(name): str(value) for name, value in found[0].attrib.items()}


def nick(stanza: Element) -> str:
    """Which occupant a stanza is from."""
    return (stanza.get("from") or "").partition("/")[2]


def bodies(stanzas: list[Element]) -> list[str]:
    """The texts of messages."""
    return [body for each in stanzas if (body := each.findtext("{jabber:client}body")) is not None]


def say(text: str, room: str = ROOM, id: str = "") -> str:
    """A message to everybody."""
    named = f" id='{id}'" if id else ""
    return f"<message type='groupchat' to='{room}'{named}><body>{text}</body></message>"
