"""XEP-0045 8.2 to 8.5: what moderators do."""

import pytest

from tests.kit.client import Client, error_of
from xmppd.xmpp.stanza import Element

from .coven import ROOM, configure, enters, item, nick, say
from .ruling import ADMIN, Company, affiliation, coven, does, fails, listed, moderated, query, role, sees, why

__all__ = ["coven", "moderated"]


async def test_moderator_kicks_occupant(coven: Company) -> None:
    await does(coven.admin, role("fourthwitch", "none", "Avaunt, you cullion!"))
    kicked = await sees(coven.stranger, "fourthwitch", "none", "none", 307, 110, gone=True)
    assert why(kicked) == ("secondwitch", "Avaunt, you cullion!")
    for client in (coven.owner, coven.admin, coven.member):
        shown = await sees(client, "fourthwitch", "none", "none", 307, gone=True)
        assert why(shown) == ("secondwitch", "Avaunt, you cullion!")
    coven.stranger.send(say("I am still here"))
    await coven.stranger.receives_error("not-acceptable")


async def test_service_informs_moderator_of_success_before_the_remaining_occupants(coven: Company) -> None:
    coven.admin.send(role("fourthwitch", "none").replace("<iq ", "<iq id='kick1' ", 1))
    await coven.admin.receives("c:iq[@type='result'][@id='kick1'][not(*)]")
    await sees(coven.admin, "fourthwitch", "none", "none", 307, gone=True)


