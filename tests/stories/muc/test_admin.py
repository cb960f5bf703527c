"""XEP-0045 9.1 to 9.5: what admins do."""

from tests.kit.client import error_of
from tests.kit.world import World
from xmppd.xmpp.jid import JID

from .coven import ROOM, a_service, codes, entering, enters, found, has, world
from .ruling import Company, affiliated, affiliation, coven, does, fails, gather, listed, query, role, sees, why

__all__ = ["coven", "world"]


async def test_admin_bans_user(coven: Company) -> None:
    await does(coven.admin, affiliation("hecate", "outcast", "Treason"))
    banned = await sees(coven.stranger, "fourthwitch", "outcast", "none", 301, 110, gone=True)
    assert why(banned) == ("secondwitch", "Treason")
    for client in (coven.owner, coven.admin, coven.member):
        shown = await sees(client, "fourthwitch", "outcast", "none", 301, gone=True)
        assert why(shown) == ("secondwitch", "Treason")
    coven.stranger.send(entering("fourthwitch"))
    await coven.stranger.receives_error("forbidden")


async def test_a_ban_is_of_the_bare_address(coven: Company) -> None:
    await does(coven.admin, query("<item jid='hecate@localhost/elsewhere' affiliation='outcast'/>"))
    await sees(coven.stranger, "fourthwitch", "outcast", "none", 301, 110, gone=True)
    assert list(await listed(coven.admin, affiliation="outcast")) == ["hecate"]


async def test_some_clients_ban_by_nick(coven: Company) -> None:
    await does(coven.admin, query("<item nick='fourthwitch' affiliation='outcast'/>"))
    await sees(coven.stranger, "fourthwitch", "outcast", "none", 301, 110, gone=True)


async def test_a_ban_takes_the_reserved_nick(coven: Company) -> None:
    await does(coven.admin, affiliation("hecate", "member", nick="Hecate"))
    await does(coven.admin, affiliation("hecate", "outcast"))
    await does(coven.admin, affiliation("hag66", "member", nick="Hecate"))


async def test_service_returns_error_on_attempt_to_ban_user_with_higher_affiliation(coven: Company) -> None:
    assert await fails(coven.admin, affiliation("crone1", "outcast")) == "not-allowed"
    await does(coven.owner, affiliated(admin="hecate@localhost"))
    assert await fails(coven.admin, affiliation("hecate", "outcast")) == "not-allowed"


async def test_nobody_bans_themselves(coven: Company) -> None:
    for client in (coven.admin, coven.owner):
        assert await fails(client, affiliation(client.jid.local, "outcast")) == "conflict"


async def test_who_is_no_admin_is_forbidden_to_ban(coven: Company) -> None:
    await does(coven.admin, role("thirdwitch", "moderator"))
    for client in (coven.member, coven.stranger):
        assert await fails(client, affiliation("hecate", "outcast")) == "forbidden"


async def test_admin_requests_ban_list(coven: Company) -> None:
    await does(coven.admin, affiliation("hecate", "outcast", "Treason"))
    reply = await does(coven.admin, query("<item affiliation='outcast'/>", "get"))
    assert dict(reply[0][0].attrib) == {"affiliation": "outcast", "jid": "hecate@localhost"}
    assert reply[0][0][0].text == "Treason"
    assert await fails(coven.member, query("<item affiliation='outcast'/>", "get")) == "forbidden"


async def test_admin_sends_modified_ban_list_to_service(coven: Company) -> None:
    await does(coven.admin, affiliated(outcast="hecate@localhost lear@shakespeare.lit"))
    await coven.quiet()
    await does(coven.admin, affiliated(none="hecate@localhost", outcast="macbeth@shakespeare.lit hag66@localhost"))
    assert sorted(await listed(coven.admin, affiliation="outcast")) == ["hag66", "lear", "macbeth"]
    await sees(coven.member, "thirdwitch", "outcast", "none", 301, 110, gone=True)
    await enters(coven.stranger, "fourthwitch")


async def test_a_ban_list_with_one_forbidden_ban_changes_nothing(coven: Company) -> None:
    asked = affiliated(outcast="hecate@localhost crone1@localhost")
    assert await fails(coven.admin, asked) == "not-allowed"
    asked = affiliated(outcast="hecate@localhost wiccarocks@localhost")
    assert await fails(coven.admin, asked) == "conflict"
    for client in coven.everybody:
        await client.receives_nothing()
    assert await listed(coven.admin, affiliation="outcast") == {}


async def test_a_whole_domain_is_banned(coven: Company) -> None:
    await does(coven.admin, affiliated(outcast="shakespeare.lit"))
    room = coven.world.module("muc").rooms.loaded["coven"]
    assert room.affiliation_of(JID.parse("macbeth@shakespeare.lit/castle")) == "outcast"


async def test_admin_grants_membership(coven: Company) -> None:
    await does(coven.admin, affiliation("hecate", "member", "A worthy witch indeed!"))
    shown = await sees(coven.owner, "fourthwitch", "member", "participant")
    assert why(shown) == ("secondwitch", "A worthy witch indeed!")
    await sees(coven.member, "fourthwitch", "member", "participant")
    assert "hecate" in await listed(coven.admin, affiliation="member")


async def test_a_member_of_a_moderated_room_has_voice(world: World) -> None:
    company = await gather(world, moderatedroom="1")
    await does(company.admin, affiliation("hecate", "member"))
    await sees(company.owner, "fourthwitch", "member", "participant")


