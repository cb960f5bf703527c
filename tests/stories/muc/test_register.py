"""XEP-0045 7.10, 7.12 and 9.9: registration with a room, and the nick that goes with it."""

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World

from .coven import NAMES, ROOM, entering, has, world
from .ruling import Company, affiliation, configured, coven, does, fails, field, listed, query, sees

__all__ = ["coven", "world"]

REGISTER = "jabber:iq:register"
FORM = "http://jabber.org/protocol/muc#register"
ASK = query("", "get", REGISTER)
REMOVE = query("<remove/>", namespace=REGISTER)
OPEN = configured(field("{urn:xmppd:muc:0}registration", "open"))
CLOSED = configured(field("{urn:xmppd:muc:0}registration", "closed"))


def register(nick: str, **others: str) -> str:
    """The filled form."""
    fields = field("FORM_TYPE", FORM) + field("muc#register_roomnick", nick)
    fields += "".join(field(f"muc#register_{name}", text) for name, text in others.items())
    return query(f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>", namespace=REGISTER)


def approval(jid: str, nick: str, allow: str, type: str = "submit") -> str:
    """An admin's word."""
    fields = field("FORM_TYPE", FORM) + field("muc#register_jid", jid) + field("muc#register_roomnick", nick)
    fields += field("muc#register_allow", allow)
    return f"<message to='{ROOM}' id='a1'><x xmlns='jabber:x:data' type='{type}'>{fields}</x></message>"


async def open_registration(coven: Company) -> None:
    """From now on requests are granted."""
    await does(coven.owner, OPEN)
    await coven.quiet()


async def reserved(client: Client) -> list[str]:
    """7.12: the nick that the room has reserved for a client."""
    ask = (
        f"<iq type='get' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>"
    )
    reply = await does(client, ask)
    return [str(name) for name in reply.xpath("info:query/info:identity/@name", namespaces=NAMES)]


async def test_service_returns_registration_form(coven: Company) -> None:
    reply = await does(coven.stranger, ASK)
    assert has(reply, "*/x:x[@type='form']/x:field[@var='muc#register_roomnick']/x:required")
    assert has(reply, f"*/x:x/x:field[@var='FORM_TYPE']/x:value[.='{FORM}']")


async def test_room_does_not_exist(world: World) -> None:
    hag = await world.online("hag66/pda")
    assert await fails(hag, ASK) == "item-not-found"


async def test_user_is_not_allowed_to_register(coven: Company) -> None:
    await does(coven.owner, CLOSED)
    assert await fails(coven.stranger, ASK) == "not-allowed"
    assert await fails(coven.stranger, register("Hecate")) == "not-allowed"
    await does(coven.admin, affiliation("hecate", "outcast"))
    await does(coven.owner, OPEN)
    assert await fails(coven.stranger, ASK) == "not-allowed"


async def test_user_submits_registration_form(coven: Company) -> None:
    await open_registration(coven)
    await does(coven.stranger, register("Hecate", first="Hecate", url="http://witchesonline/"))
    await sees(coven.owner, "fourthwitch", "member", "participant")
    assert (await listed(coven.admin, affiliation="member"))["hecate"]["affiliation"] == "member"
    assert await reserved(coven.stranger) == ["Hecate"]


async def test_user_is_already_registered(coven: Company) -> None:
    await open_registration(coven)
    await does(coven.stranger, register("Hecate"))
    reply = await does(coven.stranger, ASK)
    assert reply.find(f"*/{{{REGISTER}}}registered") is not None
    assert reply.findtext(f"*/{{{REGISTER}}}username") == "Hecate"


async def test_a_member_reserves_a_nick_and_another_one(coven: Company) -> None:
    await does(coven.member, register("Hag"))
    await does(coven.member, register("Hag66"))
    assert await reserved(coven.member) == ["Hag66"]
    await coven.quiet()
    await open_registration(coven)
    await does(coven.stranger, register("Hag"))


async def test_room_returns_conflict_error_to_user(coven: Company) -> None:
    await does(coven.member, register("Hag"))
    await open_registration(coven)
    assert await fails(coven.stranger, register("Hag")) == "conflict"
    assert await fails(coven.stranger, register("secondwitch")) == "conflict", "it is worn by somebody else"
    await does(coven.stranger, register("fourthwitch"))


async def test_nobody_else_enters_under_a_reserved_nick(coven: Company) -> None:
    await does(coven.member, register("Hag"))
    lear = await coven.world.online("lear/castle")
    lear.send(entering("Hag"))
    await lear.receives_error("conflict")


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<username>hecate</username>",
        "<x xmlns='jabber:x:data' type='submit'/>",
        "<x xmlns='jabber:x:data' type='cancel'/>",
        f"<x xmlns='jabber:x:data' type='submit'>{field('FORM_TYPE', 'urn:other')}</x>",
        f"<x xmlns='jabber:x:data' type='submit'>{field('muc#register_roomnick', 'a', 'b')}</x>",
        f"<x xmlns='jabber:x:data' type='submit'>{field('muc#register_roomnick', 'x' * 1024)}</x>",
    ],
)
async def test_room_returns_service_bad_request_error_to_user(coven: Company, inside: str) -> None:
    await open_registration(coven)
    assert await fails(coven.stranger, query(inside, namespace=REGISTER)) == "bad-request"
    assert "hecate" not in await listed(coven.admin, affiliation="member")


