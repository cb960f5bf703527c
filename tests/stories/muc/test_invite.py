"""XEP-0045 7.8 and 9.5: invitations."""

import pytest

from tests.kit.client import error_of
from tests.kit.world import World

from .coven import ROOM, USER, a_service, bodies, enters, found, has, say, world
from .ruling import Company, affiliation, coven, does, gather, listed

__all__ = ["coven", "world"]


def invite(*names: str, reason: str = "", inside: str = "", room: str = ROOM) -> str:
    """A mediated invitation."""
    said = f"<reason>{reason}</reason>" if reason else ""
    invites = "".join(f"<invite to='{name}'>{said}{inside}</invite>" for name in names)
    return f"<message id='i1' to='{room}'><x xmlns='{USER}'>{invites}</x></message>"


async def test_occupant_sends_a_mediated_invitation(coven: Company) -> None:
    lear = await coven.world.online("lear/castle")
    coven.stranger.send(invite("lear@localhost", reason="Hey, this is the place for all good witches!"))
    invitation = await lear.receives(f"c:message[@from='{ROOM}'][@to='lear@localhost']")
    path = "m:x/m:invite[@from='hecate@localhost']/m:reason[.='Hey, this is the place for all good witches!']"
    assert has(invitation, path)
    assert not has(invitation, "m:x/m:password")
    assert "lear" not in await listed(coven.admin, affiliation="member"), "an open room makes nobody a member by it"


async def test_the_room_adds_its_password(world: World) -> None:
    crone, lear = await world.online("crone1/desktop"), await world.online("lear/castle")
    await found(crone, "firstwitch", passwordprotectedroom="1", roomsecret="cauldron&amp;burn")
    crone.send(invite("lear@localhost"))
    invitation = await lear.receives("c:message")
    assert has(invitation, "m:x/m:password[.='cauldron&burn']")


async def test_a_conversation_goes_on_in_the_room(coven: Company) -> None:
    lear = await coven.world.online("lear/castle")
    coven.owner.send(invite("lear@localhost", inside="<continue thread='e0ffe42b28561960c6b12b944a092794b9683a38'/>"))
    assert has(
        await lear.receives("c:message"), "m:x/m:invite/m:continue[@thread='e0ffe42b28561960c6b12b944a092794b9683a38']"
    )


async def test_owner_sends_history_to_room_and_invitee_receives_it(world: World) -> None:
    """Examples 62 and 65; the room adds no date of its own to the owner's."""
    crone, wicca = await world.online("crone1/desktop"), await world.online("wiccarocks/laptop")
    await found(crone, "firstwitch")
    lines = {"Thrice the brinded cat hath mew'd.": "01:54:37Z", "Thrice and once the hedge-pig whined.": "01:55:21Z"}
    for line, time in lines.items():
        date = f"<delay xmlns='urn:xmpp:delay' from='{crone.jid}' stamp='2004-09-29T{time}'/>"
        thread = "<thread>e0ffe42b28561960</thread>"
        crone.send(f"<message to='{ROOM}' type='groupchat'>{thread}<body>{line}</body>{date}</message>")
    assert [each.xpath("string(*/@stamp)")[11:] for each in await crone.pending()] == list(lines.values())
    _, _, *told, _ = await enters(wicca, "secondwitch")
    assert bodies(told) == list(lines)
    for each, time in zip(told, lines.values(), strict=True):
        assert each.xpath("*[local-name()='delay']/@stamp") == [f"2004-09-29T{time}"]
        assert each.findtext("{jabber:client}thread") == "e0ffe42b28561960"


async def test_whom_the_room_does_not_belong_to_dates_nothing(coven: Company) -> None:
    date = f"<delay xmlns='urn:xmpp:delay' from='{coven.member.jid}' stamp='2004-09-29T01:54:37Z'/>"
    coven.member.send(say(f"hi</body>{date}<body xml:lang='de'>hallo"))
    await coven.member.ping()
    hag = await coven.world.session("hecate/besom")
    *_, told, _ = await enters(hag, "fifthwitch")
    assert has(told, f"d:delay[@from='{ROOM}']")


async def test_several_are_invited_at_once(coven: Company) -> None:
    lear, macbeth = await coven.world.online("lear/castle"), await coven.world.online("macbeth/castle")
    coven.owner.send(invite("lear@localhost", "macbeth@localhost"))
    for client in (lear, macbeth):
        assert has(await client.receives("c:message"), "m:x[count(m:invite)=1]")


async def test_invitee_declines_invitation(coven: Company) -> None:
    lear = await coven.world.online("lear/castle")
    coven.member.send(invite("lear@localhost"))
    await lear.receives("c:message")
    decline = "<decline to='hag66@localhost'><reason>Sorry, I'm too busy right now.</reason></decline>"
    lear.send(f"<message to='{ROOM}'><x xmlns='{USER}'>{decline}</x></message>")
    await lear.ping()
    declined = await coven.member.receives(f"c:message[@from='{ROOM}'][@to='hag66@localhost']")
    assert has(declined, "m:x/m:decline[@from='lear@localhost']/m:reason[.=\"Sorry, I'm too busy right now.\"]")