async def test_admin_revokes_membership(coven: Company) -> None:
    await does(coven.admin, affiliation("hag66", "none", "Not so worthy after all!"))
    shown = await sees(coven.owner, "thirdwitch", "none", "participant")
    assert why(shown) == ("secondwitch", "Not so worthy after all!")
    assert await listed(coven.admin, affiliation="member") == {}


async def test_the_reserved_nick_goes_with_the_membership(coven: Company) -> None:
    await does(coven.admin, affiliation("lear", "member", nick="King"))
    await does(coven.admin, affiliation("lear", "none", nick="Fool"))
    for name in ("King", "Fool"):
        await does(coven.admin, affiliation("macbeth", "member", nick=name))


async def test_service_removes_non_member(world: World) -> None:
    company = await gather(world, membersonly="1")
    await does(company.admin, affiliation("hag66", "none"))
    await sees(company.member, "thirdwitch", "none", "none", 321, 110, gone=True)
    await sees(company.owner, "thirdwitch", "none", "none", 321, gone=True)
    company.member.send(entering("thirdwitch"))
    await company.member.receives_error("registration-required")


async def test_admin_requests_member_list(coven: Company) -> None:
    await does(coven.admin, affiliation("lear", "member", nick="King"))
    assert await listed(coven.admin, affiliation="member") == {
        "hag66": {"affiliation": "member", "jid": "hag66@localhost", "nick": "thirdwitch", "role": "participant"},
        "lear": {"affiliation": "member", "jid": "lear@localhost", "nick": "King"},
    }


async def test_members_retrieve_the_member_list_of_a_room_that_is_not_anonymous(world: World) -> None:
    company = await gather(world, membersonly="1", whois="anyone")
    assert sorted(await listed(company.member, affiliation="member")) == ["hag66"]
    company.member.send(f"<presence to='{ROOM}/thirdwitch' type='unavailable'/>")
    await company.member.pending()
    assert sorted(await listed(company.member, affiliation="member")) == ["hag66"], "or are not there"
    assert await fails(company.stranger, query("<item affiliation='member'/>", "get")) == "forbidden"


async def test_members_do_not_retrieve_the_member_list_of_an_anonymous_room(coven: Company) -> None:
    for client in (coven.member, coven.stranger):
        assert await fails(client, query("<item affiliation='member'/>", "get")) == "forbidden"


async def test_admin_sends_modified_member_list_to_service(coven: Company) -> None:
    await does(coven.admin, affiliated(none="hag66@localhost", member="hecate@localhost"))
    await sees(coven.owner, "thirdwitch", "none", "participant")
    await sees(coven.owner, "fourthwitch", "member", "participant")
    assert list(await listed(coven.admin, affiliation="member")) == ["hecate"]


async def test_a_reserved_nick_is_changed_and_unset_in_the_member_list(coven: Company) -> None:
    await does(coven.admin, affiliation("lear", "member", nick="King"))
    await does(coven.admin, affiliation("lear", "member"))
    assert (await listed(coven.admin, affiliation="member"))["lear"]["nick"] == "King"
    await does(coven.admin, affiliation("lear", "member", nick=""))
    assert "nick" not in (await listed(coven.admin, affiliation="member"))["lear"]


async def test_a_nick_that_is_taken_is_not_reserved_for_another(coven: Company) -> None:
    assert await fails(coven.admin, affiliation("lear", "member", nick="fourthwitch")) == "conflict"
    await does(coven.admin, affiliation("lear", "member", nick="King"))
    assert await fails(coven.admin, affiliation("macbeth", "member", nick="King")) == "conflict"
    assert sorted(await listed(coven.admin, affiliation="member")) == ["hag66", "lear"]


async def test_one_nick_is_not_reserved_for_two(coven: Company) -> None:
    items = (f"<item affiliation='member' jid='{name}@localhost' nick='King'/>" for name in ("lear", "macbeth"))
    assert await fails(coven.admin, query("".join(items))) == "bad-request"
    assert list(await listed(coven.admin, affiliation="member")) == ["hag66"]


async def test_room_sends_invitation_to_new_member(world: World) -> None:
    fields = {"membersonly": "1", "passwordprotectedroom": "1", "roomsecret": "cauldronburn"}
    crone, hecate = await world.online("crone1/desktop"), await world.online("hecate/broom")
    await found(crone, "firstwitch", **fields)
    await does(crone, affiliation("hecate", "member"))
    invitation = await hecate.receives(f"c:message[@from='{ROOM}']")
    assert has(invitation, "m:x/m:invite[@from='crone1@localhost']")
    assert has(invitation, "m:x/m:password[.='cauldronburn']")
    await does(crone, affiliation("hecate", "admin"))
    await hecate.receives_nothing()


async def test_nobody_is_invited_to_an_open_room_by_membership(world: World) -> None:
    crone, hecate = await world.online("crone1/desktop"), await world.online("hecate/broom")
    await found(crone, "firstwitch")
    await does(crone, affiliation("hecate", "member"))
    await hecate.receives_nothing()


async def test_an_administrator_of_the_service_is_an_owner_everywhere() -> None:
    async with a_service() as world:
        crone, admin = await world.online("crone1/desktop"), await world.online("admin/office")
        await found(crone, "firstwitch")
        await does(admin, affiliation("hecate", "admin"))
        shown = await enters(admin, "boss")
        assert "110" in codes(shown[1])
        assert error_of(await crone.ask(affiliation("admin", "owner"))) == ""
