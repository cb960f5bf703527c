"""Requests to a room with everything wrong in them: a clear error each, and the room stays as it was."""

from __future__ import annotations

import asyncio
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.kit.client import NAMES, error_of
from tests.stories.hard_input.coven import ROOM, Coven, a_coven
from tests.stories.muc.coven import OWNER, enters

ADMIN = OWNER.replace("owner", "admin")
USER = OWNER.replace("owner", "user")
REFUSED = {"bad-request", "not-acceptable", "jid-malformed", "item-not-found", "not-allowed", "forbidden", "conflict"}
CRAZY = ["", "x", "-1", "99999999999999999999", "1.5", "true false", "@", "a@b@c", "p" * 2000, "é" * 1000, "a\nb", "0"]
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=20)


async def asked(coven: Coven, type: str, payload: str, to: str = ROOM) -> str:
    """What Bob's request is refused with, if it is."""
    reply = await coven.one.ask(f"<iq type='{type}' to='{to}'>{payload}</iq>")
    return error_of(reply)


async def form(coven: Coven) -> dict[str, tuple[str, ...]]:
    """The room's configuration."""
    reply = await coven.one.ask(f"<iq type='get' to='{ROOM}'><query xmlns='{OWNER}'/></iq>")
    fields = reply.xpath(".//x:field[@var]", namespaces=NAMES)
    return {field.get("var"): tuple(field.xpath("x:value/text()", namespaces=NAMES)) for field in fields}


def submission(fields: dict[str, list[str]], kind: str = "submit") -> str:
    """A form with these fields."""
    inside = "".join(
        f"<field var={quoteattr(var)}>{''.join(f'<value>{escape(value)}</value>' for value in values)}</field>"
        for var, values in fields.items()
    )
    return f"<query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='{kind}'>{inside}</x></query>"


@pytest.mark.slow
async def test_a_form_with_one_field_wrong_changes_nothing() -> None:
    async with a_coven() as coven:
        before = await form(coven)
        refused = set()
        for var in before:
            for values in ([value] for value in CRAZY):
                condition = await asked(coven, "set", submission({var: values}))
                assert condition in REFUSED | {""}, (var, values)
                if condition:
                    refused.add(var)
                else:
                    assert await asked(coven, "set", submission({var: list(before[var])})) == "", (var, values)
                assert await form(coven) == before, (var, values)
        assert len(refused) > len(before) * 0.8
        await coven.hear()


async def test_a_form_with_all_fields_wrong_changes_nothing() -> None:
    async with a_coven() as coven:
        before = await form(coven)
        for value in CRAZY:
            for fields in ({var: [value] for var in before}, {var: [value] * 4 for var in before}):
                assert await asked(coven, "set", submission(fields)) in REFUSED
                assert await form(coven) == before
        for kind in ("form", "result", "", "x"):
            assert (
                await asked(coven, "set", submission({var: list(values) for var, values in before.items()}, kind)) != ""
            )
        await coven.talk()


def test_forms_that_nobody_would_send() -> None:
    """Numbers stand for fields that there are, and for what is in `CRAZY`."""

    async def story(forms: list[dict[int | str, list[int | str]]]) -> None:
        async with a_coven() as coven:
            names = list(await form(coven))
            for fields in forms:
                named = {_of(names, var): [_of(CRAZY, value) for value in values] for var, values in fields.items()}
                assert await asked(coven, "set", submission(named)) in REFUSED | {""}
            await coven.hear()

    values = st.lists(st.integers(0, 100) | TEXT, max_size=4)
    forms = st.lists(st.dictionaries(st.integers(0, 100) | TEXT, values, max_size=10), min_size=5, max_size=10)

    @settings(max_examples=10, deadline=None, phases=[Phase.generate])
    @given(forms)
    def run(forms: list[dict[int | str, list[int | str]]]) -> None:
        asyncio.run(story(forms))

    run()


def _of(known: list[str], choice: int | str) -> str:
    return choice if isinstance(choice, str) else known[choice % len(known)]


