"""What stories about privacy lists and blocking say again and again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from lxml import etree

from tests.kit.client import Client, error_of, show
from tests.kit.world import World, a_world
from xmppd.xmpp.stanza import Element

MODULES: dict[str, dict[str, Any]] = {
    "roster": {},
    "presence": {},
    "ping": {},
    "offline": {},
    "disco": {},
    "version": {},
    "privacy": {},
    "blocking": {},
}
UNAVAILABLE = "c:presence[@type='unavailable']"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


def query(inside: str, type: str = "set") -> str:
    """A request of XEP-0016."""
    return f"<iq type='{type}'><query xmlns='jabber:iq:privacy'>{inside}</query></iq>"


def blocking(inside: str, type: str = "set") -> str:
    """A request of XEP-0191; `inside` has no namespace yet."""
    end = inside.index("/" if inside.find("/") < inside.find(">") else ">")
    return f"<iq type='{type}'>{inside[:end]} xmlns='urn:xmpp:blocking'{inside[end:]}</iq>"


def jids(*addresses: str) -> str:
    """Items of XEP-0191."""
    return "".join(f"<item jid='{address}'/>" for address in addresses)


async def succeeds(client: Client, iq: str) -> Element:
    """Ask, and get a result; pushes that it causes at the asking client are taken out."""
    reply = await client.ask(iq)
    assert reply.get("type") == "result", show(reply)
    client._inbox = type(client._inbox)(each for each in client._inbox if each.get("type") != "set")
    return reply


async def fails(client: Client, iq: str) -> str:
    """Ask, and get an error: its condition."""
    reply = await client.ask(iq)
    assert reply.get("type") == "error", show(reply)
    return error_of(reply)


async def has_list(client: Client, name: str, *items: str) -> None:
    """The client makes or replaces a list."""
    await succeeds(client, query(f"<list name='{name}'>{''.join(items)}</list>"))


async def applies(client: Client, *items: str, how: str = "default") -> None:
    """The client makes a list named `test` and lets it be its default or its active one."""
    await has_list(client, "test", *items)
    await succeeds(client, query(f"<{how} name='test'/>"))


async def blocks(client: Client, *addresses: str) -> None:
    """The client blocks by XEP-0191."""
    await succeeds(client, blocking(f"<block>{jids(*addresses)}</block>"))


async def the_list(client: Client, name: str) -> str:
    """The items of a list as they came."""
    reply = await succeeds(client, query(f"<list name='{name}'/>", "get"))
    return plain(reply[0][0])


async def the_blocklist(client: Client) -> list[str | None]:
    """Who is blocked."""
    reply = await succeeds(client, blocking("<blocklist/>", "get"))
    return [item.get("jid") for item in reply[0]]


def plain(element: Element) -> str:
    """What stands inside an element, written as it came."""
    return "".join(_written(child) for child in element)


def _written(element: Element) -> str:
    name = etree.QName(element).localname
    head = "".join((f"<{name}", *(f" {key}='{value}'" for key, value in element.attrib.items())))
    return f"{head}>{plain(element)}</{name}>" if len(element) else head + "/>"


async def texts(client: Client) -> list[str | None]:
    """The bodies of all messages that have come in."""
    return [stanza.findtext("{jabber:client}body") for stanza in await client.pending()]


def chat(to: str, text: str = "hi") -> str:
    return f"<message to='{to}' type='chat'><body>{text}</body></message>"


VERSION = "<query xmlns='jabber:iq:version'/>"
