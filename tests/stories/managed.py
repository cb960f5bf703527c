"""Clients that speak XEP-0198, for stories."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.kit.client import Client, show
from tests.kit.world import World
from xmppd.xmpp.stanza import Element

SM = "urn:xmpp:sm:3"


def tag(name: str) -> str:
    return f"{{{SM}}}{name}"


async def enable(client: Client, attributes: str = "resume='true'") -> Element:
    """Switch stream management on; the `<enabled/>` that comes back."""
    client.send(f"<enable xmlns='{SM}' {attributes}/>")
    answer = await client.receive()
    assert answer.tag == tag("enabled"), show(answer)
    return answer


async def managed(world: World, address: str, attributes: str = "resume='true'") -> tuple[Client, str]:
    """Somebody who is online with stream management, and the id of the session."""
    client = await world.online(address)
    return client, (await enable(client, attributes)).get("id") or ""


async def returning(world: World, name: str) -> Client:
    """A new connection of the same account, logged in and not bound."""
    client = await world.dial()
    await client.open()
    await client.login(name, name)
    return client


async def resume(client: Client, id: str, h: int = 0) -> Element:
    """Ask for a former session; what is answered."""
    client.send(f"<resume xmlns='{SM}' previd='{id}' h='{h}'/>")
    return await client.receive()


async def handled(client: Client) -> int:
    """What the server says it has handled."""
    client.send(f"<r xmlns='{SM}'/>")
    while (answer := await client.receive()).tag != tag("a"):
        assert answer.tag == tag("r") or answer.tag.startswith("{jabber:client}"), show(answer)
    return int(answer.get("h") or "")


def heard_nothing(client: Client) -> bool:
    """Whether nothing has come in up to now; that somebody else's ping is answered shows that it would have."""
    return not client._inbox and not client.reader._buffer  # type: ignore[attr-defined]


def acknowledge(client: Client, h: int) -> None:
    client.send(f"<a xmlns='{SM}' h='{h}'/>")


async def vanish(world: World, client: Client) -> None:
    """The connection breaks, and the server knows."""
    session = world.host.sessions.find(client.jid)
    assert session is not None
    client.writer.transport.abort()
    while not session.detached and session in world.host.sessions.of(client.jid.bare):
        await turn()


async def turn() -> None:
    """One turn of the loop."""
    await asyncio.sleep(0)


async def bodies(client: Client, *wanted: str) -> list[Any]:
    """The next messages, which have these bodies; requests for acknowledgement in between are passed over."""
    got: list[Any] = []
    while len(got) < len(wanted):
        element = await client.receive()
        if element.tag == tag("r"):
            continue
        got.append(element)
    assert [each.findtext("{jabber:client}body") for each in got] == list(wanted), [show(each) for each in got]
    return got