async def test_a_nick_that_could_not_enter_is_not_registered(coven: Company) -> None:
    await open_registration(coven)
    assert await fails(coven.stranger, register("x" * 101)) == "not-acceptable"


async def test_a_user_ends_the_registration(coven: Company) -> None:
    await open_registration(coven)
    await does(coven.stranger, register("Hecate"))
    await coven.quiet()
    await does(coven.stranger, REMOVE)
    await sees(coven.owner, "fourthwitch", "none", "participant")
    assert await reserved(coven.stranger) == []
    assert await fails(coven.stranger, REMOVE) == "registration-required"


async def test_an_admin_who_ends_the_registration_stays_admin(coven: Company) -> None:
    await does(coven.admin, register("Wicca"))
    await does(coven.admin, REMOVE)
    assert await reserved(coven.admin) == []
    assert "wiccarocks" in await listed(coven.owner, affiliation="admin")


# 9.9


async def test_registration_request_approval_form(coven: Company) -> None:
    await does(coven.stranger, register("Hecate", first="Hecate"))
    for client in (coven.owner, coven.admin):
        asked = await client.receives(f"c:message[@from='{ROOM}']")
        assert has(asked, "x:x[@type='form']/x:field[@var='muc#register_roomnick']/x:value[.='Hecate']")
        assert has(asked, "x:x/x:field[@var='muc#register_jid']/x:value[.='hecate@localhost']")
        assert has(asked, "x:x/x:field[@var='muc#register_first']/x:value[.='Hecate']")
        assert has(asked, "x:x/x:field[@var='muc#register_allow']/x:value[.='0']")
    await coven.member.receives_nothing()
    assert "hecate" not in await listed(coven.admin, affiliation="member")


async def test_a_nick_that_is_taken_is_put_before_nobody(coven: Company) -> None:
    assert await fails(coven.stranger, register("secondwitch")) == "conflict"
    await coven.admin.receives_nothing()


async def test_an_admin_approves(coven: Company) -> None:
    await does(coven.stranger, register("Hecate"))
    await coven.quiet()
    coven.admin.send(approval("hecate@localhost", "Hecate", "1"))
    await coven.admin.ping()
    await sees(coven.member, "fourthwitch", "member", "participant")
    assert await reserved(coven.stranger) == ["Hecate"]


async def test_an_admin_denies_or_passes_over(coven: Company) -> None:
    await does(coven.stranger, register("Hecate"))
    await coven.quiet()
    coven.admin.send(approval("hecate@localhost", "Hecate", "0"))
    coven.admin.send(approval("hecate@localhost", "Hecate", "1", "cancel"))
    await coven.admin.receives_nothing()
    await coven.member.receives_nothing()


async def test_only_admins_approve(coven: Company) -> None:
    for client in (coven.member, coven.stranger):
        client.send(approval("hecate@localhost", "Hecate", "1"))
        await client.receives_error("forbidden")


async def test_an_approval_lifts_no_ban(coven: Company) -> None:
    await does(coven.admin, affiliation("hecate", "outcast"))
    await coven.quiet()
    coven.admin.send(approval("hecate@localhost", "Hecate", "1"))
    await coven.admin.receives_error("not-allowed")


async def test_admins_who_are_not_there_are_asked_where_none_is(coven: Company) -> None:
    for client, nick in ((coven.owner, "firstwitch"), (coven.admin, "secondwitch")):
        client.send(f"<presence to='{ROOM}/{nick}' type='unavailable'/>")
        await client.pending()
    await coven.quiet()
    await does(coven.stranger, register("Hecate"))
    for client in (coven.owner, coven.admin):
        await client.receives(f"c:message[@from='{ROOM}'][@to='{client.jid.bare}']")


async def test_requests_are_not_made_too_often(coven: Company) -> None:
    await does(coven.stranger, register("Hecate"))
    assert await fails(coven.stranger, register("Hecate")) == "resource-constraint"
    await coven.world.advance(61)
    await does(coven.stranger, register("Hecate"))
    assert error_of(await coven.stranger.ask(ASK)) == ""