async def test_a_kicked_occupant_may_come_back(coven: Company) -> None:
    await does(coven.admin, role("fourthwitch", "none"))
    await coven.quiet()
    coven.stranger.send(f"<presence to='{ROOM}/fourthwitch'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    await coven.stranger.ping()
    await sees(coven.owner, "fourthwitch", "none", "participant")


async def test_service_returns_error_on_attempt_to_kick_user_with_higher_affiliation(coven: Company) -> None:
    await does(coven.owner, role("thirdwitch", "moderator"))
    await coven.quiet()
    for name in ("firstwitch", "secondwitch"):
        reply = await coven.member.ask(role(name, "none"))
        assert error_of(reply) == "not-allowed"
        offending = reply.find(f".//{{{ADMIN}}}item")
        assert offending is not None
        assert (offending.get("nick"), offending.get("role")) == (name, "none")
    assert await fails(coven.admin, role("firstwitch", "none")) == "not-allowed"
    for client in coven.everybody:
        await client.receives_nothing()


async def test_a_moderator_without_affiliation_does_not_kick_another_moderator(coven: Company) -> None:
    await does(coven.owner, role("thirdwitch", "moderator"))
    await does(coven.owner, role("fourthwitch", "moderator"))
    assert await fails(coven.member, role("fourthwitch", "none")) == "not-allowed"
    await does(coven.admin, role("fourthwitch", "none"))


async def test_who_is_no_moderator_is_forbidden_to_kick(coven: Company) -> None:
    for client in (coven.member, coven.stranger):
        assert await fails(client, role("fourthwitch", "none")) == "forbidden"


async def test_moderator_grants_voice_to_a_visitor(moderated: Company) -> None:
    await does(moderated.admin, role("fourthwitch", "participant", "A worthy witch indeed!"))
    for client in (moderated.owner, moderated.admin, moderated.member):
        shown = await sees(client, "fourthwitch", "none", "participant")
        assert why(shown) == ("secondwitch", "A worthy witch indeed!")
    await sees(moderated.stranger, "fourthwitch", "none", "participant", 110)
    moderated.stranger.send(say("Thanks"))
    await moderated.stranger.receives("c:message/c:body/..")


async def test_moderator_revokes_voice_from_a_participant(moderated: Company) -> None:
    await does(moderated.admin, role("fourthwitch", "participant"))
    await moderated.quiet()
    await does(moderated.admin, role("fourthwitch", "visitor", "Not so worthy after all!"))
    shown = await sees(moderated.member, "fourthwitch", "none", "visitor")
    assert why(shown) == ("secondwitch", "Not so worthy after all!")
    await sees(moderated.stranger, "fourthwitch", "none", "visitor", 110)
    moderated.stranger.send(say("But"))
    await moderated.stranger.receives_error("forbidden")


def roles(entered: list[Element], name: str) -> set[str]:
    """As what a nick is shown."""
    return {item(each)["role"] for each in entered if nick(each) == name and each.tag.endswith("presence")}


async def returns(client: Client, name: str) -> list[Element]:
    """The client leaves and enters again."""
    client.send(f"<presence to='{ROOM}/{name}' type='unavailable'/>")
    await client.pending()
    return await enters(client, name)


async def test_a_moderated_room_remembers_who_has_voice(moderated: Company) -> None:
    items = "<item nick='fourthwitch' role='participant'/><item nick='thirdwitch' role='visitor'/>"
    await does(moderated.admin, query(items))
    assert roles(await returns(moderated.stranger, "fourthwitch"), "fourthwitch") == {"participant"}
    assert roles(await returns(moderated.member, "thirdwitch"), "thirdwitch") == {"visitor"}


async def test_another_affiliation_goes_before_what_moderators_said(moderated: Company) -> None:
    await does(moderated.admin, role("thirdwitch", "visitor"))
    await does(moderated.admin, affiliation("hag66", "none"))
    await does(moderated.admin, affiliation("hag66", "member"))
    assert roles(await returns(moderated.member, "thirdwitch"), "thirdwitch") == {"participant"}


async def test_a_room_that_is_moderated_no_more_remembers_nothing(moderated: Company) -> None:
    await does(moderated.admin, role("thirdwitch", "visitor"))
    for value in ("0", "1"):
        await configure(moderated.owner, moderatedroom=value)
    assert roles(await returns(moderated.member, "thirdwitch"), "thirdwitch") == {"participant"}


async def test_service_returns_error_on_attempt_to_revoke_voice_from_an_admin_owner_or_user_with_a_higher_affiliation(
    moderated: Company,
) -> None:
    for name in ("firstwitch", "secondwitch"):
        assert await fails(moderated.owner, role(name, "visitor")) == "not-allowed"
    await does(moderated.admin, role("fourthwitch", "moderator"))
    assert await fails(moderated.stranger, role("thirdwitch", "visitor")) == "not-allowed"


async def test_moderator_requests_voice_list(moderated: Company) -> None:
    await does(moderated.admin, role("fourthwitch", "participant"))
    assert await listed(moderated.admin, role="participant") == {
        "hag66": {"affiliation": "member", "jid": "hag66@localhost/pda", "nick": "thirdwitch", "role": "participant"},
        "hecate": {
            "affiliation": "none",
            "jid": "hecate@localhost/broom",
            "nick": "fourthwitch",
            "role": "participant",
        },
    }
    for client in (moderated.member, moderated.stranger):
        assert await fails(client, query("<item role='participant'/>", "get")) == "forbidden"


async def test_moderator_sends_modified_voice_list_to_service(moderated: Company) -> None:
    items = "<item nick='fourthwitch' role='participant'/><item nick='thirdwitch' role='visitor'/>"
    await does(moderated.admin, query(items))
    await sees(moderated.owner, "fourthwitch", "none", "participant")
    await sees(moderated.owner, "thirdwitch", "member", "visitor")


async def test_a_list_of_changes_is_done_whole_or_not_at_all(moderated: Company) -> None:
    items = "<item nick='fourthwitch' role='participant'/><item nick='firstwitch' role='visitor'/>"
    assert await fails(moderated.admin, query(items)) == "not-allowed"
    for client in moderated.everybody:
        await client.receives_nothing()


async def test_roles_can_be_managed_from_outside_the_room_by_admins(coven: Company) -> None:
    coven.admin.send(f"<presence to='{ROOM}/secondwitch' type='unavailable'/>")
    await coven.admin.ping()
    await coven.quiet()
    await does(coven.admin, role("fourthwitch", "none"))
    assert why(await sees(coven.stranger, "fourthwitch", "none", "none", 307, 110, gone=True)) == ("", "")


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("", "bad-request"),
        ("<item/>", "bad-request"),
        ("<item role='none'/>", "bad-request"),
        ("<item nick='fourthwitch'/>", "bad-request"),
        ("<item nick='fourthwitch' role='king'/>", "bad-request"),
        ("<item nick='fourthwitch' role='none' affiliation='none'/>", "bad-request"),
        ("<item nick='fourthwitch' role='none'/><item nick='fourthwitch' role='visitor'/>", "bad-request"),
        ("<item nick='nobody' role='none'/>", "item-not-found"),
        ("<item jid='hecate@localhost' affiliation='king'/>", "bad-request"),
        ("<item jid='a@b@c' affiliation='member'/>", "jid-malformed"),
        ("<item affiliation='member'/>", "bad-request"),
        ("<item jid='localhost' affiliation='admin'/>", "not-acceptable"),
        (f"<item nick='fourthwitch' role='none'><reason>{'x' * 1001}</reason></item>", "not-acceptable"),
        ("<item jid='x@localhost' affiliation='member'/>" * 501, "not-acceptable"),
    ],
)
async def test_what_a_request_may_not_be(coven: Company, inside: str, condition: str) -> None:
    assert await fails(coven.owner, query(inside)) == condition
    for client in coven.everybody:
        await client.receives_nothing()


