"""Accounts that go: nothing of them stays for whoever has the name next."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.world import a_world
from xmppd.api import AccountEvent, Event, SessionEvent, StorageError
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID


async def test_an_anonymous_account_ends_with_its_last_session() -> None:
    async with a_world(auth={"mechanisms": ["ANONYMOUS"]}, modules={"ping": {}}) as world:
        removed: list[JID] = []
        world.host.hooks.account_removed.add(lambda event: removed.append(event.account))
        guest = await world.dial()
        await guest.open()
        guest.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
        await guest.receive()
        await guest.open()
        jid = await guest.bind("phone")
        assert removed == []
        await guest.close()
        await world.server.shared.finish(5)
        assert removed == [jid.bare]


async def test_a_message_that_meets_the_removal_of_an_account_is_refused(world: Any) -> None:
    alice = await world.online("alice/phone")
    await world.account("bob")

    async def meanwhile(event: AccountEvent) -> None:
        alice.send("<message to='bob@localhost' type='chat' id='m'><body>for whoever comes next</body></message>")
        await alice.receives_error("service-unavailable")

    world.host.hooks.account_removed.add(meanwhile)
    await world.host.remove_account(JID.parse("bob@localhost"))
    bob = await world.online("bob/desk")
    await bob.receives_nothing()


@pytest.mark.parametrize("part", ["tokens", "accounts"])
async def test_an_account_whose_removal_fails_is_there(world: Any, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    async def full(*_: object) -> None:
        raise StorageError("the disk is full")

    await world.account("bob")
    bob = JID.parse("bob@localhost")
    with monkeypatch.context() as patch:
        patch.setattr(getattr(world.host, part), "remove", full)
        with pytest.raises(StorageError):
            await world.host.remove_account(bob)
    desk = await world.session("bob/desk")
    await desk.ping()
    await world.host.remove_account(bob)
    await desk.receives_stream_error("not-authorized")
    assert not await world.host.exists(bob)


async def test_a_handler_can_end_the_stream(world: Any) -> None:
    def refuse(event: Event) -> None:
        raise StreamError("policy-violation", "enough")

    world.host.hooks.session_send.add(refuse)
    closed: list[SessionEvent] = []
    world.host.hooks.session_closed.add(closed.append)
    alice = await world.session("alice/phone")
    alice.send("<message to='alice@localhost' type='chat'><body>hi</body></message>")
    await alice.receives_stream_error("policy-violation")
    bob = await world.session("bob/desk")
    assert [event.session.jid for event in closed] == [alice.jid]
    await bob.close()
