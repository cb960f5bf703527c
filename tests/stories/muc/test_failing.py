"""What goes wrong inside the service is answered and logged, and ends nobody's stream."""

from typing import Any

import pytest

from tests.kit.client import error_of
from tests.kit.world import World
from xmppd.api import CommandError, Commit, Event, Statement, StorageError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .coven import NAMES, ROOM, a_service, bodies, codes, entering, enters, found, has, say, world
from .test_moderation import moderate
from .test_speak import gather

__all__ = ["world"]

CARD = "<vCard xmlns='vcard-temp'/>"
SEARCH = "<query xmlns='urn:xmpp:mam:2'/>"


async def broken(*_: object, **__: object) -> Any:
    """A read that fails."""
    raise StorageError("the disk is on fire")


async def test_a_request_that_fails_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trio = await gather(world, persistentroom="1")
    monkeypatch.setattr(world.module("muc").shelf, "card", broken)
    assert error_of(await trio.hag.ask(f"<iq type='get' to='{ROOM}'>{CARD}</iq>")) == "internal-server-error"
    assert "the disk is on fire" in caplog.text
    trio.hag.send(say("still here"))
    await trio.hag.ping()
    assert bodies(await trio.crone.pending()) == ["still here"]


async def test_a_search_that_fails_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trio = await gather(world, persistentroom="1")
    monkeypatch.setattr(world.module("mam"), "answer_for", broken)
    assert error_of(await trio.hag.ask(f"<iq type='set' to='{ROOM}'>{SEARCH}</iq>")) == "internal-server-error"
    await trio.hag.receives_nothing()


async def test_a_request_to_the_service_that_fails_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hag = await world.online("hag66/pda")
    monkeypatch.setattr(world.module("muc").shelf, "public", broken)
    items = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
    reply = await hag.ask(f"<iq type='get' to='conference.localhost'>{items}</iq>")
    assert error_of(reply) == "internal-server-error"


async def test_a_room_that_cannot_be_loaded_takes_no_message(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hag = await world.online("hag66/pda")
    monkeypatch.setattr(world.module("muc").shelf, "load", broken)
    hag.send(say("is anybody here?"))
    await hag.receives_error("internal-server-error")


async def test_a_request_that_waited_by_itself_and_fails_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crone, hag = await world.online("crone1/desktop"), await world.online("hag66/pda")
    await found(crone, "firstwitch", persistentroom="1")
    muc = world.module("muc")
    monkeypatch.setattr(muc.shelf, "card", broken)
    asked = Stanza("iq", JID.parse(ROOM), hag.jid, "get", "v1", "", CARD.encode(), ("vcard-temp vCard",))
    async with muc.rooms.loaded["coven"].lock:
        await world.host.house.router.route(Event(asked))
    await muc.settle()
    assert (await hag.receives_error("internal-server-error")).get("id") == "v1"
    assert "the disk is on fire" in caplog.text


def refuse_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on storage takes no more writes."""

    def write(*_: Statement) -> Commit:
        raise StorageError("10000 writes wait already")

    monkeypatch.setattr(world.host.house.storage, "write", write)


async def test_a_room_that_cannot_be_stored_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refuse_writes(world, patch)
        with pytest.raises(CommandError):
            await world.host.house.commands.call("create_room", ["coven", "conference.localhost", "localhost"])
    assert not world.module("muc").rooms.loaded
    assert world.module("muc").rooms.count == 0


async def test_who_enters_first_does_not_stay_in_a_room_that_cannot_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_service(room_locking=False, default_room_options={"persistent": True}) as world:
        hag = await world.online("hag66/pda")
        with monkeypatch.context() as patch:
            refuse_writes(world, patch)
            hag.send(entering("thirdwitch"))
            *_, gone, refused = await hag.pending()
        assert (gone.get("type"), error_of(refused)) == ("unavailable", "resource-constraint")
        assert not world.module("muc").rooms.loaded
        assert "201" in codes((await enters(hag, "thirdwitch"))[0])


async def test_what_cannot_be_stored_is_not_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trio = await gather(world, persistentroom="1")
    trio.crone.send(say("before"))
    await trio.crone.pending()
    with monkeypatch.context() as patch:
        refuse_writes(world, patch)
        for inside in ("<body>lost</body>", "<subject>lost</subject>"):
            trio.crone.send(f"<message type='groupchat' to='{ROOM}'>{inside}</message>")
            await trio.crone.receives_error("resource-constraint")
    entered = await enters(await world.online("hecate/broom"), "fourthwitch")
    assert bodies(entered) == ["before"]
    assert has(entered[-1], "c:subject[not(text())]")


async def test_what_cannot_be_taken_back_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trio = await gather(world, persistentroom="1")
    trio.hag.send(say("one"))
    (said,) = await trio.crone.pending()
    (id,) = said.xpath("id:stanza-id/@id", namespaces=NAMES)
    with monkeypatch.context() as patch:
        refuse_writes(world, patch)
        assert error_of(await trio.crone.ask(moderate(str(id)))) == "resource-constraint"
    assert bodies(await enters(await world.online("hecate/broom"), "fourthwitch")) == ["one"]
