"""XEP-0016 2.1, 2.2, 2.9, 2.12, 2.13, 2.14: what lists hold back, whom they are about, and what the other side sees."""

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world

from .listed import (
    MODULES,
    VERSION,
    applies,
    blocks,
    chat,
    fails,
    has_list,
    query,
    succeeds,
    texts,
    world,
)

__all__ = ["world"]

DENY_ALL = "<item action='deny' order='9'/>"


def jid(value: str, action: str = "deny", order: int = 1, inside: str = "") -> str:
    return f"<item type='jid' value='{value}' action='{action}' order='{order}'>{inside}</item>"


async def puts_into(client: Client, contact: str, group: str) -> None:
    roster = f"<query xmlns='jabber:iq:roster'><item jid='{contact}'><group>{group}</group></item></query>"
    await succeeds(client, f"<iq type='set'>{roster}</iq>")


# The four kinds (2.9 to 2.13)


@pytest.mark.parametrize(
    ("kind", "message", "presence", "iq"),
    [
        ("<message/>", False, True, True),
        ("<presence-in/>", True, False, True),
        ("<iq/>", True, True, False),
        ("<presence-out/>", True, True, True),
        ("<message/><presence-in/>", False, False, True),
        ("", False, False, False),
    ],
)
@pytest.mark.parametrize("how", ["default", "active"])
async def test_an_item_blocks_its_kinds_alone(
    world: World, how: str, kind: str, message: bool, presence: bool, iq: bool
) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("tybalt@localhost", inside=kind), how=how)
    await romeo.pending()
    tybalt.send("<presence to='romeo@localhost/orchard'/>" + chat("romeo@localhost"))
    tybalt.send(f"<iq type='get' id='v' to='romeo@localhost/orchard'>{VERSION}</iq>")
    await tybalt.ping()
    came = {stanza.tag.partition("}")[2] for stanza in await romeo.pending()}
    wanted = {("message", message), ("presence", presence), ("iq", iq)}
    assert came == {name for name, passes in wanted if passes}


# What the blocked one sees (2.14)


async def test_a_blocked_message_is_answered_as_if_nobody_were_there(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("tybalt@localhost"))
    for to in ("romeo@localhost", "romeo@localhost/orchard"):
        tybalt.send(chat(to))
        await tybalt.receives_error("service-unavailable")
    await romeo.receives_nothing()


async def test_a_blocked_request_is_answered_and_a_blocked_answer_is_dropped(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("tybalt@localhost"))
    for to in ("romeo@localhost", "romeo@localhost/orchard"):
        for type in ("get", "set"):
            iq = f"<iq type='{type}' to='{to}'>{VERSION}</iq>"
            assert await fails(tybalt, iq) == "service-unavailable"
    for type in ("result", "error"):
        tybalt.send(f"<iq type='{type}' id='probing1' to='romeo@localhost/orchard'/>")
        await tybalt.receives_nothing()
    await romeo.receives_nothing()


@pytest.mark.parametrize("type", ["", "unavailable", "subscribe", "unsubscribe", "probe"])
async def test_blocked_presence_is_dropped_without_an_answer(world: World, type: str) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await world.friends(romeo, tybalt)
    await applies(romeo, jid("tybalt@localhost"))
    await tybalt.pending()
    await romeo.pending()
    tybalt.send(f"<presence to='romeo@localhost' type='{type}'/>" if type else "<presence to='romeo@localhost'/>")
    await tybalt.ping()
    assert [each for each in await tybalt.pending() if not each.get("from", "").startswith("tybalt")] == []
    await romeo.receives_nothing()


async def test_words_of_a_blocked_rooms_occupant_are_dropped_so_that_the_room_stays(world: World) -> None:
    romeo, room = await world.online("romeo/orchard"), await world.online("room/tybalt")
    await applies(romeo, jid("room@localhost/tybalt"))
    room.send("<message type='groupchat' to='romeo@localhost/orchard'><body>ho</body></message>")
    await room.receives_nothing()
    await romeo.receives_nothing()


