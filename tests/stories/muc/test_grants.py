"""Affiliations change together or not at all, whichever way they are asked for, and a room has so many of them."""

import pytest

from tests.kit.world import World
from xmppd.commands import CommandError

from .coven import ROOM, found, world
from .ruling import Company, affiliated, affiliation, configured, does, fails, field, gather, listed
from .test_failing import refuse_writes
from .test_invite import invite
from .test_register import OPEN, register, reserved

__all__ = ["world"]

DESTROY = "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>"


@pytest.fixture
async def full(world: World, monkeypatch: pytest.MonkeyPatch) -> Company:
    """The four in a room that takes one affiliation more."""
    company = await gather(world)
    monkeypatch.setattr("xmppd.modules.muc.grants.MOST_AFFILIATIONS", 4)
    return company


@pytest.fixture
async def stored(world: World) -> Company:
    """The four in a room that lasts."""
    return await gather(world, persistentroom="1")


async def members(company: Company) -> list[str]:
    """Who is a member."""
    return sorted(await listed(company.owner, affiliation="member"))


async def test_a_room_has_so_many_affiliations(full: Company) -> None:
    await does(full.owner, affiliation("lear", "member"))
    assert await fails(full.owner, affiliation("hecate", "member")) == "resource-constraint"
    await does(full.owner, affiliation("lear", "admin"))
    await does(full.owner, affiliated(none="lear@localhost", member="hecate@localhost"))
    assert await members(full) == ["hag66", "hecate"]


async def test_one_request_does_not_grant_more(full: Company) -> None:
    request = affiliated(member="lear@localhost macbeth@localhost")
    assert await fails(full.owner, request) == "resource-constraint"
    assert await members(full) == ["hag66"]


async def test_nor_does_the_configuration_form(full: Company) -> None:
    asked = field("muc#roomconfig_roomadmins", "lear@localhost", "macbeth@localhost")
    form = configured(asked + field("muc#roomconfig_roomname", "Full"))
    assert await fails(full.owner, form) == "resource-constraint"
    assert list(await listed(full.owner, affiliation="admin")) == ["wiccarocks"]
    assert full.world.module("muc").rooms.loaded["coven"].settings.title == ""


async def test_nor_do_invitations(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    company = await gather(world, membersonly="1", allowinvites="1")
    lear, macbeth = await world.online("lear/castle"), await world.online("macbeth/castle")
    monkeypatch.setattr("xmppd.modules.muc.grants.MOST_AFFILIATIONS", 4)
    company.member.send(invite("lear@localhost", "macbeth@localhost"))
    await company.member.receives_error("resource-constraint")
    assert await members(company) == ["hag66"]
    for client in (lear, macbeth):
        await client.receives_nothing()


async def test_nor_does_registration(full: Company) -> None:
    await does(full.owner, OPEN)
    await does(full.owner, affiliation("lear", "member"))
    assert await fails(full.stranger, register("Hecate")) == "resource-constraint"
    assert await reserved(full.stranger) == []


async def test_nor_does_a_command(full: Company) -> None:
    await does(full.owner, affiliation("lear", "member"))
    call = full.world.host.house.commands.call
    with pytest.raises(CommandError, match="affiliations"):
        await call("set_room_affiliation", ["coven", "conference.localhost", "macbeth@localhost", "member"])


async def test_nothing_is_granted_that_cannot_be_stored(stored: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refuse_writes(stored.world, patch)
        asked = affiliated(outcast="hecate@localhost", admin="hag66@localhost")
        assert await fails(stored.owner, asked) == "resource-constraint"
        assert await fails(stored.owner, affiliation("lear", "member", nick="King")) == "resource-constraint"
        for client in stored.everybody:
            await client.receives_nothing()
    assert await members(stored) == ["hag66"]
    assert await listed(stored.owner, affiliation="outcast") == {}
    await does(stored.owner, affiliation("macbeth", "member", nick="King"))


async def test_no_nick_is_reserved_that_cannot_be_stored(stored: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    await does(stored.member, register("Hag"))
    with monkeypatch.context() as patch:
        refuse_writes(stored.world, patch)
        assert await fails(stored.member, register("Witch")) == "resource-constraint"
    assert await reserved(stored.member) == ["Hag"]


async def test_no_setting_changes_that_cannot_be_stored(stored: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    room = stored.world.module("muc").rooms.loaded["coven"]
    before = room.settings
    with monkeypatch.context() as patch:
        refuse_writes(stored.world, patch)
        for name in ("membersonly", "persistentroom"):
            value = "0" if name == "persistentroom" else "1"
            asked = field(f"muc#roomconfig_{name}", value) + field("muc#roomconfig_roomadmins", "hag66@localhost")
            assert await fails(stored.owner, configured(asked)) == "resource-constraint"
        for client in stored.everybody:
            await client.receives_nothing()
    assert (room.settings, room.stored) == (before, True)
    assert list(await listed(stored.owner, affiliation="admin")) == ["wiccarocks"]


async def test_a_new_room_that_cannot_be_stored_stays_locked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    crone = await world.online("crone1/desktop")
    crone.send(f"<presence to='{ROOM}/firstwitch'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    await crone.pending()
    with monkeypatch.context() as patch:
        refuse_writes(world, patch)
        assert await fails(crone, configured(field("muc#roomconfig_persistentroom", "1"))) == "resource-constraint"
    assert world.module("muc").rooms.loaded["coven"].locked
    await does(crone, configured(field("muc#roomconfig_persistentroom", "1")))


async def test_a_room_that_cannot_be_deleted_is_not_destroyed(stored: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refuse_writes(stored.world, patch)
        reply = await stored.owner.ask(f"<iq type='set' to='{ROOM}'>{DESTROY}</iq>")
        assert reply.get("type") == "error"
        for client in stored.everybody:
            await client.receives_nothing()


async def test_a_card_without_a_photo_stays_when_a_room_lasts_no_longer(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await found(crone, "firstwitch", persistentroom="1")
    card = "<vCard xmlns='vcard-temp'><FN>Coven</FN></vCard>"
    await does(crone, f"<iq type='set' to='{ROOM}'>{card}</iq>")
    await does(crone, configured(field("muc#roomconfig_persistentroom", "0")))
    reply = await does(crone, f"<iq type='get' to='{ROOM}'><vCard xmlns='vcard-temp'/></iq>")
    assert reply.findtext("{vcard-temp}vCard/{vcard-temp}FN") == "Coven"
