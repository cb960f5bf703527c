"""Privacy lists by increments: `docs/protocols/privacy_increments.md`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from tests.stories.listed import (
    MODULES,
    UNAVAILABLE,
    blocking,
    chat,
    fails,
    has_list,
    jids,
    query,
    succeeds,
    texts,
    the_blocklist,
    the_list,
)
from xmppd.xmpp.jid import JID

EXTENSION = "xmppd.extensions.privacy_increments"
FEATURE = "urn:xmppd:privacy-increments:0"
ADD = (
    "<iq type='set' id='p1'><query xmlns='jabber:iq:privacy'>\n"
    "  <add name='LOL'><item value='sum1234@pvp.example' action='deny' order='1' type='jid'/></add></query></iq>"
)
REMOVE = (
    "<iq type='set' id='p2'><query xmlns='jabber:iq:privacy'>\n"
    "  <remove name='LOL'><item value='sum1234@pvp.example'/></remove></query></iq>"
)


class Wire:
    """Both directions of a client's stream, byte for byte, put between it and its socket."""

    def __init__(self, client: Client) -> None:
        self.reader, self.writer = client.reader, client.writer
        self.sent = self.received = b""
        client.reader, client.writer = self, self  # type: ignore[assignment]

    def write(self, data: bytes) -> None:
        self.sent += data
        self.writer.write(data)

    async def read(self, size: int = -1) -> bytes:
        data = await self.reader.read(size)
        self.received += data
        return data

    def begin(self) -> None:
        """Count from here."""
        self.sent = self.received = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.writer, name)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES | {EXTENSION: {}}) as made:
        yield made


def add(name: str, *items: str) -> str:
    return query(f"<add name='{name}'>{''.join(items)}</add>")


def remove(name: str, *items: str) -> str:
    return query(f"<remove name='{name}'>{''.join(items)}</remove>")


def deny(value: str, **more: object) -> str:
    """An item as a game writes it."""
    attributes = "".join(f" {name}='{given}'" for name, given in more.items())
    return f"<item value='{value}' action='deny'{attributes}/>"


def listed(value: str, order: int, action: str = "deny") -> str:
    """An item as XEP-0016 writes it."""
    return f"<item type='jid' value='{value}' action='{action}' order='{order}'/>"


async def values(client: Client, name: str) -> list[str]:
    """The addresses of a list, in its order."""
    return [part.split("'")[0] for part in (await the_list(client, name)).split("value='")[1:]]


# The wire format


