"""RFC 6121 3: presence subscriptions."""

import pytest

from tests.kit.client import Client
from tests.kit.world import World

from .contacts import NS, interested, item, roster, setting, world

__all__ = ["world"]

ALICE, BOB = "alice@localhost", "bob@localhost"


async def here(world: World, address: str) -> Client:
    """Online, and interested in the roster."""
    return await interested(await world.online(address))


async def say(client: Client, type: str, to: str, inside: str = "") -> None:
    client.send(f"<presence to='{to}' type='{type}'>{inside}</presence>")
    await client.ping()


async def test_a_subscription_from_request_to_presence(world: World) -> None:
    """RFC 6121 3.1.1 to 3.1.6."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(alice, "subscribe", BOB, "<status>it is me</status>")
    await alice.receives(item(BOB, subscription="none", ask="subscribe"))
    request = await bob.receives(f"c:presence[@type='subscribe'][@from='{ALICE}'][@to='{BOB}']")
    assert request.findtext("c:status", namespaces=NS) == "it is me"
    assert await roster(bob) == {}
    await say(bob, "subscribed", ALICE)
    await bob.receives(item(ALICE, subscription="from"))
    await alice.receives(f"c:presence[@type='subscribed'][@from='{BOB}']")
    await alice.receives(item(BOB, subscription="to", ask=""))
    await alice.receives(f"c:presence[not(@type)][@from='{BOB}/desk'][@to='{ALICE}']")
    await alice.receives_nothing()
    await bob.receives_nothing()


async def test_a_denied_request(world: World) -> None:
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(alice, "subscribe", BOB)
    await alice.pending()
    await bob.pending()
    await say(bob, "unsubscribed", ALICE)
    await alice.receives(f"c:presence[@type='unsubscribed'][@from='{BOB}']")
    await alice.receives(item(BOB, subscription="none", ask=""))
    await bob.receives_nothing()
    assert await roster(bob) == {}


async def test_who_cancels_a_contact_s_subscription_is_gone_for_him_first(world: World) -> None:
    """RFC 6121 3.2.1 to 3.2.3."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await world.friends(alice, bob)
    await say(bob, "unsubscribed", ALICE)
    await bob.receives(item(ALICE, subscription="to"))
    await alice.receives(f"c:presence[@type='unavailable'][@from='{BOB}/desk'][@to='{ALICE}']")
    await alice.receives(f"c:presence[@type='unsubscribed'][@from='{BOB}']")
    await alice.receives(item(BOB, subscription="from"))
    await alice.receives_nothing()


async def test_who_unsubscribes_sees_the_contact_leave(world: World) -> None:
    """RFC 6121 3.3.1 to 3.3.3."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await world.friends(alice, bob)
    await say(alice, "unsubscribe", BOB)
    await bob.receives(f"c:presence[@type='unsubscribe'][@from='{ALICE}']")
    await bob.receives(item(ALICE, subscription="to"))
    await alice.receives(item(BOB, subscription="from"))
    await alice.receives(f"c:presence[@type='unavailable'][@from='{BOB}/desk']")
    await alice.receives_nothing()
    await bob.receives_nothing()


async def test_a_stranger_s_answers_change_nothing(world: World) -> None:
    """RFC 6121 3.1.6, 3.2.3, 3.3.3: what nobody asked for is not delivered."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(bob, "unsubscribe", ALICE)
    await say(bob, "unsubscribed", ALICE)
    await say(bob, "subscribed", ALICE)  # a pre-approval, which stays with bob
    await alice.receives_nothing()
    assert await roster(alice) == {}


async def test_a_request_goes_to_available_resources_and_the_answer_to_interested_ones(world: World) -> None:
    alice_idle = await interested(await world.session("alice/idle"))
    alice = await world.online("alice/phone")
    bob_idle = await interested(await world.session("bob/idle"))
    bob = await world.online("bob/desk")
    await say(alice, "subscribe", BOB)
    await bob.receives("c:presence[@type='subscribe']")
    await bob_idle.receives_nothing()
    await say(bob, "subscribed", ALICE)
    await alice_idle.receives(item(BOB, ask="subscribe"))
    await alice_idle.receives("c:presence[@type='subscribed']")
    await alice_idle.receives(item(BOB, subscription="to"))
    await alice.receives(f"c:presence[not(@type)][@from='{BOB}/desk']")