async def test_the_account_too_is_hidden_from_requests(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await world.friends(romeo, tybalt)
    info = "<iq type='get' to='romeo@localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    await succeeds(tybalt, info)
    await blocks(romeo, "tybalt@localhost")
    assert await fails(tybalt, info) == "service-unavailable"


async def test_a_subscription_request_that_came_before_is_not_delivered(world: World) -> None:
    romeo, tybalt = await world.session("romeo/orchard"), await world.online("tybalt/pda")
    tybalt.send("<presence to='romeo@localhost' type='subscribe'/>")
    await tybalt.ping()
    await blocks(romeo, "tybalt@localhost")
    romeo.send("<presence/>")
    await romeo.receives("c:presence[@from='romeo@localhost/orchard']")
    await romeo.receives_nothing()


# What the owner may send (2.13, 2.14)


async def test_what_is_sent_to_a_blocked_address_is_not_acceptable(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("tybalt@localhost"))
    stanzas = (
        chat("tybalt@localhost"),
        "<presence to='tybalt@localhost'/>",
        "<presence to='tybalt@localhost' type='subscribe'/>",
        f"<iq type='get' id='x' to='tybalt@localhost/pda'>{VERSION}</iq>",
    )
    for stanza in stanzas:
        romeo.send(stanza)
        error = await romeo.receives_error("not-acceptable")
        assert error.xpath("*[@type='cancel']/*[local-name()='blocked']"), "XEP-0191 3.3"
        assert error.get("from", "").startswith("tybalt@localhost")
    await tybalt.receives_nothing()


@pytest.mark.parametrize("kind", ["<message/>", "<iq/>", "<presence-in/>"])
async def test_what_blocks_incoming_stanzas_alone_lets_the_owner_send(world: World, kind: str) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("tybalt@localhost", inside=kind))
    romeo.send(chat("tybalt@localhost") + "<presence to='tybalt@localhost'/>")
    await tybalt.receives("c:message")
    await tybalt.receives("c:presence")


# Whom an item is about (2.1)


@pytest.mark.parametrize(
    ("value", "matches"),
    [
        ("tybalt@localhost/pda", True),
        ("tybalt@localhost/desk", False),
        ("tybalt@localhost", True),
        ("mercutio@localhost", False),
        ("localhost", True),
        ("localhost/pda", False),
        ("example.com", False),
    ],
)
async def test_addresses_match_from_the_narrow_to_the_wide(world: World, value: str, matches: bool) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid(value))
    tybalt.send(chat("romeo@localhost"))
    await tybalt.ping()
    assert await texts(romeo) == ([] if matches else ["hi"])


@pytest.mark.parametrize("value", ["none", "to", "from", "both"])
async def test_a_subscription_matches_exactly(world: World, value: str) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, f"<item type='subscription' value='{value}' action='deny' order='1'><message/></item>")
    for subscription in ("none", "to", "from", "both"):
        rosters = world.module("roster")
        await rosters.set_item(romeo.jid.bare, tybalt.jid.bare, "", (), subscription)
        await romeo.pending()
        await tybalt.pending()
        tybalt.send(chat("romeo@localhost"))
        await tybalt.ping()
        assert await texts(romeo) == ([] if subscription == value else ["hi"]), subscription
        await tybalt.pending()


async def test_none_are_also_those_who_are_in_no_roster(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, "<item type='subscription' value='none' action='deny' order='437'/>")
    tybalt.send(chat("romeo@localhost"))
    await tybalt.receives_error("service-unavailable")