@pytest.mark.parametrize("inside", ["", "<item/>", "<item role='none'/>", "<item affiliation='none'/>"])
async def test_what_is_no_list(coven: Company, inside: str) -> None:
    assert await fails(coven.owner, query(inside, "get")) == "bad-request"


async def test_admin_grants_moderator_status(coven: Company) -> None:
    await does(coven.admin, role("fourthwitch", "moderator", "A worthy witch indeed!"))
    shown = await sees(coven.member, "fourthwitch", "none", "moderator")
    assert why(shown) == ("secondwitch", "A worthy witch indeed!")


async def test_admin_revokes_moderator_status(coven: Company) -> None:
    await does(coven.admin, role("fourthwitch", "moderator"))
    await coven.quiet()
    await does(coven.admin, role("fourthwitch", "participant", "Not so worthy after all!"))
    shown = await sees(coven.member, "fourthwitch", "none", "participant")
    assert why(shown) == ("secondwitch", "Not so worthy after all!")


async def test_service_returns_error_on_attempt_to_revoke_moderator_status_from_an_admin_or_owner(
    coven: Company,
) -> None:
    for client in (coven.admin, coven.owner):
        assert await fails(client, role("secondwitch", "participant")) == "not-allowed"
    assert await fails(coven.admin, role("firstwitch", "participant")) == "not-allowed"


async def test_who_is_no_admin_makes_and_unmakes_no_moderators(coven: Company) -> None:
    await does(coven.admin, role("thirdwitch", "moderator"))
    assert await fails(coven.member, role("fourthwitch", "moderator")) == "forbidden"
    assert await fails(coven.member, role("thirdwitch", "participant")) == "forbidden"


async def test_admin_requests_moderator_list(coven: Company) -> None:
    assert sorted(await listed(coven.admin, role="moderator")) == ["crone1", "wiccarocks"]
    await does(coven.admin, role("thirdwitch", "moderator"))
    assert sorted(await listed(coven.owner, role="moderator")) == ["crone1", "hag66", "wiccarocks"]
    assert await fails(coven.member, query("<item role='moderator'/>", "get")) == "forbidden"


async def test_admin_sends_modified_moderator_list_to_service(coven: Company) -> None:
    await does(coven.admin, role("thirdwitch", "moderator"))
    await coven.quiet()
    items = "<item nick='thirdwitch' role='participant'/><item nick='fourthwitch' role='moderator'/>"
    await does(coven.admin, query(items))
    await sees(coven.owner, "thirdwitch", "member", "participant")
    await sees(coven.owner, "fourthwitch", "none", "moderator")
    assert sorted(await listed(coven.admin, role="moderator")) == ["crone1", "hecate", "wiccarocks"]


async def test_a_moderator_sees_real_addresses_from_then_on(coven: Company) -> None:
    await does(coven.admin, role("thirdwitch", "moderator"))
    await coven.quiet()
    await does(coven.admin, affiliation("hecate", "member"))
    shown = await sees(coven.member, "fourthwitch", "member", "participant")
    assert "hecate@localhost/broom" in {each.get("jid") for each in shown.iter()}
