"""XEP-0016 2.1 to 2.8: privacy lists are retrieved, made, edited, chosen and removed."""

import pytest

from tests.kit.world import World, a_world

from .listed import MODULES, fails, has_list, query, succeeds, the_list, world

__all__ = ["world"]

PUBLIC = (
    "<item type='jid' value='tybalt@example.com' action='deny' order='1'/>",
    "<item action='allow' order='2'/>",
)
PRIVATE = (
    "<item type='subscription' value='both' action='allow' order='10'/>",
    "<item action='deny' order='15'/>",
)
SPECIAL = (
    "<item type='jid' value='juliet@example.com' action='allow' order='6'/>",
    "<item type='jid' value='benvolio@example.org' action='allow' order='7'/>",
    "<item type='jid' value='mercutio@example.org' action='allow' order='42'/>",
    "<item action='deny' order='666'/>",
)


async def test_the_server_announces_privacy_lists(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    for to in ("localhost", "romeo@localhost"):
        reply = await romeo.ask(f"<iq type='get' to='{to}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        assert reply.xpath("*/*[@var='jabber:iq:privacy']")
        assert reply.xpath("*/*[@var='urn:xmpp:blocking']")


async def test_a_client_retrieves_the_names_and_each_list(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    for name, items in (("public", PUBLIC), ("private", PRIVATE), ("special", SPECIAL)):
        await has_list(romeo, name, *items)
    await succeeds(romeo, query("<active name='private'/>"))
    await succeeds(romeo, query("<default name='public'/>"))
    reply = await romeo.ask(query("", "get"))
    assert [(each.tag.partition("}")[2], each.get("name")) for each in reply[0]] == [
        ("active", "private"),
        ("default", "public"),
        ("list", "public"),
        ("list", "private"),
        ("list", "special"),
    ]
    for name, items in (("public", PUBLIC), ("private", PRIVATE), ("special", SPECIAL)):
        assert await the_list(romeo, name) == "".join(items)


async def test_who_has_no_lists_is_shown_none(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    reply = await succeeds(romeo, query("", "get"))
    assert len(reply[0]) == 0


async def test_a_list_that_does_not_exist_is_item_not_found(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    assert await fails(romeo, query("<list name='The Empty Set'/>", "get")) == "item-not-found"
    await has_list(romeo, "public", *PUBLIC)
    assert await fails(romeo, query("<list name='The Empty Set'/>", "get")) == "item-not-found"
    for kind in ("active", "default", "list"):
        assert await fails(romeo, query(f"<{kind} name='The Empty Set'/>")) == "item-not-found"


async def test_only_one_list_is_retrieved_at_a_time(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "public", *PUBLIC)
    for asked in ("<list name='public'/><list name='private'/>", "<active/>", "<list/>"):
        assert await fails(romeo, query(asked, "get")) == "bad-request"


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "<list name='a'/><list name='b'/>",
        "<active/><default/>",
        "<active name='a'/><list name='a'><item action='deny' order='1'/></list>",
        "<list><item action='deny' order='1'/></list>",
        "<wish name='a'/>",
        "<list xmlns='urn:example' name='a'/>",
    ],
)
async def test_a_set_has_exactly_one_known_element(world: World, asked: str) -> None:
    romeo = await world.session("romeo/orchard")
    assert await fails(romeo, query(asked)) == "bad-request"


@pytest.mark.parametrize(
    ("items", "condition"),
    [
        ("<item action='deny' order='1'/><item action='allow' order='1'/>", "bad-request"),
        ("<item order='1'/>", "bad-request"),
        ("<item action='perhaps' order='1'/>", "bad-request"),
        ("<item action='deny'/>", "bad-request"),
        ("<item action='deny' order='-1'/>", "bad-request"),
        ("<item action='deny' order='4294967296'/>", "bad-request"),
        ("<item action='deny' order='one'/>", "bad-request"),
        ("<item type='jid' action='deny' order='1'/>", "bad-request"),
        ("<item type='mood' value='x' action='deny' order='1'/>", "bad-request"),
        ("<item type='subscription' value='some' action='deny' order='1'/>", "bad-request"),
        ("<item action='deny' order='1'><presence/></item>", "bad-request"),
        ("<item type='jid' value='a@b@c' action='deny' order='1'/>", "jid-malformed"),
        ("<item type='group' value='Enemies' action='deny' order='1'/>", "item-not-found"),
        (f"<item type='group' value='{'x' * 1024}' action='deny' order='1'/>", "not-acceptable"),
        ("".join(f"<item action='deny' order='{n}'/>" for n in range(9)), "not-acceptable"),
    ],
)
async def test_what_an_item_may_not_be(world: World, items: str, condition: str) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "a", *PUBLIC)
    assert await fails(romeo, query(f"<list name='a'>{items}</list>")) == condition
    assert (await the_list(romeo, "a")).count("tybalt") == 1, "nothing was changed"


async def test_addresses_are_prepared(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "a", "<item type='jid' value='Tybalt@EXAMPLE.com/PDA' action='deny' order='0'/>")
    assert "value='tybalt@example.com/PDA'" in await the_list(romeo, "a")


async def test_a_list_says_several_things_of_one_address(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    items = (
        "<item type='jid' value='tybalt@example.com' action='allow' order='1'><message/><iq/></item>",
        "<item type='jid' value='tybalt@example.com' action='deny' order='2'/>",
        "<item action='deny' order='3'><message/><iq/><presence-in/><presence-out/></item>",
    )
    await has_list(romeo, "a", items[1], items[2], items[0])
    assert await the_list(romeo, "a") == "".join(items)


async def test_editing_replaces_the_whole_list(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "public", *PUBLIC)
    edited = "<item type='jid' value='paris@example.org' action='deny' order='5'/><item action='allow' order='68'/>"
    await has_list(romeo, "public", edited)
    assert await the_list(romeo, "public") == edited


async def test_every_connected_resource_gets_a_push(world: World) -> None:
    orchard, home = await world.session("romeo/orchard"), await world.online("romeo/home")
    reply = await orchard.ask(query(f"<list name='public'>{''.join(PUBLIC)}</list>"))
    assert reply.get("type") == "result"
    assert len(reply) == 0
    push = "c:iq[@type='set'][@id][@to='{}'][not(@from)]/privacy:query[count(*)=1]/privacy:list[@name='public'][not(*)]"
    for client, jid in ((orchard, "romeo@localhost/orchard"), (home, "romeo@localhost/home")):
        received = await client.receives(push.format(jid) + "/../..")
        client.send(f"<iq type='result' id='{received.get('id')}'/>")
        await client.receives_nothing()


async def test_a_list_is_removed(world: World) -> None:
    orchard, home = await world.session("romeo/orchard"), await world.session("romeo/home")
    await has_list(orchard, "private", *PRIVATE)
    await home.pending()
    await succeeds(orchard, query("<list name='private'/>"))
    await home.receives("c:iq/privacy:query/privacy:list[@name='private']/../..")
    assert await fails(orchard, query("<list name='private'/>", "get")) == "item-not-found"


async def test_removing_two_lists_at_once_is_a_bad_request(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "a", *PUBLIC)
    await has_list(romeo, "b", *PUBLIC)
    assert await fails(romeo, query("<list name='a'/><list name='b'/>")) == "bad-request"


@pytest.mark.parametrize("how", ["active", "default"])
async def test_a_list_in_use_by_another_resource_is_not_removed(world: World, how: str) -> None:
    orchard, home = await world.session("romeo/orchard"), await world.session("romeo/home")
    await has_list(orchard, "a", *PUBLIC)
    await succeeds(home, query(f"<{how} name='a'/>"))
    assert await fails(orchard, query("<list name='a'/>")) == "conflict"
    await home.close()
    await world.host.house.timetable.settle()
    await succeeds(orchard, query("<list name='a'/>"))
    reply = await orchard.ask(query("", "get"))
    assert len(reply[0]) == 0


async def test_a_list_in_use_by_the_sender_alone_is_removed(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "a", *PUBLIC)
    await succeeds(romeo, query("<active name='a'/>"))
    await succeeds(romeo, query("<list name='a'/>"))
    await has_list(romeo, "a", *PUBLIC)
    for _ in range(2):
        reply = await romeo.ask(query("", "get"))
        assert not reply.xpath("*/privacy:active", namespaces={"privacy": "jabber:iq:privacy"})
        world.module("privacy").shelf.forget(romeo.jid.bare)


async def test_the_default_list_in_use_by_another_resource_is_neither_changed_nor_declined(world: World) -> None:
    orchard, home = await world.session("romeo/orchard"), await world.session("romeo/home")
    await has_list(orchard, "a", *PUBLIC)
    await has_list(orchard, "b", *PRIVATE)
    await succeeds(orchard, query("<default name='a'/>"))
    assert await fails(orchard, query("<default name='b'/>")) == "conflict"
    assert await fails(orchard, query("<default/>")) == "conflict"
    await succeeds(orchard, query("<default name='a'/>"))
    await home.pending()
    await succeeds(home, query("<active name='b'/>"))  # now the default list applies to orchard alone
    await succeeds(orchard, query("<default name='b'/>"))
    await succeeds(orchard, query("<active name='a'/>"))
    await succeeds(home, query("<active/>"))
    assert await fails(orchard, query("<default/>")) == "conflict"


async def test_lists_are_declined_where_there_are_none(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await succeeds(romeo, query("<active/>"))
    await succeeds(romeo, query("<default/>"))
    privacy = world.module("privacy")
    assert privacy.shelf.known[romeo.jid.bare] is None, "asking costs nothing later on"


async def test_lists_and_the_default_survive_logging_out(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "public", *PUBLIC)
    await has_list(romeo, "other", "<item action='deny' order='7' type='jid' value='a@b'><presence-in/></item>")
    await succeeds(romeo, query("<default name='public'/>"))
    await succeeds(romeo, query("<active name='other'/>"))
    before = [await the_list(romeo, name) for name in ("public", "other")]
    await romeo.close()
    world.module("privacy").shelf.forget(romeo.jid.bare)
    again = await world.session("romeo/orchard")
    reply = await again.ask(query("", "get"))
    assert [(each.tag.partition("}")[2], each.get("name")) for each in reply[0]] == [
        ("default", "public"),
        ("list", "other"),
        ("list", "public"),
    ], "an active list ends with its session"
    assert [await the_list(again, name) for name in ("public", "other")] == before


async def test_lists_are_their_owners_alone(world: World) -> None:
    romeo, tybalt = await world.session("romeo/orchard"), await world.session("tybalt/x")
    await has_list(romeo, "public", *PUBLIC)
    for type in ("get", "set"):
        iq = query("<list name='public'/>", type).replace("<iq ", "<iq to='romeo@localhost' ")
        assert await fails(tybalt, iq) == "forbidden"


async def test_lists_and_items_are_bounded() -> None:
    limits = {"max_lists": 2, "max_items": 3}
    async with a_world(modules=MODULES | {"privacy": limits}) as world:
        romeo = await world.session("romeo/orchard")
        await has_list(romeo, "a", "<item action='deny' order='1'/>")
        assert await fails(romeo, query(f"<list name='b'>{''.join(SPECIAL[:3])}</list>")) == "resource-constraint"
        await has_list(romeo, "b", *PUBLIC)
        await has_list(romeo, "b", *PRIVATE)
        assert await fails(romeo, query(f"<list name='c'>{PUBLIC[0]}</list>")) == "resource-constraint"
        assert await fails(romeo, query(f"<list name='{'x' * 1024}'>{PUBLIC[0]}</list>")) == "resource-constraint"
        await succeeds(romeo, query("<list name='b'/>"))
        assert await fails(romeo, query(f"<list name='{'x' * 1024}'>{PUBLIC[0]}</list>")) == "not-acceptable"


async def test_who_is_over_a_limit_that_was_lowered_can_make_a_list_shorter(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "a", *SPECIAL)
    privacy = world.module("privacy")
    privacy.options = privacy.Options(max_items=2)
    await has_list(romeo, "a", *SPECIAL[:3])
    assert await fails(romeo, query(f"<list name='a'>{''.join(SPECIAL)}</list>")) == "resource-constraint"


async def test_nothing_is_kept_of_a_session_that_has_ended(world: World) -> None:
    orchard, home = await world.session("romeo/orchard"), await world.session("romeo/home")
    await has_list(orchard, "a", *PUBLIC)
    await succeeds(orchard, query("<active name='a'/>"))
    await orchard.close()
    await home.pending()
    lists = world.module("privacy").shelf.known[home.jid.bare]
    assert not lists.active
    assert not lists.used


async def test_nothing_is_left_of_a_removed_account(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await has_list(romeo, "public", *PUBLIC)
    await world.host.remove_account(romeo.jid.bare)
    for table in ("privacy_lists", "privacy_items"):
        assert await world.host.house.storage.fetch_one(f"SELECT * FROM {table}") is None  # noqa: S608