async def test_a_group_matches_its_contacts_as_they_are_now(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await puts_into(romeo, "tybalt@localhost", "Enemies")
    await applies(romeo, "<item type='group' value='Enemies' action='deny' order='4'/>")
    tybalt.send(chat("romeo@localhost", "as enemy"))
    await tybalt.receives_error("service-unavailable")
    await puts_into(romeo, "tybalt@localhost", "Friends")
    tybalt.send(chat("romeo@localhost", "as friend"))
    await tybalt.ping()
    assert await texts(romeo) == ["as friend"]
    await puts_into(romeo, "tybalt@localhost", "Enemies")
    tybalt.send(chat("romeo@localhost", "as enemy"))
    await tybalt.receives_error("service-unavailable")


async def test_groups_and_subscriptions_count_for_those_who_are_away(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await puts_into(romeo, "tybalt@localhost", "Enemies")
    await applies(romeo, "<item type='group' value='Enemies' action='deny' order='4'/>")
    await romeo.close()
    world.module("privacy").shelf.forget(romeo.jid.bare)
    world.module("roster").book.forget(romeo.jid.bare)
    for _ in range(2):
        tybalt.send(chat("romeo@localhost"))
        await tybalt.receives_error("service-unavailable")


# Order (2.2)


@pytest.mark.parametrize("allowed_first", [True, False])
async def test_items_are_processed_in_their_order_and_the_first_decides(world: World, allowed_first: bool) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    orders = (6, 666) if allowed_first else (666, 6)
    allowed = jid("tybalt@localhost", "allow", orders[0])
    await applies(romeo, f"<item action='deny' order='{orders[1]}'/>", allowed)
    tybalt.send(chat("romeo@localhost"))
    await tybalt.ping()
    assert await texts(romeo) == (["hi"] if allowed_first else [])


async def test_an_item_about_another_kind_is_passed_over(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(
        romeo,
        jid("tybalt@localhost", "allow", 1, "<iq/>"),
        jid("tybalt@localhost", "deny", 2),
        jid("tybalt@localhost", "allow", 3, "<message/>"),
    )
    tybalt.send(chat("romeo@localhost"))
    await tybalt.receives_error("service-unavailable")
    tybalt.send(f"<iq type='get' id='v' to='romeo@localhost/orchard'>{VERSION}</iq>")
    await tybalt.ping()
    await romeo.receives("c:iq[@id='v']")


async def test_the_fall_through_is_allow(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("mercutio@localhost"))
    tybalt.send(chat("romeo@localhost"))
    await romeo.receives("c:message")


# What is never held back


async def test_the_accounts_own_resources_are_never_kept_apart(world: World) -> None:
    orchard, home = await world.online("romeo/orchard"), await world.online("romeo/home")
    await orchard.pending()
    await applies(orchard, jid("romeo@localhost", order=1), DENY_ALL)
    await home.pending()
    orchard.send(chat("romeo@localhost/home"))
    await home.receives("c:message")
    orchard.send("<presence><show>away</show></presence>")
    await home.receives("c:presence[@from='romeo@localhost/orchard'][c:show]")
    await orchard.receives("c:presence[@from='romeo@localhost/orchard'][c:show]")


async def test_the_server_is_never_held_back(world: World) -> None:
    romeo = await world.online("romeo/orchard")
    await applies(romeo, jid("localhost", order=1), DENY_ALL)
    await succeeds(romeo, f"<iq type='get' to='localhost'>{VERSION}</iq>")
    await succeeds(romeo, "<iq type='get'><query xmlns='jabber:iq:roster'/></iq>")
    roster = "<query xmlns='jabber:iq:roster'><item jid='juliet@localhost'/></query>"
    await romeo.ask(f"<iq type='set'>{roster}</iq>")
    await romeo.receives("c:iq[@type='set']/roster:query/..")


async def test_the_filters_stand_on_the_road_only_while_somebody_has_a_list() -> None:
    async with a_world(modules=MODULES) as world:
        hooks = world.host.hooks
        romeo = await world.online("romeo/orchard")
        await succeeds(romeo, query("", "get"))
        assert not hooks.session_receive.handlers
        assert not hooks.presence_send.handlers
        await has_list(romeo, "a", DENY_ALL)
        assert len(hooks.session_receive.handlers) == 1
        await world.server._loaders["localhost"].unload("blocking")
        await world.server._loaders["localhost"].unload("privacy")
        assert not hooks.session_receive.handlers
        assert not hooks.presence_send.handlers
        juliet = await world.online("juliet/x")
        juliet.send(chat("romeo@localhost"))
        await romeo.receives("c:message")
