"""Which blocks pass: those of a stream that both sides agreed to, and of each as many as it may carry."""

from __future__ import annotations

import pytest

from tests.extensions.test_channels import EXTENSION, NS_IBB, agree, block, closing, offer, opened, the_world
from tests.kit.client import Client
from tests.kit.world import a_world
from tests.stories.muc.coven import ROOM, enters, found
from xmppd.extensions.data_channels.blocks import sid_of
from xmppd.testing import MODULES
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza


async def test_requests_that_nobody_answered_bring_no_rate() -> None:
    """One stream and thirty-nine requests are one stream."""
    async with the_world(rate=2048) as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await agree(alice, bob, "k7")
        for number in range(39):
            await offer(alice, bob, f"unanswered-{number}")
        alice.send(block(bob, "k7", 0, bytes(1024)) + block(bob, "k7", 1, bytes(1024)) + block(bob, "k7", 2))
        await bob.receives("c:message[*[@seq='0']]")
        await bob.receives_nothing()
        await world.advance(1)
        await bob.receives("c:message[*[@seq='1']]")


async def test_the_rate_is_each_streams_own() -> None:
    """What one does not use is not the other's."""
    async with the_world(rate=2048) as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await agree(alice, bob, "busy")
        await agree(alice, bob, "idle")
        alice.send(block(bob, "busy", 0, bytes(1024)) + block(bob, "busy", 1, bytes(1024)) + block(bob, "idle", 0))
        await bob.receives("c:message[*[@sid='busy'][@seq='0']]")
        await bob.receives_nothing()
        await world.advance(1)
        await bob.receives("c:message[*[@sid='busy'][@seq='1']]")
        await bob.receives("c:message[*[@sid='idle']]")


async def test_a_block_of_an_unknown_stream_is_refused_beside_a_known_one() -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await agree(alice, bob, "k7")
        alice.send(block(bob, "k8", 0))
        await alice.receives_error("item-not-found")
        await bob.receives_nothing()
        alice.send(block(bob, "k7", 0))
        await bob.receives("c:message[*[@sid='k7']]")


async def test_a_block_before_the_other_side_has_agreed_is_refused() -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await offer(alice, bob, "k7")
        for one, other in ((alice, bob), (bob, alice)):
            one.send(block(other, "k7", 0))
            await one.receives_error("item-not-found")
            await other.receives_nothing()
        bob.send(f"<iq type='result' to='{alice.jid}' id='open-k7'/>" + block(alice, "k7", 0))
        await alice.receives("c:iq[@type='result']")
        await alice.receives("c:message[*[@sid='k7']]")


async def test_who_opens_a_stream_again_does_not_lose_it() -> None:
    """The other side refuses a sid that is in use; the stream that has it goes on."""
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await agree(alice, bob, "k7")
        alice.send(opened(bob, "k7", "again"))
        await bob.receives("c:iq[@type='set'][@id='again']")
        condition = "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        bob.send(f"<iq type='error' to='{alice.jid}' id='again'><error type='cancel'>{condition}</error></iq>")
        await alice.receives_error("conflict")
        alice.send(block(bob, "k7", 0))
        await bob.receives("c:message[*[@sid='k7']]")
        alice.send(closing(bob, "k7"))
        await bob.receives("c:iq[@type='set'][@id='close-k7']")
        assert len(world.module(EXTENSION).streams) == 0


async def test_a_message_agrees_to_nothing() -> None:
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await offer(alice, bob, "k7")
        bob.send(f"<message type='error' to='{alice.jid}' id='open-k7'/>")
        await bob.ping()
        assert len(world.module(EXTENSION).streams) == 1


async def test_two_blocks_in_one_message_are_one_too_many() -> None:
    """The second could be of another stream, or of none."""
    async with the_world() as world:
        alice, bob = await world.session("alice/x"), await world.session("bob/y")
        await agree(alice, bob, "k7")
        inside = "".join(f"<data xmlns='{NS_IBB}' seq='0' sid='{sid}'>aGk=</data>" for sid in ("k7", "k8"))
        alice.send(f"<message to='{bob.jid}'>{inside}</message>")
        await alice.receives_error("bad-request")
        await bob.receives_nothing()


