"""XEP-0045 10: rooms are made, configured and destroyed."""

import pytest

from tests.kit.client import error_of, show
from tests.kit.world import World

from .coven import ROOM, USER, a_service, codes, configure, entering, enters, found, has, item, nick, world
from .ruling import (
    OWNER,
    Company,
    affiliated,
    affiliation,
    configured,
    coven,
    does,
    fails,
    field,
    gather,
    listed,
    query,
    sees,
    why,
)

__all__ = ["coven", "world"]

FORM = query("", "get", OWNER)
DESTROY = query("<destroy/>", namespace=OWNER)


def values(reply: object, var: str) -> list[str]:
    """The values of one field of a form."""
    path = f"*/x:x/x:field[@var='{var}']/x:value/text()"
    return [str(text) for text in reply.xpath(path, namespaces={"x": "jabber:x:data"})]  # type: ignore[attr-defined]


# 10.1


async def test_service_informs_user_of_inability_to_create_a_room() -> None:
    async with a_service(access_create="admin") as world:
        crone, admin = await world.online("crone1/desktop"), await world.online("admin/office")
        crone.send(entering("firstwitch"))
        await crone.receives_error("not-allowed")
        await found(admin, "boss")


async def test_service_acknowledges_room_creation(world: World) -> None:
    crone = await world.online("crone1/desktop")
    stanzas = await enters(crone, "firstwitch")
    assert item(stanzas[0])["affiliation"] == "owner"
    assert item(stanzas[0])["role"] == "moderator"
    assert codes(stanzas[0]) == ["201", "110"]