async def test_a_decline_reaches_nobody_who_has_nothing_to_do_with_the_room(coven: Company) -> None:
    lear, macbeth = await coven.world.online("lear/castle"), await coven.world.online("macbeth/castle")
    lear.send(f"<message to='{ROOM}'><x xmlns='{USER}'><decline to='macbeth@localhost'/></x></message>")
    await lear.receives_error("item-not-found")
    await macbeth.receives_nothing()


async def test_the_inviter_supplies_a_jid_that_does_not_exist(coven: Company) -> None:
    coven.owner.send(invite("nobody@localhost"))
    await coven.owner.receives_error("item-not-found")


async def test_an_outcast_is_not_invited(coven: Company) -> None:
    await coven.world.account("lear")
    await does(coven.owner, affiliation("lear", "outcast"))
    coven.owner.send(invite("lear@localhost"))
    await coven.owner.receives_error("not-allowed")


async def test_service_returns_error_on_attempt_by_mere_member_to_invite_others_to_a_members_only_room(
    world: World,
) -> None:
    company = await gather(world, membersonly="1")
    lear = await world.online("lear/castle")
    company.member.send(invite("lear@localhost"))
    await company.member.receives_error("forbidden")
    await lear.receives_nothing()


async def test_an_admin_of_a_members_only_room_makes_members_by_inviting(world: World) -> None:
    company = await gather(world, membersonly="1")
    lear = await world.online("lear/castle")
    company.admin.send(invite("lear@localhost"))
    await lear.receives("c:message[not(@type)]")
    await lear.receives_nothing()
    assert sorted(await listed(company.admin, affiliation="member")) == ["hag66", "lear"]
    await enters(lear, "king")


async def test_members_invite_where_the_room_allows_it(world: World) -> None:
    company = await gather(world, membersonly="1", allowinvites="1")
    lear = await world.online("lear/castle")
    company.member.send(invite("lear@localhost"))
    await lear.receives("c:message")
    await enters(lear, "king")
    assert "lear" in await listed(company.admin, affiliation="member")


@pytest.mark.parametrize("domain", ["shakespeare.lit", "shakespeare.lit/castle", "localhost"])
async def test_no_whole_domain_is_invited(world: World, domain: str) -> None:
    company = await gather(world, membersonly="1", allowinvites="1")
    company.member.send(invite(domain))
    await company.member.receives_error("not-acceptable")
    assert list(await listed(company.owner, affiliation="member")) == ["hag66"]


async def test_nobody_advertises_by_invitations(coven: Company) -> None:
    coven.stranger.send(invite(*["lear@shakespeare.lit"] * 20) + invite("hag66@localhost"))
    await coven.stranger.ping()
    errors = [error_of(each) for each in await coven.stranger.pending()]
    assert errors[-1] == "resource-constraint"
    await coven.member.receives_nothing()
    coven.owner.send(invite("hag66@localhost"))
    await coven.owner.receives_nothing()
    await coven.member.receives("c:message")
    await coven.world.advance(4)
    coven.stranger.send(invite("hag66@localhost"))
    await coven.stranger.receives_nothing()
    await coven.member.receives("c:message")


async def test_an_outcast_declines_nothing(coven: Company) -> None:
    await does(coven.owner, affiliation("hecate", "outcast"))
    await coven.quiet()
    coven.stranger.send(f"<message to='{ROOM}'><x xmlns='{USER}'><decline to='crone1@localhost'/></x></message>")
    await coven.stranger.receives_error("forbidden")
    await coven.owner.receives_nothing()


async def test_who_is_not_in_the_room_invites_nobody(coven: Company) -> None:
    lear = await coven.world.online("lear/castle")
    lear.send(invite("hecate@localhost"))
    await lear.receives_error("not-acceptable")


@pytest.mark.parametrize(
    ("inside", "condition"),
    [
        ("<invite/>", "bad-request"),
        ("<decline/>", "bad-request"),
        ("<invite to='a@b@c'/>", "jid-malformed"),
        ("<decline to='hecate@localhost'/><decline to='hag66@localhost'/>", "not-acceptable"),
        ("<invite to='hecate@localhost'/>" * 21, "not-acceptable"),
        (f"<invite to='hecate@localhost'><reason>{'x' * 1001}</reason></invite>", "not-acceptable"),
        ("<item affiliation='owner'/>", "bad-request"),
    ],
)
async def test_what_an_invitation_may_not_be(coven: Company, inside: str, condition: str) -> None:
    coven.owner.send(f"<message to='{ROOM}'><x xmlns='{USER}'>{inside}</x></message>")
    await coven.owner.receives_error(condition)
    await coven.stranger.receives_nothing()


async def test_direct_invitations_pass_from_user_to_user() -> None:
    """XEP-0249: the room has no part in it."""
    async with a_service() as world:
        crone, hecate = await world.online("crone1/desktop"), await world.online("hecate/broom")
        x = f"<x xmlns='jabber:x:conference' jid='{ROOM}' password='cauldronburn' reason='Hey Hecate'/>"
        crone.send(f"<message to='hecate@localhost'>{x}</message>")
        invitation = await hecate.receives("c:message[@from='crone1@localhost/desktop']")
        assert invitation[0].get("jid") == ROOM
