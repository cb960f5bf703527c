"""Rooms in a storm: limits answer with clear errors, and those who talk there notice nothing."""

from __future__ import annotations

from collections import Counter

import pytest
from lxml import etree

from tests.kit.client import error_of
from tests.kit.component import DOMAIN, component
from tests.stories.hard_input.coven import ROOM, a_coven, errors
from tests.stories.muc.coven import entering, enters, say

FLOOD = 3000
COME_AND_GO = entering("Eve") + f"<presence type='unavailable' to='{ROOM}/Eve'/>"


async def test_a_flood_of_one_occupant_is_cut_off() -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        await enters(eve, "Eve")
        await coven.hear()
        assert Counter(await errors(eve, [say("now")] * FLOOD)) == {"resource-constraint": FLOOD - 50}
        heard = await coven.hear()
        assert [each.findtext("{jabber:client}body") for each in heard] == ["now"] * 50
        private = f"<message type='chat' to='{ROOM}/Bob'><body>psst</body></message>"
        assert Counter(await errors(eve, [private] * FLOOD)) == {"resource-constraint": FLOOD - 50}


async def test_a_flood_of_large_messages_and_presences_keeps_nobody_out() -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        nicks = [f"Eve{number}" for number in range(19)]
        for nick in nicks:
            await enters(eve if nick == "Eve0" else await coven.world.session(f"eve/{nick}"), nick)
            await errors(eve, [f"<presence to='{ROOM}/Eve0'><status>{'s' * 250_000}</status></presence>"])
        await errors(eve, [say("m" * 250_000), say("m" * 65_000)] * 20)
        late = await coven.world.online("dave/x")
        assert sum(len(etree.tostring(each)) for each in await enters(late, "Dave")) < 400_000


async def test_a_flood_from_outside_reaches_nobody() -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        private = f"<message type='chat' to='{ROOM}/Bob'><body>psst</body></message>"
        subject = f"<message type='groupchat' to='{ROOM}'><subject>psst</subject></message>"
        asked = f"<iq type='get' id='1' to='{ROOM}/Bob'><query xmlns='jabber:iq:version'/></iq>"
        for stanza in (say("now"), private, subject, asked):
            assert Counter(await errors(eve, [stanza] * FLOOD)) == {"not-acceptable": FLOOD}
        await coven.talk()


async def test_a_nick_that_changes_in_a_loop_is_seen_to_change_once() -> None:
    async with a_coven(min_presence_interval=5) as coven:
        eve = await coven.world.online("eve/x")
        await enters(eve, "Eve")
        await coven.hear()
        changes = [f"<presence to='{ROOM}/Eve{number}'/>" for number in range(1000)]
        assert Counter(await errors(eve, changes)) == {"resource-constraint": 999}
        assert len(await coven.hear()) == 2
        assert coven.nicks() == ["Bob", "Carol", "Eve0"]


async def test_a_nick_that_somebody_has_is_refused_however_often() -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        await enters(eve, "Eve")
        await coven.hear()
        assert Counter(await errors(eve, [f"<presence to='{ROOM}/Bob'/>"] * FLOOD)) == {"conflict": FLOOD}
        await coven.talk()


async def test_who_comes_and_goes_in_a_loop_leaves_nothing_behind() -> None:
    async with a_coven(user_presence_rate=0) as coven:
        eve = await coven.world.online("eve/x")
        assert await errors(eve, [COME_AND_GO] * 500) == []
        assert len(await coven.hear()) == 1000
        assert coven.nicks() == ["Bob", "Carol"]
        await coven.talk()


async def test_who_comes_and_goes_in_a_loop_is_told_to_wait() -> None:
    async with a_coven(user_presence_rate=1) as coven:
        eve = await coven.world.online("eve/x")
        refused = Counter(await errors(eve, [COME_AND_GO] * 500))
        assert refused.keys() == {"resource-constraint"}
        assert refused.total() > 450
        assert len(await coven.hear()) <= 2 * (500 - refused.total())
        assert coven.nicks() == ["Bob", "Carol"]
        await coven.talk()


@pytest.mark.slow
async def test_ten_thousand_resources_of_one_account() -> None:
    async with a_coven() as coven:
        swarm = await component(coven.world)
        joins = [_join("swarm", number, "Swarm") for number in range(10_000)]
        assert Counter(await errors(swarm, joins)) == {"resource-constraint": 9980}
        assert len(await coven.hear()) == 1
        assert coven.nicks() == ["Bob", "Carol", "Swarm"]
        await coven.talk()


@pytest.mark.slow
async def test_ten_thousand_accounts() -> None:
    async with a_coven(max_users=100) as coven:
        swarm = await component(coven.world)
        joins = [_join(f"swarm{number}", 0, f"Swarm{number}") for number in range(10_000)]
        assert Counter(await errors(swarm, joins)) == {"service-unavailable": 9902}
        assert len(await coven.hear()) == 98
        await swarm.close()
        await coven.hear()
        assert coven.nicks() == ["Bob", "Carol"]
        await coven.talk()


@pytest.mark.slow
async def test_ten_thousand_rooms_of_one_account() -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        joins = [entering("Eve", room=f"room{number}@conference.localhost") for number in range(10_000)]
        assert Counter(await errors(eve, joins)) == {"resource-constraint": 9900}
        assert len(coven.world.module("muc").rooms.loaded) == 101
        await coven.talk()


@pytest.mark.parametrize("nick", ["n" * 101, "n" * 1023, "é" * 511, "♥" * 200])
async def test_huge_nicks(nick: str) -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        assert await errors(eve, [entering(nick)]) == ["not-acceptable"]
        await enters(eve, "Eve")
        await coven.hear()
        assert await errors(eve, [f"<presence to='{ROOM}/{nick}'/>"]) == ["not-acceptable"]
        await coven.talk()


@pytest.mark.parametrize("nick", ["n" * 1024, "n" * 60_000, "", "\u00a0", "&#x202E;" * 200, "&#xE000;"])
async def test_nicks_that_are_none(nick: str) -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        assert await errors(eve, [entering(nick)]) == ["jid-malformed"]
        await coven.talk()


async def test_joins_that_ask_for_nonsense() -> None:
    wishes = [
        *(
            f"<history {name}='{value}'/>"
            for name in ("maxchars", "maxstanzas", "seconds")
            for value in ("-1", "x", "9" * 50, "")
        ),
        *(f"<history since='{value}'/>" for value in ("yesterday", "9999-99-99T99:99:99Z", "", "0001-01-01T00:00:00Z")),
        "<history/>" * 1000,
        "<password/>" * 1000,
        f"<password>{'p' * 60_000}</password>",
        "<x xmlns='http://jabber.org/protocol/muc'/>",
        "<a>" * 60 + "</a>" * 60,
    ]
    async with a_coven() as coven:
        for number, wish in enumerate(wishes):
            eve = await coven.world.session(f"eve{number}/x")
            assert set(await errors(eve, [entering("Eve", wish)])) <= {"bad-request"}, wish[:80]
            await eve.close()
            assert {error_of(each) for each in await coven.hear()} <= {""}
        assert coven.nicks() == ["Bob", "Carol"]
        await coven.talk()


def _join(user: str, number: int, nick: str) -> str:
    sender = f"{user}@{DOMAIN}/{number}"
    return f"<presence from='{sender}' to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
