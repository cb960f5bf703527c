"""XEP-0191: Blocking Command."""

import pytest

from tests.kit.world import World

from .listed import (
    UNAVAILABLE,
    VERSION,
    blocking,
    blocks,
    chat,
    fails,
    has_list,
    jids,
    query,
    succeeds,
    the_blocklist,
    the_list,
    world,
)

__all__ = ["world"]


async def test_nobody_is_blocked_at_first(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    reply = await succeeds(juliet, blocking("<blocklist/>", "get"))
    assert reply[0].tag == "{urn:xmpp:blocking}blocklist"
    assert len(reply[0]) == 0


async def test_a_blocklist_has_an_item_for_each_blocked_address(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    reply = await juliet.ask(blocking(f"<block>{jids('romeo@montague.net', 'iago@shakespeare.lit')}</block>"))
    assert (reply.get("type"), len(reply)) == ("result", 0)
    assert await the_blocklist(juliet) == ["romeo@montague.net", "iago@shakespeare.lit"]


async def test_addresses_are_prepared(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    await blocks(juliet, "Romeo@MONTAGUE.net")
    assert await the_blocklist(juliet) == ["romeo@montague.net"]
    assert await fails(juliet, blocking("<block><item jid='a@b@c'/></block>")) == "jid-malformed"
    assert await fails(juliet, blocking("<block><item/></block>")) == "jid-malformed"


async def test_blocking_nobody_is_a_bad_request(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    assert await fails(juliet, blocking("<block/>")) == "bad-request"


async def test_resources_that_asked_for_the_list_get_pushes_and_no_others(world: World) -> None:
    chamber, balcony = await world.session("juliet/chamber"), await world.session("juliet/balcony")
    await the_blocklist(chamber)
    await chamber.ask(blocking(f"<block>{jids('romeo@montague.net', 'a@b')}</block>"))
    push = (
        "c:iq[@type='set'][@to='juliet@localhost/chamber']/blocking:{}[count(*)=2]"
        "[blocking:item/@jid='romeo@montague.net'][blocking:item/@jid='a@b']/.."
    )
    await chamber.receives("c:iq/privacy:query/..")  # XEP-0016's push goes to all
    await chamber.receives(push.format("block"))
    await balcony.receives("c:iq/privacy:query/..")
    await balcony.receives_nothing()
    await balcony.ask(blocking(f"<unblock>{jids('romeo@montague.net', 'a@b')}</unblock>"))
    await chamber.receives("c:iq/privacy:query/..")
    await chamber.receives(push.format("unblock"))


@pytest.mark.parametrize("number", [1, 3])
async def test_unblocking_all_is_pushed_as_such(world: World, number: int) -> None:
    juliet = await world.session("juliet/chamber")
    await the_blocklist(juliet)
    await blocks(juliet, *(f"romeo@{n}.net" for n in range(number)))
    await juliet.pending()
    reply = await juliet.ask(blocking("<unblock/>"))
    assert reply.get("type") == "result"
    await juliet.receives("c:iq/privacy:query/..")
    await juliet.receives("c:iq[@type='set']/blocking:unblock[not(*)]/..")
    assert await the_blocklist(juliet) == []


async def test_unblocking_those_who_are_not_blocked_changes_nothing(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    await succeeds(juliet, blocking("<unblock/>"))
    await succeeds(juliet, blocking(f"<unblock>{jids('romeo@montague.net')}</unblock>"))
    await blocks(juliet, "romeo@montague.net")
    await succeeds(juliet, blocking(f"<unblock>{jids('iago@shakespeare.lit')}</unblock>"))
    assert await the_blocklist(juliet) == ["romeo@montague.net"]
    await juliet.receives_nothing()


async def test_a_blocked_address_reaches_the_user_no_more_until_it_is_unblocked(world: World) -> None:
    juliet, romeo = await world.online("juliet/chamber"), await world.online("romeo/orchard")
    await blocks(juliet, "romeo@localhost")
    romeo.send(chat("juliet@localhost", "blocked"))
    await romeo.receives_error("service-unavailable")
    assert await fails(romeo, f"<iq type='get' to='juliet@localhost/chamber'>{VERSION}</iq>") == "service-unavailable"
    await juliet.receives_nothing()
    await succeeds(juliet, blocking(f"<unblock>{jids('romeo@localhost')}</unblock>"))
    romeo.send(chat("juliet@localhost", "unblocked"))
    await juliet.receives("c:message[c:body='unblocked']")


async def test_the_block_lasts_across_sessions(world: World) -> None:
    juliet, romeo = await world.online("juliet/chamber"), await world.online("romeo/orchard")
    await blocks(juliet, "romeo@localhost")
    await juliet.close()
    world.module("privacy").shelf.forget(juliet.jid.bare)
    romeo.send(chat("juliet@localhost"))
    await romeo.receives_error("service-unavailable")
    again = await world.online("juliet/chamber")
    assert await the_blocklist(again) == ["romeo@localhost"]
    await again.receives_nothing()


async def test_who_is_blocked_sees_the_user_go_and_who_is_unblocked_sees_her_come(world: World) -> None:
    juliet, romeo = await world.online("juliet/chamber"), await world.online("romeo/orchard")
    await world.friends(juliet, romeo)
    await blocks(juliet, "romeo@localhost")
    await romeo.receives(f"{UNAVAILABLE}[@from='juliet@localhost/chamber'][@to='romeo@localhost']")
    await juliet.receives(f"{UNAVAILABLE}[@from='romeo@localhost/orchard']")
    juliet.send("<presence><show>away</show></presence>")
    await juliet.pending()
    await romeo.receives_nothing()
    await succeeds(juliet, blocking(f"<unblock>{jids('romeo@localhost')}</unblock>"))
    await romeo.receives("c:presence[@from='juliet@localhost/chamber'][c:show='away']")
    await juliet.receives("c:presence[@from='romeo@localhost/orchard'][not(@type)]")


async def test_one_resource_of_a_friend_is_blocked(world: World) -> None:
    juliet, romeo = await world.online("juliet/chamber"), await world.online("romeo/orchard")
    home = await world.online("romeo/home")
    await world.friends(juliet, romeo)
    await home.pending()
    await blocks(juliet, "romeo@localhost/orchard")
    await romeo.receives(f"{UNAVAILABLE}[@to='romeo@localhost/orchard']")
    await home.receives_nothing()
    await juliet.receives(f"{UNAVAILABLE}[@from='romeo@localhost/orchard']")
    await juliet.receives_nothing()
    home.send(chat("juliet@localhost"))
    await juliet.receives("c:message")


async def test_what_the_user_sends_to_a_blocked_address_is_not_acceptable(world: World) -> None:
    juliet, romeo = await world.online("juliet/chamber"), await world.online("romeo/orchard")
    await blocks(juliet, "romeo@localhost")
    juliet.send(chat("romeo@localhost", "Can you hear me now?"))
    error = await juliet.receives_error("not-acceptable")
    assert error.xpath("*[@type='cancel']/*[namespace-uri()='urn:xmpp:blocking:errors'][local-name()='blocked']")
    await romeo.receives_nothing()


async def test_a_blocklist_is_its_owners_alone(world: World) -> None:
    romeo = await world.session("romeo/orchard")
    await world.account("juliet")
    for request in (
        blocking("<blocklist/>", "get"),
        blocking("<unblock/>"),
        blocking(f"<block>{jids('a@b')}</block>"),
    ):
        assert await fails(romeo, request.replace("<iq ", "<iq to='juliet@localhost' ")) == "forbidden"


# 5: the same store as privacy lists


async def test_a_blocked_address_is_a_deny_in_the_default_list_before_all_others(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    await has_list(
        juliet,
        "mine",
        "<item type='subscription' value='both' action='allow' order='0'/>",
        "<item type='jid' value='iago@shakespeare.lit' action='deny' order='3'/>",
    )
    await succeeds(juliet, query("<default name='mine'/>"))
    await blocks(juliet, "romeo@montague.net")
    assert await the_list(juliet, "mine") == (
        "<item type='jid' value='romeo@montague.net' action='deny' order='1'/>"
        "<item type='subscription' value='both' action='allow' order='2'/>"
        "<item type='jid' value='iago@shakespeare.lit' action='deny' order='3'/>"
    )
    assert await the_blocklist(juliet) == ["romeo@montague.net", "iago@shakespeare.lit"]


async def test_who_has_no_default_list_is_given_one(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    await has_list(juliet, "blocked", "<item action='deny' order='1'/>")
    await blocks(juliet, "romeo@montague.net")
    reply = await juliet.ask(query("", "get"))
    assert [(each.tag.partition("}")[2], each.get("name")) for each in reply[0]] == [
        ("default", "blocked 2"),
        ("list", "blocked"),
        ("list", "blocked 2"),
    ]


async def test_an_edit_of_the_default_list_is_seen_in_the_blocklist(world: World) -> None:
    chamber, balcony = await world.session("juliet/chamber"), await world.session("juliet/balcony")
    await blocks(chamber, "romeo@montague.net", "iago@shakespeare.lit")
    await the_blocklist(balcony)
    await balcony.pending()
    await has_list(
        chamber,
        "blocked",
        "<item type='jid' value='iago@shakespeare.lit' action='deny' order='1'/>",
        "<item type='jid' value='paris@example.org' action='deny' order='2'/>",
        "<item type='jid' value='nurse@example.org' action='deny' order='3'><message/></item>",
        "<item type='jid' value='friar@example.org' action='allow' order='4'/>",
        "<item action='deny' order='5'><iq/></item>",
    )
    assert await the_blocklist(chamber) == ["iago@shakespeare.lit", "paris@example.org"]
    await balcony.receives("c:iq/privacy:query/..")
    await balcony.receives("c:iq/blocking:unblock[count(*)=1]/blocking:item[@jid='romeo@montague.net']/../..")
    await balcony.receives("c:iq/blocking:block[count(*)=1]/blocking:item[@jid='paris@example.org']/../..")


async def test_another_default_list_is_another_blocklist(world: World) -> None:
    juliet = await world.session("juliet/chamber")
    await blocks(juliet, "romeo@montague.net")
    await has_list(juliet, "new", "<item type='jid' value='paris@example.org' action='deny' order='2'/>")
    await succeeds(juliet, query("<default name='new'/>"))
    assert await the_blocklist(juliet) == ["paris@example.org"]
    await succeeds(juliet, query("<default/>"))
    assert await the_blocklist(juliet) == []
