"""XEP-0045 7.13 and 8.6: visitors ask for voice, moderators grant it."""

import pytest

from .coven import ROOM, enters, has
from .ruling import Company, configured, coven, does, field, moderated, sees

__all__ = ["coven", "moderated"]

FORM = "http://jabber.org/protocol/muc#request"


def voice(*fields: str, type: str = "submit") -> str:
    """A form muc#request."""
    inside = field("FORM_TYPE", FORM) + "".join(fields)
    return f"<message to='{ROOM}' id='v1'><x xmlns='jabber:x:data' type='{type}'>{inside}</x></message>"


ASK = voice(field("muc#role", "participant"))


def word(nick: str = "fourthwitch", jid: str = "hecate@localhost/broom", allow: str = "true") -> str:
    """A moderator's answer."""
    fields = field("muc#role", "participant") + field("muc#jid", jid) + field("muc#roomnick", nick)
    return voice(fields, field("muc#request_allow", allow))


async def test_occupant_requests_voice(moderated: Company) -> None:
    moderated.stranger.send(ASK)
    await moderated.stranger.receives_nothing()
    for client in (moderated.owner, moderated.admin):
        asked = await client.receives(f"c:message[@from='{ROOM}']")
        for var, value in (
            ("FORM_TYPE", FORM),
            ("muc#role", "participant"),
            ("muc#jid", "hecate@localhost/broom"),
            ("muc#roomnick", "fourthwitch"),
            ("muc#request_allow", "0"),
        ):
            assert has(asked, f"x:x[@type='form']/x:field[@var='{var}']/x:value[.='{value}']"), var
    await moderated.member.receives_nothing()


async def test_voice_request_approval_submission(moderated: Company) -> None:
    moderated.stranger.send(ASK)
    await moderated.stranger.ping()
    await moderated.quiet()
    moderated.admin.send(word())
    await moderated.admin.ping()
    await sees(moderated.member, "fourthwitch", "none", "participant")
    await sees(moderated.stranger, "fourthwitch", "none", "participant", 110)


async def test_a_request_is_denied_or_passed_over(moderated: Company) -> None:
    moderated.admin.send(word(allow="false"))
    moderated.admin.send(voice(type="cancel"))
    await moderated.admin.receives_nothing()
    await moderated.stranger.receives_nothing()


async def test_only_moderators_grant_voice(moderated: Company) -> None:
    for client in (moderated.member, moderated.stranger):
        for allow in ("true", "false"):
            client.send(word(allow=allow))
            await client.receives_error("forbidden")


@pytest.mark.parametrize(("nick", "jid"), [("nobody", "hecate@localhost/broom"), ("fourthwitch", "lear@localhost/x")])
async def test_voice_is_granted_to_whom_it_was_asked_for(moderated: Company, nick: str, jid: str) -> None:
    moderated.admin.send(word(nick, jid))
    await moderated.admin.receives_error("item-not-found")


async def test_requests_for_voice_are_not_made_too_often(moderated: Company) -> None:
    moderated.stranger.send(ASK * 2)
    await moderated.stranger.receives_error("resource-constraint")
    await moderated.world.advance(61)
    moderated.stranger.send(ASK)
    await moderated.stranger.receives_nothing()


async def test_a_room_may_take_no_requests(moderated: Company) -> None:
    await does(moderated.owner, configured(field("muc#roomconfig_allowvoicerequests", "0")))
    await moderated.quiet()
    moderated.stranger.send(ASK)
    await moderated.stranger.receives_error("forbidden")


async def test_who_has_voice_asks_for_none(moderated: Company) -> None:
    moderated.member.send(ASK)
    await moderated.member.receives_error("unexpected-request")


async def test_who_is_not_in_the_room_asks_for_none(moderated: Company) -> None:
    lear = await moderated.world.online("lear/castle")
    lear.send(ASK)
    await lear.receives_error("not-acceptable")


async def test_where_no_moderator_is_the_visitor_is_told(moderated: Company) -> None:
    for client, nick in ((moderated.owner, "firstwitch"), (moderated.admin, "secondwitch")):
        client.send(f"<presence to='{ROOM}/{nick}' type='unavailable'/>")
        await client.pending()
    await moderated.quiet()
    moderated.stranger.send(ASK)
    await moderated.stranger.receives_error("recipient-unavailable")
    await enters(moderated.admin, "secondwitch")


@pytest.mark.parametrize(
    ("form", "condition"),
    [
        (voice(field("muc#role", "moderator")), "not-acceptable"),
        (voice(field("muc#role", "visitor")), "bad-request"),
        (voice(field("muc#request_allow", "maybe")), "not-acceptable"),
        (f"<message to='{ROOM}' id='v1'><x xmlns='jabber:x:data' type='wish'/></message>", "bad-request"),
        (f"<message to='{ROOM}' id='v1'><x xmlns='jabber:x:data' type='submit'/></message>", "bad-request"),
    ],
)
async def test_what_a_voice_request_may_not_be(moderated: Company, form: str, condition: str) -> None:
    moderated.stranger.send(form)
    await moderated.stranger.receives_error(condition)
    await moderated.admin.receives_nothing()