async def test_the_feature_is_announced(world: World) -> None:
    alice = await world.session("alice/phone")
    for to in ("localhost", "alice@localhost"):
        reply = await alice.ask(f"<iq type='get' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        assert reply.xpath(f"*/*[@var='{FEATURE}']")


async def test_the_examples_byte_for_byte(world: World) -> None:
    alice = await world.session("alice/phone")
    wire = Wire(alice)
    alice.send(ADD)
    await alice.receives("c:iq[@type='set']/privacy:query/privacy:add/../..")
    await alice.receives("c:iq[@id='p1'][@type='result'][not(*)]")
    assert wire.received == (
        b"<iq id='push1' type='set'><query xmlns='jabber:iq:privacy'>"
        b"<add name='LOL'><item value='sum1234@pvp.example' action='deny' order='1' type='jid'/></add></query></iq>"
        b"<iq to='alice@localhost/phone' id='p1' type='result'/>"
    )
    assert await the_list(alice, "LOL") == listed("sum1234@pvp.example", 1)
    wire.begin()
    alice.send(REMOVE)
    await alice.receives("c:iq[@type='set']/privacy:query/privacy:remove/../..")
    await alice.receives("c:iq[@id='p2'][@type='result'][not(*)]")
    assert wire.received == (
        b"<iq id='push2' type='set'><query xmlns='jabber:iq:privacy'>"
        b"<remove name='LOL'><item value='sum1234@pvp.example'/></remove></query></iq>"
        b"<iq to='alice@localhost/phone' id='p2' type='result'/>"
    )
    assert await the_list(alice, "LOL") == ""


async def filled(world: World, name: str, number: int) -> Client:
    """A session whose list LOL has so many items."""
    client = await world.session(name)
    privacy = world.module("privacy")
    await privacy.add(client.jid.bare, "LOL", privacy.denials(f"sum{n}@elsewhere.example" for n in range(number)))
    await client.pending()
    return client


async def test_one_of_ten_thousand_items_moves_under_400_bytes(world: World) -> None:
    alice = await filled(world, "alice/phone", 10_000)
    wire = Wire(alice)
    for request in (ADD, REMOVE):
        wire.begin()
        alice.send(request)
        await alice.receives("c:iq[@type='set']/privacy:query/..")
        await alice.receives("c:iq[@type='result']")
        assert len(wire.sent) + len(wire.received) < 400, wire.received


# Adding


async def test_adding_makes_the_list_and_keeps_what_is_there(world: World) -> None:
    alice = await world.session("alice/phone")
    await succeeds(alice, add("LOL", deny("a@x", type="jid", order=1)))
    await succeeds(alice, add("LOL", deny("b@x", type="jid", order=2), deny("c@x", type="jid", order=3)))
    assert await values(alice, "LOL") == ["a@x", "b@x", "c@x"]


async def test_adding_what_is_there_replaces_its_action_order_and_kinds(world: World) -> None:
    alice = await world.session("alice/phone")
    await has_list(alice, "LOL", listed("a@x", 1), listed("b@x", 5))
    await succeeds(alice, add("LOL", "<item value='A@x' action='allow' order='7' type='jid'><message/></item>"))
    assert await the_list(alice, "LOL") == (
        "<item type='jid' value='b@x' action='deny' order='5'/>"
        "<item type='jid' value='a@x' action='allow' order='7'><message/></item>"
    )
    rows = await world.host.house.storage.fetch("SELECT value FROM privacy_items")
    assert len(rows) == 2


async def test_without_an_order_an_item_goes_last(world: World) -> None:
    alice = await world.session("alice/phone")
    await has_list(alice, "LOL", listed("a@x", 6), listed("b@x", 4294967294))
    for value in ("c@x", "d@x", "e@x"):
        await succeeds(alice, add("LOL", deny(value)))
    assert await values(alice, "LOL") == ["a@x", "b@x", "c@x", "d@x", "e@x"]
    await succeeds(alice, add("LOL", deny("a@x")))
    assert await values(alice, "LOL") == ["b@x", "c@x", "d@x", "e@x", "a@x"]


async def test_equal_orders_stand_in_the_order_of_adding_and_are_numbered_anew(world: World) -> None:
    alice = await world.session("alice/phone")
    for value in ("c@x", "a@x", "b@x"):
        await succeeds(alice, add("LOL", deny(value, order=1, type="jid")))
    expected = listed("c@x", 1) + listed("a@x", 2) + listed("b@x", 3)
    assert await the_list(alice, "LOL") == expected
    world.module("privacy").shelf.forget(alice.jid.bare)
    assert await the_list(alice, "LOL") == expected, "and so they stand in the database"


async def test_of_two_equal_orders_the_earlier_decides(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/x")
    await succeeds(alice, add("LOL", "<item value='bob@localhost' action='allow' order='1'/>"))
    await succeeds(alice, add("LOL", "<item action='deny' order='1'/>"))
    await succeeds(alice, query("<active name='LOL'/>"))
    bob.send(chat("alice@localhost"))
    await alice.receives("c:message")


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ("", "bad-request"),
        ("<item value='a@x'/>", "bad-request"),
        ("<item value='a@x' action='deny' order='x'/>", "bad-request"),
        ("<item type='group' action='deny'/>", "bad-request"),
        ("<item value='a@b@c' action='deny'/>", "jid-malformed"),
        ("<item type='group' value='Unknown' action='deny'/>", "item-not-found"),
    ],
)
async def test_a_wrong_item_changes_nothing(world: World, item: str, condition: str) -> None:
    alice = await world.session("alice/phone")
    inside = deny("b@x") + item if item else ""
    assert await fails(alice, add("LOL", inside)) == condition
    assert await fails(alice, query("<list name='LOL'/>", "get")) == "item-not-found"


async def test_the_list_needs_a_name(world: World) -> None:
    alice = await world.session("alice/phone")
    assert await fails(alice, query(f"<add>{deny('a@x')}</add>")) == "bad-request"
    assert await fails(alice, query(f"<remove>{deny('a@x')}</remove>")) == "bad-request"


async def test_the_limits_of_the_lists_hold() -> None:
    modules = MODULES | {EXTENSION: {}, "privacy": {"max_lists": 1, "max_items": 2}}
    async with a_world(modules=modules) as world:
        alice = await world.session("alice/phone")
        await succeeds(alice, add("LOL", deny("a@x")))
        assert await fails(alice, add("LOL", deny("b@x"), deny("c@x"))) == "resource-constraint"
        assert await fails(alice, add("more", deny("b@x"))) == "resource-constraint"
        await succeeds(alice, add("LOL", deny("a@x"), deny("b@x")))
        assert await values(alice, "LOL") == ["a@x", "b@x"]


# Removing


async def test_items_are_removed_by_value_and_type(world: World) -> None:
    alice = await world.session("alice/phone")
    none = "<item type='subscription' value='none' action='deny' order='2'/>"
    await has_list(alice, "LOL", listed("a@x", 1), none, "<item action='deny' order='3'/>", listed("b@x", 4))
    await succeeds(alice, remove("LOL", "<item value='A@x'/>", "<item type='subscription' value='none'/>", "<item/>"))
    assert await the_list(alice, "LOL") == listed("b@x", 4)


async def test_what_is_removed_is_all_that_was_said_of_it(world: World) -> None:
    alice = await world.session("alice/phone")
    await has_list(alice, "LOL", listed("a@x", 1)[:-2] + "><message/></item>", listed("a@x", 2), listed("b@x", 3))
    await succeeds(alice, remove("LOL", "<item value='a@x'/>"))
    assert await the_list(alice, "LOL") == listed("b@x", 3)


@pytest.mark.parametrize(
    "items",
    [
        ("<item value='a@x'/>", "<item value='c@x'/>"),
        ("<item value='a@x'/>", "<item value='a@x'/>"),
        ("<item value='a@x'/>", "<item/>"),
        ("<item value='none' type='subscription'/>",),
    ],
)
async def test_an_item_that_is_not_there_changes_nothing(world: World, items: tuple[str, ...]) -> None:
    alice, other = await world.session("alice/phone"), await world.session("alice/desk")
    await has_list(alice, "LOL", listed("a@x", 1), listed("b@x", 2))
    await other.pending()
    assert await fails(alice, remove("LOL", *items)) == "item-not-found"
    assert await values(alice, "LOL") == ["a@x", "b@x"]
    await other.receives_nothing()


async def test_removing_from_a_list_that_is_not_there(world: World) -> None:
    alice = await world.session("alice/phone")
    assert await fails(alice, remove("LOL", "<item value='a@x'/>")) == "item-not-found"
    assert await fails(alice, remove("LOL")) == "bad-request"


# Pushes


async def test_who_has_used_an_increment_is_pushed_increments_and_others_the_name(world: World) -> None:
    phone, desk, old = [await world.online(f"alice/{resource}") for resource in ("phone", "desk", "old")]
    await succeeds(phone, add("LOL", deny("a@x")))
    assert await fails(desk, remove("LOL", "<item value='never@x'/>")) == "item-not-found"
    for client in (phone, desk, old):
        await client.pending()
    await succeeds(phone, add("LOL", "<item value='b@x' action='deny' order='1'><iq/></item>"))
    await desk.receives(
        "c:iq[@type='set']/privacy:query[count(*)=1]/privacy:add[@name='LOL'][count(*)=1]"
        "/privacy:item[@type='jid'][@value='b@x'][@action='deny'][@order='1']/privacy:iq/../../../.."
    )
    await old.receives("c:iq[@type='set']/privacy:query[count(*)=1]/privacy:list[@name='LOL'][not(*)]/../..")
    await succeeds(phone, remove("LOL", "<item value='b@x'/>"))
    await desk.receives("c:iq/privacy:query/privacy:remove[@name='LOL']/privacy:item[@value='b@x']/../../..")
    await old.receives("c:iq/privacy:query/privacy:list[@name='LOL']/../..")
    await has_list(old, "LOL", listed("c@x", 1))
    await desk.receives("c:iq/privacy:query/privacy:list[@name='LOL']/../..")
    for client in (phone, desk, old):
        client.send("<presence/>")
        await client.pending()


async def test_a_new_session_is_told_by_name_again(world: World) -> None:
    phone, desk = await world.session("alice/phone"), await world.session("alice/desk")
    await succeeds(phone, add("LOL", deny("a@x")))
    await phone.close()
    again = await world.session("alice/phone")
    await succeeds(desk, add("LOL", deny("b@x")))
    await again.receives("c:iq/privacy:query/privacy:list/../..")


async def test_what_is_blocked_is_pushed_as_an_increment(world: World) -> None:
    alice = await world.session("alice/phone")
    await succeeds(alice, add("LOL", deny("a@x")))
    await succeeds(alice, query("<default name='LOL'/>"))
    await alice.ask(blocking(f"<block>{jids('b@x')}</block>"))
    await alice.receives("c:iq/privacy:query/privacy:add[@name='LOL']/privacy:item[@value='b@x'][@order='0']/../../..")


# What increments do


async def test_an_increment_to_a_list_in_force_counts_at_once(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/x")
    await world.friends(alice, bob)
    await succeeds(alice, add("LOL", deny("nobody@localhost")))
    await succeeds(alice, query("<active name='LOL'/>"))
    await succeeds(alice, add("LOL", deny("bob@localhost", type="jid", order=1)))
    await bob.receives(f"{UNAVAILABLE}[@from='alice@localhost/phone']")
    await alice.pending()
    bob.send(chat("alice@localhost"))
    await bob.receives_error("service-unavailable")
    await succeeds(alice, remove("LOL", "<item value='bob@localhost'/>"))
    await bob.receives("c:presence[@from='alice@localhost/phone'][not(@type)]")
    bob.send(chat("alice@localhost"))
    await bob.ping()
    assert "hi" in await texts(alice)


async def test_increments_and_blocking_write_the_same_store(world: World) -> None:
    alice = await world.session("alice/phone")
    await the_blocklist(alice)
    await succeeds(alice, add("LOL", deny("a@x")))
    await succeeds(alice, query("<default name='LOL'/>"))
    await succeeds(alice, blocking(f"<block>{jids('b@x')}</block>"))
    assert await the_blocklist(alice) == ["b@x", "a@x"]
    await alice.ask(remove("LOL", "<item value='b@x'/>"))
    await alice.receives("c:iq/privacy:query/privacy:remove/../..")
    await alice.receives("c:iq/blocking:unblock/blocking:item[@jid='b@x']/../..")
    await succeeds(alice, blocking(f"<unblock>{jids('a@x')}</unblock>"))
    assert await values(alice, "LOL") == []


async def test_without_the_extension_there_are_no_such_verbs(world: World) -> None:
    alice = await world.session("alice/phone")
    await world.server._loaders["localhost"].unload(EXTENSION)
    assert await fails(alice, add("LOL", deny("a@x"))) == "bad-request"
    await has_list(alice, "LOL", listed("a@x", 1))
    assert world.module("privacy").pushes.tellers == []


async def test_an_increment_writes_the_rows_it_is_about_and_no_others(world: World) -> None:
    alice = await filled(world, "alice/phone", 1000)
    storage = world.host.house.storage
    before = await storage.fetch("SELECT value, sequence, place FROM privacy_items ORDER BY value")
    await succeeds(alice, add("LOL", deny("new@x", order=1)))
    await succeeds(alice, remove("LOL", "<item value='sum7@elsewhere.example'/>"))
    after = await storage.fetch("SELECT value, sequence, place FROM privacy_items ORDER BY value")
    changed = {row[0] for row in set(before) ^ set(after)}
    assert changed == {"new@x", "sum7@elsewhere.example"}
    assert JID.parse("alice@localhost") in world.module("privacy").shelf.known
