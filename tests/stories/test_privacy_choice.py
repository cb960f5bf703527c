"""XEP-0016 2.2, 2.4, 2.5: which list applies, to whom, and how often it is asked."""

import pytest

from tests.kit.world import World
from xmppd.modules.privacy.contacts import Contacts
from xmppd.modules.privacy.lists import PrivacyList
from xmppd.xmpp.jid import JID

from .listed import applies, blocks, chat, fails, has_list, query, succeeds, texts, world

__all__ = ["world"]

DENY_ALL = "<item action='deny' order='9'/>"


def jid(value: str) -> str:
    return f"<item type='jid' value='{value}' action='deny' order='1'/>"


async def test_an_active_list_applies_to_its_session_and_the_default_to_the_others(world: World) -> None:
    orchard, home = await world.online("romeo/orchard"), await world.online("romeo/home")
    tybalt = await world.online("tybalt/pda")
    await has_list(orchard, "nobody", DENY_ALL)
    await has_list(orchard, "not tybalt", jid("tybalt@localhost"))
    await succeeds(orchard, query("<active name='nobody'/>"))
    for client in (orchard, home, tybalt):
        await client.pending()
    tybalt.send(chat("romeo@localhost", "one"))
    await tybalt.receives_nothing()
    assert (await texts(orchard), await texts(home)) == ([], ["one"])
    await succeeds(orchard, query("<default name='not tybalt'/>"))  # it applies to home, but there was none before
    tybalt.send(chat("romeo@localhost", "two"))
    await tybalt.receives_error("service-unavailable")
    await succeeds(home, query("<active name='nobody'/>"))
    await succeeds(orchard, query("<active name='not tybalt'/>"))
    mercutio = await world.online("mercutio/x")
    mercutio.send(chat("romeo@localhost", "three"))
    await mercutio.receives_nothing()
    assert (await texts(orchard), await texts(home)) == (["three"], [])


async def test_an_active_list_that_allows_beats_a_default_that_denies(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, DENY_ALL)
    await has_list(romeo, "open", "<item action='allow' order='1'/>")
    await succeeds(romeo, query("<active name='open'/>"))
    for to in ("romeo@localhost", "romeo@localhost/orchard"):
        tybalt.send(chat(to))
        await romeo.receives("c:message")
    romeo.send("<presence type='unavailable'/>")
    await romeo.pending()
    tybalt.send(chat("romeo@localhost"))
    await tybalt.receives_error("service-unavailable")


async def test_requests_to_the_account_itself_are_the_default_lists_business(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await world.friends(romeo, tybalt)
    info = "<iq type='get' to='romeo@localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    await applies(romeo, DENY_ALL, how="active")
    await succeeds(tybalt, info)
    await succeeds(romeo, query("<default name='test'/>"))
    await has_list(romeo, "open", "<item action='allow' order='1'/>")
    await succeeds(romeo, query("<active name='open'/>"))
    assert await fails(tybalt, info) == "service-unavailable"


async def test_a_message_to_one_session_is_judged_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, "<item type='jid' value='tybalt@localhost' action='deny' order='1'><iq/></item>")
    judged: list[str] = []
    allows = PrivacyList.allows

    def spied(self: PrivacyList, kind: int, other: JID, contacts: Contacts) -> bool:
        judged.append(other)
        return allows(self, kind, other, contacts)

    monkeypatch.setattr(PrivacyList, "allows", spied)
    tybalt.send(chat("romeo@localhost"))
    await romeo.receives("c:message")
    assert judged == ["tybalt@localhost/pda"]


async def test_whom_a_list_of_addresses_does_not_have_passes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of nearly all messages, which no item is asked about."""
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("mercutio@localhost"))
    monkeypatch.setattr(PrivacyList, "allows", None)
    tybalt.send(chat("romeo@localhost"))
    await romeo.receives("c:message")
    monkeypatch.undo()
    await applies(romeo, DENY_ALL)
    tybalt.send(chat("romeo@localhost"))
    await tybalt.receives_error("service-unavailable")


async def test_the_default_list_applies_while_nobody_is_there(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("tybalt@localhost"))
    await romeo.close()
    world.module("privacy").shelf.forget(romeo.jid.bare)
    for _ in range(2):
        tybalt.send(chat("romeo@localhost"))
        await tybalt.receives_error("service-unavailable")
    again = await world.online("romeo/orchard")
    await again.receives_nothing()


async def test_what_was_stored_before_the_block_is_not_delivered(world: World) -> None:
    tybalt = await world.online("tybalt/pda")
    await world.account("romeo")
    tybalt.send(chat("romeo@localhost", "before"))
    await tybalt.ping()
    romeo = await world.session("romeo/orchard")
    await blocks(romeo, "tybalt@localhost")
    romeo.send("<presence/>")
    await romeo.receives("c:presence[@from='romeo@localhost/orchard']")
    await romeo.receives_nothing()


async def test_an_edited_list_applies_as_it_is_now(world: World) -> None:
    romeo, tybalt = await world.online("romeo/orchard"), await world.online("tybalt/pda")
    await applies(romeo, jid("tybalt@localhost"), how="active")
    await has_list(romeo, "test", jid("mercutio@localhost"))
    tybalt.send(chat("romeo@localhost"))
    await romeo.receives("c:message")