async def test_occupants_of_a_room_have_streams_under_their_nicks() -> None:
    modules: dict[str, dict[str, object]] = {name: {} for name in (*MODULES, "muc", EXTENSION)}
    async with a_world(modules=modules) as world:
        crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
        await found(crone, "firstwitch")
        await enters(hag, "thirdwitch")
        await crone.pending()
        await through(crone, f"{ROOM}/thirdwitch", hag, f"{ROOM}/firstwitch")


async def through(one: Client, other_jid: str, other: Client, one_jid: str) -> None:
    """One opens a stream to the other by the addresses under which they know each other; blocks pass both ways."""
    inside = f"<open xmlns='{NS_IBB}' sid='k7' block-size='4096'/>"
    one.send(f"<iq type='set' to='{other_jid}' id='o1'>{inside}</iq>")
    asked = await other.receives(f"c:iq[@type='set'][@from='{one_jid}']")
    other.send(f"<iq type='result' to='{one_jid}' id='{asked.get('id')}'/>")
    await one.receives("c:iq[@type='result'][@id='o1']")
    data = f"<data xmlns='{NS_IBB}' sid='k7' seq='0'>aGk=</data>"
    one.send(f"<message to='{other_jid}' type='chat'>{data}</message>")
    await other.receives(f"c:message[@from='{one_jid}'][*[@sid='k7']]")
    other.send(f"<message to='{one_jid}' type='chat'>{data}</message>")
    await one.receives(f"c:message[@from='{other_jid}'][*[@sid='k7']]")


@pytest.mark.parametrize(
    ("letter", "sid"),
    [
        (f"<data xmlns='{NS_IBB}' sid='k7' seq='0'>aGk=</data>", "k7"),
        (f'<data xmlns="{NS_IBB}" seq="0" sid="k7">aGk=</data>', "k7"),
        (f"<data sid='k7'\n xmlns='{NS_IBB}'/>", "k7"),
        (f"<data  xmlns = '{NS_IBB}' sid = 'k7'/>", "k7"),
        (f"<data xmlns='{NS_IBB}' seq=\" sid='k8'\" sid='k7'/>", "k7"),
        (f"<data xmlns='{NS_IBB}' xmlns:a='urn:a' a:sid='k8' sid='k7'/>", "k7"),
        (f"<data xmlns='{NS_IBB}' bsid='k8' sid='k7'/>", "k7"),
        (f"<i:data xmlns:i='{NS_IBB}' sid='k7'/>", "k7"),
        (f"<data xmlns='{NS_IBB}' sid='a&amp;b'/>", "a&b"),
        (f"<data xmlns='{NS_IBB}' sid='&#107;7'/>", "k7"),
        (f"<data xmlns='{NS_IBB}' sid='k\t7'/>", "k 7"),
        (f"<data xmlns='{NS_IBB}' sid='schlüssel'/>", "schlüssel"),
        (f"<data xmlns='urn:other' sid='k8'/><data xmlns='{NS_IBB}' sid='k7'/>", "k7"),
        (f"<amp xmlns='urn:amp' sid='k8'/><data xmlns='{NS_IBB}' sid='k7'/>", "k7"),
        (f"<data xmlns='{NS_IBB}' seq='0'/>", ""),
        (f"<data xmlns='{NS_IBB}' seq='0'>sid='k8'</data>", ""),
        (f"<data xmlns='{NS_IBB}' sid=''/>", ""),
    ],
)
def test_the_sid_of_a_block_is_what_a_parser_finds(letter: str, sid: str) -> None:
    assert sid_of(Stanza("message", JID.parse("a@b/c"), None, "", "", "", letter.encode())) == sid
