"""What expat takes from a client and libxml2 would not read stands in nobody's way: a namespace that is no URI."""

import pytest
from lxml import etree

from tests.kit.world import a_world
from tests.stories.archives import MODULES
from tests.stories.muc.coven import a_service, entering, found, say
from xmppd.modules.offline.imported import messages_of
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

ODD = "<x xmlns='urn:%'/>"
BOB = JID.parse("bob@localhost")


async def test_an_administrator_sees_who_is_there() -> None:
    async with a_world(modules={"ping": {}, "presence": {}, "roster": {}}) as world:
        await world.online("alice/desk")
        bob = await world.session("bob/desk")
        bob.send(f"<presence><show>away</show>{ODD}</presence>")
        assert b"urn:%" in await bob.reads(b"</presence>")
        rows = await world.server.commands.call("connected_users_info", ())
        assert [row["status"] for row in rows] == ["available", "available"]


async def test_who_enters_a_room_is_told_what_was_said() -> None:
    async with a_service() as world:
        crone = await world.online("crone1/desktop")
        await found(crone, "firstwitch")
        crone.send(say("Thrice").replace("</message>", f"{ODD}</message>"))
        assert b"urn:%" in await crone.reads(b"</message>")
        hag = await world.online("hecate/broom")
        hag.send(entering("hecate"))
        assert b"Thrice" in await hag.reads(b"</message>")


async def test_it_is_archived_without_words_to_find_it_by() -> None:
    async with a_world(modules=MODULES | {"mam": {"search": True}}) as world:
        await world.account("bob")
        alice = await world.online("alice/desk")
        alice.send(f"<message to='{BOB}' type='chat'><body>hi</body>{ODD}</message>")
        await alice.receives_nothing()
        alice.send("<iq type='set' id='1'><query xmlns='urn:xmpp:mam:2'/></iq>")
        assert b"<body>hi</body><x xmlns='urn:%'/>" in await alice.reads(b"</message>")


async def test_last_words_are_none(caplog: pytest.LogCaptureFixture) -> None:
    async with a_world(modules={"ping": {}, "presence": {}, "roster": {}, "last": {}}) as world:
        alice = await world.online("alice/desk")
        alice.send(f"<presence type='unavailable'><status>gone</status>{ODD}</presence>")
        alice.send("<iq type='get' id='after'><ping xmlns='urn:xmpp:ping'/></iq>")
        await alice.reads(b"id='after' type='result'/>")
        assert not [each for each in caplog.records if each.exc_info]


@pytest.mark.parametrize("inside", ["<\u2c00 xmlns='urn:x'/>", "<\U00010400/>"])
def test_what_libxml2_alone_would_read_is_not_imported(inside: str) -> None:
    """Names of the fifth edition of XML 1.0: no stream can bring them."""
    message = f"<message xmlns='jabber:client' to='{BOB}'><body>hi</body>{inside}</message>"
    element = etree.fromstring(f"<offline-messages>{message}</offline-messages>")
    with pytest.raises(StanzaError, match="policy-violation: the stanza cannot be read"):
        messages_of(element, BOB, 0.0)