async def test_a_request_waits_for_the_absent_and_comes_until_it_is_answered(world: World) -> None:
    """RFC 6121 3.1.3: with all that it brought along."""
    await world.account("bob")
    alice = await world.session("alice/phone")
    note = "<nick xmlns='http://jabber.org/protocol/nick'>Al &amp; Ice</nick>"
    alice.send(f"<presence to='{BOB}' type='subscribe' id='s1' xml:lang='de'>{note}</presence>")
    await alice.ping()
    world.module("roster").book.forget(BOB)
    for name in ("one", "two"):
        bob = await world.session(f"bob/{name}")
        bob.send("<presence/>")
        kept = [each for each in await bob.pending() if each.get("type") == "subscribe"]
        assert [each.get("id") for each in kept] == ["s1"]
        assert kept[0].get("from") == ALICE
        assert kept[0].get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
        assert kept[0].findtext("{http://jabber.org/protocol/nick}nick") == "Al & Ice"
        bob.send("<presence><show>away</show></presence>")
        assert not [each for each in await bob.pending() if each.get("type") == "subscribe"]
    await say(bob, "subscribed", ALICE)
    await bob.close()
    last = await world.session("bob/three")
    last.send("<presence/>")
    assert not [each for each in await last.pending() if each.get("type") == "subscribe"]


async def kept_requests(world: World) -> list[str]:
    return [row[0] for row in await world.host.house.storage.fetch("SELECT contact FROM roster_requests")]


@pytest.mark.parametrize(
    "answer",
    [
        f"<presence to='{ALICE}' type='subscribed'/>",
        f"<presence to='{ALICE}' type='unsubscribed'/>",
        "<iq id='r' type='set'><query xmlns='jabber:iq:roster'>"
        f"<item jid='{ALICE}' subscription='remove'/></query></iq>",
    ],
)
async def test_a_request_that_was_answered_is_kept_no_longer(world: World, answer: str) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await bob.ask(setting(f"<item jid='{ALICE}'/>"))
    await say(alice, "subscribe", BOB)
    assert await kept_requests(world) == [ALICE]
    bob.send(answer)
    await bob.ping()
    assert await kept_requests(world) == []


async def test_a_request_that_was_taken_back_does_not_wait(world: World) -> None:
    await world.account("bob")
    alice = await world.session("alice/phone")
    await say(alice, "subscribe", BOB)
    await say(alice, "unsubscribe", BOB)
    bob = await world.session("bob/desk")
    bob.send("<presence/>")
    assert [each.get("type") for each in await bob.pending()] == [None]
    rows = await world.host.house.storage.fetch("SELECT * FROM roster WHERE account = ?", BOB)
    assert rows == []


async def test_a_second_request_is_not_delivered_while_the_first_waits(world: World) -> None:
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(alice, "subscribe", BOB)
    await say(alice, "subscribe", BOB)
    await bob.receives("c:presence[@type='subscribe']")
    await bob.receives_nothing()


async def test_who_is_subscribed_already_is_answered_at_once(world: World) -> None:
    """RFC 6121 3.1.3: and so a roster that lost its entry heals."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await world.friends(alice, bob)
    rosters = world.module("roster")
    await rosters.set_item(alice.jid.bare, bob.jid.bare, "", (), "none")
    await alice.pending()
    await say(alice, "subscribe", BOB)
    types = [each.get("type") for each in await alice.pending()]
    assert "subscribed" in types
    assert await roster(alice) == {BOB: "to"}
    assert not [each for each in await bob.pending() if each.get("type") == "subscribe"]


async def test_a_subscription_stanza_bears_bare_addresses(world: World) -> None:
    """RFC 6121 3.1.2: whatever the client wrote."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(alice, "subscribe", f"{BOB}/desk")
    await bob.receives(f"c:presence[@type='subscribe'][@from='{ALICE}'][@to='{BOB}']")
    assert await roster(alice) == {BOB: "none+ask"}


async def test_the_pending_request_is_no_item_of_the_roster(world: World) -> None:
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(alice, "subscribe", BOB)
    await bob.receives("c:presence[@type='subscribe']")
    await bob.receives_nothing()
    assert await roster(bob) == {}


async def test_a_contact_that_is_listed_stays_so_when_its_request_is_denied(world: World) -> None:
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await bob.ask(setting(f"<item jid='{ALICE}' name='Al'/>"))
    await say(alice, "subscribe", BOB)
    await say(bob, "unsubscribed", ALICE)
    assert await roster(bob) == {ALICE: "none"}


