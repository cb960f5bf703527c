"""What is said in a room is looked at once for all who hear it, by handlers that care for nothing but the letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.kit.world import World
from xmppd.api import FILTER, SHARED, STAMP, STOP, Event, Verdict
from xmppd.xmpp.errors import StanzaError

from .coven import ROOM, bodies, say, world
from .test_speak import Trio, gather, trio

__all__ = ["trio", "world"]

SID = "{urn:xmpp:sid:0}stanza-id"


async def test_a_handler_of_what_is_shared_is_asked_once(trio: Trio) -> None:
    seen: list[object] = []
    trio.world.host.hooks.account_receive.add(lambda event: seen.append(event.stanza.to), FILTER, (SHARED,))
    trio.hag.send(say("hi"))
    for client in trio.everybody:
        assert bodies(await client.pending()) == ["hi"]
    assert seen == [None]


async def test_what_it_changes_is_changed_for_all(trio: Trio) -> None:
    def add(event: Event) -> None:
        event.stanza = event.stanza.with_child("<seen xmlns='urn:x'/>", "urn:x seen")

    trio.world.host.hooks.account_receive.add(add, STAMP, (SHARED,))
    trio.hag.send(say("hi"))
    for client in trio.everybody:
        await client.receives("c:message[*[local-name()='seen']]")


def stops(event: Event) -> Verdict:
    return STOP


def refuses(event: Event) -> Verdict:
    raise StanzaError("policy-violation")


async def stops_later(event: Event) -> Verdict:
    await asyncio.sleep(0)
    return STOP


@pytest.mark.parametrize("handler", [stops, refuses, stops_later])
async def test_who_takes_it_takes_it_from_all_and_nobody_leaves_the_room(
    trio: Trio, handler: Callable[[Event], Verdict]
) -> None:
    chain = trio.world.host.hooks.account_receive
    chain.add(handler, FILTER, (SHARED,))
    trio.hag.send(say("lost"))
    await trio.hag.ping()
    chain.remove(handler)
    trio.hag.send(say("heard"))
    for client in trio.everybody:
        assert bodies(await client.pending()) == ["heard"]


async def test_a_direct_message_is_not_shared(trio: Trio) -> None:
    seen: list[Event] = []
    trio.world.host.hooks.account_receive.add(seen.append, FILTER, (SHARED,))
    trio.hag.send(f"<message to='{trio.wicca.jid}' type='chat'><body>hi</body></message>")
    await trio.hag.ping()
    assert bodies(await trio.wicca.pending()) == ["hi"]
    assert seen == []


async def test_no_occupant_writes_in_the_name_of_somebodys_archive(world: World) -> None:
    """XEP-0359 4: what is said in a room comes from no account's archive."""
    trio = await gather(world)
    forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{trio.wicca.jid.bare}' id='forged'/>"
    far = "<stanza-id xmlns='urn:xmpp:sid:0' by='room@elsewhere.example' id='theirs'/>"
    trio.hag.send(say(f"hi</body>{forged}{far}<body xml:lang='de'>hallo"))
    for client in trio.everybody:
        (message,) = await client.pending()
        assert [stamp.get("by") for stamp in message.findall(SID)] == ["room@elsewhere.example", ROOM]