async def test_queries_of_owners_and_admins_with_nonsense_inside() -> None:
    items = [
        "",
        "<item/>",
        "<item/>" * 600,
        "<item role='none'/>",
        "<item affiliation='outcast'/>",
        "<item nick='Carol'/>",
        "<item nick='Carol' role='queen'/>",
        "<item nick='Carol' role=''/>",
        "<item nick='Carol' affiliation='queen'/>",
        "<item nick='Carol' role='none' affiliation='outcast'/>",
        "<item nick='Nobody' role='none'/>",
        f"<item nick='{'n' * 60_000}' role='none'/>",
        "<item nick='' role='none'/>",
        "<item nick='Carol' role='none'/><item nick='Nobody' role='none'/>",
        "<item nick='Carol' role='none'/>" * 2,
        "<item jid='@' affiliation='outcast'/>",
        "<item jid='' affiliation='outcast'/>",
        f"<item jid='{'a' * 2000}@localhost' affiliation='outcast'/>",
        "<item jid='localhost' affiliation='owner'/>",
        "<item jid='bob@localhost' affiliation='none'/>",
        "<item jid='carol@localhost' affiliation='outcast'/><item jid='@' affiliation='outcast'/>",
        "<x xmlns='jabber:x:data'/>",
        "<destroy xmlns='urn:other'/>",
        "<a>" * 60 + "</a>" * 60,
    ]
    async with a_coven() as coven:
        for inside in items:
            for namespace in (ADMIN, OWNER, USER):
                assert await asked(coven, "set", f"<query xmlns='{namespace}'>{inside}</query>") != "", inside[:80]
        for inside in (
            "",
            "<item/>",
            "<item affiliation='queen'/>",
            "<item role=''/>",
            "<item affiliation='none'/>" * 2,
        ):
            assert await asked(coven, "get", f"<query xmlns='{ADMIN}'>{inside}</query>") == "bad-request"
        assert await asked(coven, "set", f"<query xmlns='{OWNER}'><destroy jid='@'/></query>") == "jid-malformed"
        assert coven.nicks() == ["Bob", "Carol"]
        await coven.talk()


async def test_so_from_who_may_not_ask() -> None:
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        await enters(eve, "Eve")
        await coven.hear()
        stranger = await coven.world.online("mallory/x")
        for client in (eve, stranger):
            for inside in (
                "<item nick='Bob' role='none'/>",
                "<item jid='bob@localhost' affiliation='outcast'/>",
                f"<item jid='{client.jid.bare}' affiliation='owner'/>",
                "<item jid='@' affiliation='owner'/>",
            ):
                reply = await client.ask(f"<iq type='set' to='{ROOM}'><query xmlns='{ADMIN}'>{inside}</query></iq>")
                assert error_of(reply) in ("forbidden", "not-allowed", "jid-malformed")
            for inside in ("<destroy/>", "<x xmlns='jabber:x:data' type='submit'/>", ""):
                reply = await client.ask(f"<iq type='set' to='{ROOM}'><query xmlns='{OWNER}'>{inside}</query></iq>")
                assert error_of(reply) == "forbidden"
        await coven.talk()


async def test_invitations_and_requests_for_voice_with_nonsense_inside() -> None:
    insides = [
        f"<x xmlns='{USER}'><invite/></x>",
        f"<x xmlns='{USER}'><invite to='@'/></x>",
        f"<x xmlns='{USER}'>" + "<invite to='nobody@localhost'/>" * 1000 + "</x>",
        f"<x xmlns='{USER}'><invite to='{ROOM}'/></x>",
        f"<x xmlns='{USER}'><invite to='conference.localhost'/></x>",
        f"<x xmlns='{USER}'><decline to='@'/></x>",
        f"<x xmlns='{USER}'><decline to='bob@localhost'/></x>",
        "<x xmlns='jabber:x:data'/>",
        "<x xmlns='jabber:x:data' type='submit'/>",
        "<x xmlns='jabber:x:data' type='submit'><field var='muc#role'><value>owner</value></field></x>",
        "<x xmlns='jabber:x:data' type='submit'><field/></x>" * 50,
        "",
    ]
    async with a_coven() as coven:
        eve = await coven.world.online("eve/x")
        await enters(eve, "Eve")
        await coven.hear()
        await eve.pending()
        for inside in insides:
            eve.send(f"<message to='{ROOM}'>{inside}</message>")
            answers = await eve.pending()
            assert all(error_of(each) for each in answers), inside[:80]
        assert await coven.hear() == []