async def test_owner_requests_instant_room(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await enters(crone, "firstwitch")
    hag.send(entering("thirdwitch"))
    await hag.receives_error("item-not-found")
    await does(crone, configured())
    await enters(hag, "thirdwitch")
    await crone.receives("c:presence")
    assert not (await crone.pending()), "nothing has changed that anybody should hear of"


async def test_service_sends_configuration_form(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await enters(crone, "firstwitch")
    reply = await does(crone, FORM)
    assert has(reply, "*/x:x[@type='form']/x:field[@var='muc#roomconfig_roomname']")
    assert values(reply, "FORM_TYPE") == ["http://jabber.org/protocol/muc#roomconfig"]
    assert values(reply, "muc#roomconfig_roomowners") == ["crone1@localhost"]
    assert values(reply, "muc#roomconfig_whois") == ["moderators"]


async def test_owner_submits_configuration_form(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await enters(crone, "firstwitch")
    fields = (
        field("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig"),
        field("muc#roomconfig_roomname", "A Dark Cave"),
        field("muc#roomconfig_roomdesc", "The place for all good witches!"),
        field("muc#roomconfig_enablelogging", "0"),
        field("muc#roomconfig_changesubject", "1"),
        field("muc#roomconfig_allowinvites", "0"),
        field("muc#roomconfig_allowpm", "anyone"),
        field("muc#roomconfig_maxusers", "10"),
        field("muc#roomconfig_publicroom", "0"),
        field("muc#roomconfig_persistentroom", "0"),
        field("muc#roomconfig_moderatedroom", "0"),
        field("muc#roomconfig_membersonly", "0"),
        field("muc#roomconfig_passwordprotectedroom", "1"),
        field("muc#roomconfig_roomsecret", "cauldronburn"),
        field("muc#roomconfig_whois", "moderators"),
        field("muc#maxhistoryfetch", "20"),
        field("muc#roomconfig_roomadmins", "wiccarocks@shakespeare.lit", "hecate@shakespeare.lit"),
    )
    await does(crone, configured("".join(fields)))
    reply = await does(crone, FORM)
    assert values(reply, "muc#roomconfig_roomname") == ["A Dark Cave"]
    assert values(reply, "muc#roomconfig_maxusers") == ["10"]
    assert values(reply, "muc#roomconfig_roomsecret") == ["cauldronburn"]
    assert sorted(await listed(crone, affiliation="admin")) == ["hecate", "wiccarocks"]


async def test_service_informs_owner_that_requested_configuration_options_are_unacceptable(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await enters(crone, "firstwitch")
    asked = configured(field("muc#roomconfig_passwordprotectedroom", "1"))
    reply = await crone.ask(asked)
    assert error_of(reply) == "not-acceptable"
    assert "muc#roomconfig_roomsecret" in (reply.findtext(".//{*}text") or "")
    hag.send(entering("thirdwitch"))
    await hag.receives_error("item-not-found")


async def test_owner_cancels_initial_configuration(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await enters(crone, "firstwitch")
    await does(crone, configured(type="cancel"))
    gone = await crone.receives("c:presence[@type='unavailable']")
    assert has(gone, "m:x/m:destroy")
    assert await fails(crone, FORM) == "item-not-found"


async def test_who_leaves_before_the_room_is_configured_leaves_none_behind(world: World) -> None:
    crone = await world.online("crone1/desktop")
    await enters(crone, "firstwitch")
    crone.send(f"<presence to='{ROOM}/firstwitch' type='unavailable'/>")
    await crone.pending()
    assert await fails(crone, FORM) == "item-not-found"


# 10.2


async def test_service_denies_configuration_access_to_non_owner(coven: Company) -> None:
    for client in (coven.admin, coven.member, coven.stranger):
        assert await fails(client, FORM) == "forbidden"
        assert await fails(client, configured()) == "forbidden"


async def test_owner_cancels_subsequent_configuration(coven: Company) -> None:
    await does(coven.owner, configured(type="cancel"))
    for client in coven.everybody:
        await client.receives_nothing()
    assert values(await does(coven.owner, FORM), "muc#roomconfig_roomname") == []


async def test_service_notes_loss_of_admin_affiliation(coven: Company) -> None:
    await does(coven.owner, configured(field("muc#roomconfig_roomadmins")))
    await sees(coven.member, "secondwitch", "member", "participant")
    assert await listed(coven.owner, affiliation="admin") == {}


async def test_service_notes_gain_of_admin_affiliation_to_all_users(coven: Company) -> None:
    admins = field("muc#roomconfig_roomadmins", "wiccarocks@localhost", "hecate@localhost")
    await does(coven.owner, configured(admins))
    await sees(coven.member, "fourthwitch", "admin", "moderator")
    await sees(coven.stranger, "fourthwitch", "admin", "moderator", 110)


async def test_service_notes_gain_and_loss_of_owner_affiliation(coven: Company) -> None:
    await does(coven.owner, configured(field("muc#roomconfig_roomowners", "hecate@localhost")))
    seen = [item(await coven.member.receive()) for _ in range(2)]
    assert [(each["affiliation"], each["role"]) for each in seen] == [("admin", "moderator"), ("owner", "moderator")]
    assert await fails(coven.owner, FORM) == "forbidden"
    await does(coven.stranger, FORM)


async def test_an_owner_does_not_leave_a_room_without_owners(coven: Company) -> None:
    assert await fails(coven.owner, configured(field("muc#roomconfig_roomowners"))) == "conflict"
    for new in ("none", "member", "admin"):
        assert await fails(coven.owner, affiliation("crone1", new)) == "conflict"
    await does(coven.owner, affiliation("hecate", "owner"))
    await does(coven.owner, affiliation("crone1", "none"))


async def test_the_only_owner_hands_over_in_one_request(coven: Company) -> None:
    await does(coven.owner, affiliated(owner="hecate@localhost", admin="crone1@localhost"))
    assert list(await listed(coven.stranger, affiliation="owner")) == ["hecate"]


async def test_non_members_leave_a_room_that_becomes_members_only(coven: Company) -> None:
    await does(coven.owner, configured(field("muc#roomconfig_membersonly", "1")))
    await sees(coven.stranger, "fourthwitch", "none", "none", 322, 110, gone=True)
    await sees(coven.member, "fourthwitch", "none", "none", 322, gone=True)
    assert codes(await coven.member.receive()) == ["104"]


async def test_new_admins_stay_in_a_room_that_becomes_members_only(coven: Company) -> None:
    admins = field("muc#roomconfig_roomadmins", "hecate@localhost")
    await does(coven.owner, configured(field("muc#roomconfig_membersonly", "1") + admins))
    await coven.quiet()
    coven.stranger.send(f"<message type='groupchat' to='{ROOM}'><body>Here</body></message>")
    await coven.member.receives("c:message/c:body/..")


@pytest.mark.parametrize(
    ("var", "there", "back", "on", "off"),
    [
        ("muc#roomconfig_enablelogging", "1", "0", ["170"], ["171"]),
        ("muc#roomconfig_whois", "anyone", "moderators", ["172"], ["173"]),
        ("muc#roomconfig_roomname", "A Dark Cave", "", ["104"], ["104"]),
        ("muc#roomconfig_moderatedroom", "1", "0", ["104"], ["104"]),
    ],
)
async def test_configuration_status_code(
    coven: Company, var: str, there: str, back: str, on: list[str], off: list[str]
) -> None:
    for value, expected in ((there, on), (back, off)):
        await does(coven.owner, configured(field(var, value)))
        for client in coven.everybody:
            message = await client.receives(f"c:message[@type='groupchat'][@from='{ROOM}']")
            assert codes(message) == expected
            assert [each.tag for each in message] == [f"{{{USER}}}x"], "it holds nothing else"


async def test_an_unchanged_configuration_is_not_announced(coven: Company) -> None:
    await does(coven.owner, configured(field("muc#roomconfig_moderatedroom", "0")))
    for client in coven.everybody:
        await client.receives_nothing()


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("", "bad-request"),
        ("<x xmlns='jabber:x:data'/>", "bad-request"),
        ("<x xmlns='jabber:x:data' type='form'/>", "bad-request"),
        (f"<x xmlns='jabber:x:data' type='submit'>{field('FORM_TYPE', 'urn:other')}</x>", "bad-request"),
        (f"<x xmlns='jabber:x:data' type='submit'>{field('muc#roomconfig_maxusers', 'x')}</x>", "not-acceptable"),
        (f"<x xmlns='jabber:x:data' type='submit'>{field('muc#roomconfig_roomadmins', 'a@@')}</x>", "not-acceptable"),
        (f"<x xmlns='jabber:x:data' type='submit'>{field('muc#roomconfig_roomadmins', 'host')}</x>", "not-acceptable"),
        ("<destroy jid='a@b@c'/>", "jid-malformed"),
        (f"<destroy><reason>{'x' * 1001}</reason></destroy>", "not-acceptable"),
        (f"<destroy><password>{'x' * 257}</password></destroy>", "not-acceptable"),
    ],
)
async def test_what_an_owner_may_not_send(coven: Company, inside: str, condition: str) -> None:
    assert await fails(coven.owner, query(inside, namespace=OWNER)) == condition
    for client in coven.everybody:
        await client.receives_nothing()


async def test_a_form_that_is_sent_back_as_it_came_changes_nothing(coven: Company) -> None:
    await configure(coven.owner, roomname="A Dark Cave", roomsecret="cauldronburn", passwordprotectedroom="1")
    await coven.quiet()
    before = await does(coven.owner, FORM)
    sent = show(before[0]).replace('type="form"', 'type="submit"')
    await does(coven.owner, f"<iq type='set' to='{ROOM}'>{sent}</iq>")
    for client in coven.everybody:
        await client.receives_nothing()
    assert show((await does(coven.owner, FORM))[0]) == show(before[0])


async def test_a_form_with_one_wrong_field_changes_nothing(coven: Company) -> None:
    wrong = field("muc#roomconfig_roomname", "A Dark Cave") + field("muc#roomconfig_whois", "nobody")
    assert await fails(coven.owner, configured(wrong)) == "not-acceptable"
    assert values(await does(coven.owner, FORM), "muc#roomconfig_roomname") == []


async def test_a_form_with_every_field_wrong_is_noticed_by_nobody_else(coven: Company) -> None:
    form = await does(coven.owner, FORM)
    names = form.xpath("*/x:x/x:field/@var", namespaces={"x": "jabber:x:data"})
    wrong = "".join(field(str(name), "x" * 5000) for name in names if name != "FORM_TYPE")
    assert await fails(coven.owner, configured(wrong)) == "not-acceptable"
    many = "".join(field(f"muc#roomconfig_{number}", "1") for number in range(257))
    assert await fails(coven.owner, configured(many)) == "not-acceptable"
    for client in coven.everybody:
        await client.receives_nothing()
    assert values(await does(coven.owner, FORM), "muc#roomconfig_roomowners") == ["crone1@localhost"]


async def test_rooms_that_last_may_be_reserved_for_some() -> None:
    async with a_service(access_persistent="admin") as world:
        crone = await world.online("crone1/desktop")
        await enters(crone, "firstwitch")
        asked = configured(field("muc#roomconfig_persistentroom", "1"))
        assert await fails(crone, asked) == "not-acceptable"


# 10.3 to 10.8


async def test_owner_grants_owner_status(coven: Company) -> None:
    await does(coven.owner, affiliation("hecate", "owner", "A worthy witch indeed!"))
    shown = await sees(coven.member, "fourthwitch", "owner", "moderator")
    assert why(shown) == ("firstwitch", "A worthy witch indeed!")
    await does(coven.stranger, FORM)


async def test_an_absent_user_becomes_owner_and_occupants_of_an_open_room_hear_of_it(world: World) -> None:
    company = await gather(world, whois="anyone")
    await does(company.owner, affiliation("lear", "owner"))
    message = await company.member.receives(f"c:message[@from='{ROOM}']")
    assert item(message)["jid"] == "lear@localhost"
    assert item(message)["affiliation"] == "owner"


async def test_an_absent_user_is_not_named_where_addresses_are_hidden(coven: Company) -> None:
    await does(coven.owner, affiliation("lear", "owner"))
    for client in coven.everybody:
        await client.receives_nothing()


async def test_owner_revokes_owner_status(coven: Company) -> None:
    await does(coven.owner, affiliation("hecate", "owner"))
    await coven.quiet()
    await does(coven.owner, affiliation("hecate", "admin", "Not so worthy after all!"))
    shown = await sees(coven.member, "fourthwitch", "admin", "moderator")
    assert why(shown) == ("firstwitch", "Not so worthy after all!")


async def test_owner_sends_modified_owner_list_to_service(coven: Company) -> None:
    await does(coven.owner, affiliated(owner="hecate@localhost"))
    assert sorted(await listed(coven.owner, affiliation="owner")) == ["crone1", "hecate"]
    await does(coven.owner, affiliated(admin="hecate@localhost", owner="hag66@localhost"))
    assert sorted(await listed(coven.owner, affiliation="owner")) == ["crone1", "hag66"]


async def test_service_returns_error_on_attempt_by_non_owner_to_modify_owner_list(coven: Company) -> None:
    for client in (coven.admin, coven.member, coven.stranger):
        assert await fails(client, affiliated(owner="hecate@localhost")) == "forbidden"
        assert await fails(client, query("<item affiliation='owner'/>", "get")) == "forbidden"
    assert await fails(coven.admin, affiliation("crone1", "member")) == "forbidden"


async def test_owner_grants_admin_privileges(coven: Company) -> None:
    await does(coven.owner, affiliation("hecate", "admin", "A worthy witch indeed!"))
    shown = await sees(coven.member, "fourthwitch", "admin", "moderator")
    assert why(shown) == ("firstwitch", "A worthy witch indeed!")


async def test_owner_revokes_admin_status(coven: Company) -> None:
    await does(coven.owner, affiliation("wiccarocks", "none", "Not so worthy after all!"))
    shown = await sees(coven.member, "secondwitch", "none", "participant")
    assert why(shown) == ("firstwitch", "Not so worthy after all!")


async def test_owner_sends_modified_admin_list_to_service(coven: Company) -> None:
    assert list(await listed(coven.owner, affiliation="admin")) == ["wiccarocks"]
    await does(coven.owner, affiliated(none="wiccarocks@localhost", admin="hecate@localhost"))
    assert list(await listed(coven.owner, affiliation="admin")) == ["hecate"]


async def test_service_returns_error_on_attempt_by_non_owner_to_modify_admin_list(coven: Company) -> None:
    for client in (coven.admin, coven.member, coven.stranger):
        assert await fails(client, affiliated(admin="hecate@localhost")) == "forbidden"
        assert await fails(client, query("<item affiliation='admin'/>", "get")) == "forbidden"
    await does(coven.owner, affiliated(admin="hecate@localhost"))
    assert await fails(coven.admin, affiliation("hecate", "none")) == "forbidden"


# 10.9


async def test_service_removes_each_occupant(coven: Company) -> None:
    inside = (
        "<destroy jid='coven2@conference.localhost'><password>cauldronburn</password>"
        "<reason>Macbeth doth come.</reason></destroy>"
    )
    await does(coven.owner, query(inside, namespace=OWNER))
    for client, name in zip(coven.everybody, ("firstwitch", "secondwitch", "thirdwitch", "fourthwitch"), strict=True):
        gone = await client.receives("c:presence[@type='unavailable']")
        assert nick(gone) == name
        assert item(gone) == {"affiliation": "none", "role": "none"} | (
            {"jid": item(gone)["jid"]} if "jid" in item(gone) else {}
        )
        assert has(gone, "m:x/m:destroy[@jid='coven2@conference.localhost']/m:reason[.='Macbeth doth come.']")
        assert has(gone, "m:x/m:destroy/m:password[.='cauldronburn']")
        await client.receives_nothing()
    assert await fails(coven.owner, FORM) == "item-not-found"


async def test_service_denies_destroy_request_submitted_by_non_owner(coven: Company) -> None:
    for client in (coven.admin, coven.member, coven.stranger):
        assert await fails(client, DESTROY) == "forbidden"
    for client in coven.everybody:
        await client.receives_nothing()


async def test_a_destroyed_room_is_made_anew_with_nothing_of_the_old_one(world: World) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", persistentroom="1")
    await configure(crone, roomname="A Dark Cave")
    await does(crone, affiliation("hag66", "outcast"))
    await does(crone, DESTROY)
    stanzas = await enters(hag, "thirdwitch")
    assert item(stanzas[0])["affiliation"] == "owner"
    assert values(await does(hag, FORM), "muc#roomconfig_roomname") == []
