"""What stories about rosters, subscriptions and presence say again and again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.api import Event
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza

MODULES: dict[str, dict[str, Any]] = {"roster": {}, "presence": {}, "ping": {}}
NS = {"r": "jabber:iq:roster", "c": "jabber:client"}
GET = "<iq type='get'><query xmlns='jabber:iq:roster'/></iq>"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


class Remote:
    """Another server's domain: it keeps what is sent there, as (type, from, to)."""

    def __init__(self) -> None:
        self.came: list[tuple[str, str, str]] = []

    async def handle(self, event: Event) -> None:
        stanza = event.stanza
        self.came.append((stanza.type, str(stanza.sender), str(stanza.to)))


async def from_remote(world: World, type: str, to: str, letter: bytes = b"") -> None:
    """`bob@remote.example` sends a presence here; he answers probes and subscriptions from his bare address."""
    sender = JID.parse("bob@remote.example" if type else "bob@remote.example/desk")
    await world.server.router.send(Stanza("presence", JID.parse(to), sender, type, letter=letter))


def setting(inside: str) -> str:
    """A roster set."""
    return f"<iq type='set'><query xmlns='jabber:iq:roster'>{inside}</query></iq>"


def item(jid: str, **attributes: str) -> str:
    """A path to a push or result with this item; `ask=''` says that there is no such attribute."""
    tests = "".join(f"[@{name}='{value}']" if value else f"[not(@{name})]" for name, value in attributes.items())
    return f"c:iq[roster:query/roster:item[@jid='{jid}']{tests}]"


async def interested(client: Client) -> Client:
    """The client asks for its roster; what comes back is taken out."""
    await client.ask(GET)
    await client.pending()
    return client


async def roster(client: Client) -> dict[str, str]:
    """Contact -> subscription, with `+ask` and `+approved` behind it, as a client is shown."""
    result = await client.ask(GET)
    return {each.get("jid", ""): _words(each) for each in result.findall("r:query/r:item", NS)}


def _words(each: Element) -> str:
    ask = "+ask" if each.get("ask") == "subscribe" else ""
    return f"{each.get('subscription')}{ask}{'+approved' if each.get('approved') == 'true' else ''}"