async def test_a_subscription_outlives_the_server_s_memory(world: World) -> None:
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await world.friends(alice, bob)
    for account in (ALICE, BOB):
        world.module("roster").book.forget(account)
    assert await roster(alice) == {BOB: "both"}
    alice.send("<presence><show>dnd</show></presence>")
    await bob.receives("c:presence[c:show='dnd']")


async def test_pre_approval_answers_the_request_that_comes(world: World) -> None:
    """RFC 6121 3.4.2, 3.1.3."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(bob, "subscribed", ALICE)
    await bob.receives(item(ALICE, subscription="none", approved="true"))
    await alice.receives_nothing()
    world.module("roster").book.forget(BOB)
    assert await roster(bob) == {ALICE: "none+approved"}
    await say(alice, "subscribe", BOB)
    await alice.receives(item(BOB, ask="subscribe"))
    await alice.receives(f"c:presence[@type='subscribed'][@from='{BOB}'][@to='{ALICE}']")
    await alice.receives(item(BOB, subscription="to"))
    await alice.receives(f"c:presence[not(@type)][@from='{BOB}/desk']")
    await bob.receives(item(ALICE, subscription="from"))
    await bob.receives_nothing()


async def test_pre_approval_is_taken_back_and_not_told_to_the_contact(world: World) -> None:
    """RFC 6121 3.4.2."""
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await say(bob, "subscribed", ALICE)
    await bob.pending()
    await say(bob, "unsubscribed", ALICE)
    await bob.receives(item(ALICE, subscription="none", approved=""))
    await alice.receives_nothing()
    await say(alice, "subscribe", BOB)
    await bob.receives("c:presence[@type='subscribe']")


async def test_pre_approval_of_a_subscriber_changes_nothing(world: World) -> None:
    alice, bob = await here(world, "alice/phone"), await here(world, "bob/desk")
    await world.friends(alice, bob)
    await say(bob, "subscribed", ALICE)
    await bob.receives_nothing()
    await alice.receives_nothing()


async def test_a_request_to_oneself_is_ignored(world: World) -> None:
    alice = await here(world, "alice/phone")
    await say(alice, "subscribe", ALICE)
    await alice.receives_nothing()
    assert await roster(alice) == {}


async def test_a_subscription_stanza_needs_an_address(world: World) -> None:
    alice = await here(world, "alice/phone")
    alice.send("<presence type='subscribe'/>")
    await alice.receives_error("bad-request")


async def test_a_request_to_nobody_leads_to_nothing(world: World) -> None:
    """RFC 6121 8.5.1: a server does not say who has an account."""
    alice = await here(world, "alice/phone")
    await say(alice, "subscribe", "nobody@localhost")
    await alice.receives(item("nobody@localhost", ask="subscribe"))
    await alice.receives_nothing()


async def test_a_domain_that_cannot_be_reached_is_told(world: World) -> None:
    alice = await here(world, "alice/phone")
    alice.send("<presence to='bob@elsewhere.example' type='subscribe'/>")
    await alice.receives(item("bob@elsewhere.example", ask="subscribe"))
    await alice.receives_error("remote-server-not-found")


async def test_requests_that_wait_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xmppd.modules.roster.subscriptions.MOST_REQUESTS", 1)
    await world.account("bob")
    alice, carol = await here(world, "alice/phone"), await here(world, "carol/phone")
    await say(alice, "subscribe", BOB)
    await say(carol, "subscribe", BOB)
    await carol.receives(item(BOB, ask="subscribe"))
    await carol.receives_error("resource-constraint")


async def test_what_a_request_brings_is_bounded(world: World) -> None:
    await world.account("bob")
    alice = await world.session("alice/phone")
    await say(alice, "subscribe", BOB, f"<status>{'x' * 9000}</status>")
    bob = await world.session("bob/desk")
    bob.send("<presence/>")
    kept = [each for each in await bob.pending() if each.get("type") == "subscribe"]
    assert [len(each) for each in kept] == [0]


async def test_of_a_request_with_a_huge_id_only_the_question_is_kept(world: World) -> None:
    """Else a few strangers could make what waits for the next login longer than any queue."""
    await world.account("bob")
    alice = await world.session("alice/phone")
    alice.send(f"<presence to='{BOB}' type='subscribe' id='{'i' * 9000}'/>")
    await alice.ping()
    bob = await world.session("bob/desk")
    bob.send("<presence/>")
    kept = [each for each in await bob.pending() if each.get("type") == "subscribe"]
    assert [(each.get("from"), each.get("id")) for each in kept] == [(ALICE, None)]
