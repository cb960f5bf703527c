"""RFC 6121 4.2 to 4.5 and 4.7: presence and probes."""

import pytest

from tests.kit.client import Client
from tests.kit.world import World, a_world
from xmppd.api import Event
from xmppd.modules.roster.book import Roster

from .contacts import MODULES, interested, roster, world

__all__ = ["world"]

ALICE, BOB = "alice@localhost", "bob@localhost"


async def friends(world: World) -> tuple[Client, Client]:
    """alice/phone and bob/desk, online and subscribed to each other."""
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await world.friends(alice, bob)
    return alice, bob


async def test_initial_presence_goes_to_contacts_and_to_all_own_resources(world: World) -> None:
    """RFC 6121 4.2.2."""
    alice, bob = await friends(world)
    desk = await world.session("alice/desk")
    desk.send("<presence id='p1'><status>here</status></presence>")
    await bob.receives(f"c:presence[@id='p1'][not(@type)][@from='{ALICE}/desk'][@to='{BOB}'][c:status='here']")
    await alice.receives(f"c:presence[@id='p1'][@from='{ALICE}/desk']")
    came = {each.get("from") for each in await desk.pending()}
    assert came == {f"{ALICE}/desk", f"{ALICE}/phone", f"{BOB}/desk"}
    await bob.receives_nothing()


async def test_a_new_resource_gets_each_contact_s_last_presence(world: World) -> None:
    """RFC 6121 4.3.1, 4.3.2: the whole stanza, from each available resource."""
    alice, bob = await friends(world)
    bob.send("<presence id='b'><show>dnd</show><x xmlns='urn:example:more'>&lt;</x></presence>")
    await world.session("bob/silent")
    laptop = await world.session("bob/laptop")
    laptop.send("<presence><priority>3</priority></presence>")
    await laptop.ping()
    await alice.close()
    back = await world.session("alice/new")
    back.send("<presence/>")
    found = {each.get("from"): each for each in await back.pending()}
    assert set(found) == {f"{ALICE}/new", f"{BOB}/desk", f"{BOB}/laptop"}
    desk = found[f"{BOB}/desk"]
    assert (desk.get("to"), desk.get("id")) == (f"{ALICE}/new", "b")
    assert desk.findtext("{urn:example:more}x") == "<"


async def test_only_the_new_resource_gets_the_answers(world: World) -> None:
    alice, bob = await friends(world)
    await world.online("alice/desk")
    came = [each.get("from") for each in await alice.pending()]
    assert came == [f"{ALICE}/desk"]
    assert [each.get("from") for each in await bob.pending()] == [f"{ALICE}/desk"]


async def test_a_change_goes_to_contacts_and_own_resources_and_probes_nobody(world: World) -> None:
    """RFC 6121 4.4.2."""
    alice, bob = await friends(world)
    alice.send("<presence><show>away</show></presence>")
    await bob.receives(f"c:presence[@from='{ALICE}/phone'][c:show='away']")
    await alice.receives(f"c:presence[@from='{ALICE}/phone'][c:show='away']")
    await alice.receives_nothing()
    await bob.receives_nothing()


async def test_presence_goes_only_where_the_subscription_does(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/desk")
    await world.online("carol/x")
    alice.send(f"<presence to='{BOB}' type='subscribe'/>")
    await alice.ping()
    bob.send(f"<presence to='{ALICE}' type='subscribed'/>")
    await bob.ping()
    await bob.pending()
    await alice.pending()
    alice.send("<presence><show>away</show></presence>")
    await alice.ping()
    await bob.receives_nothing()
    bob.send("<presence><show>xa</show></presence>")
    await alice.receives("c:presence[c:show='away']")
    await alice.receives(f"c:presence[@from='{BOB}/desk'][c:show='xa']")


async def test_unavailable_goes_to_contacts_and_all_own_resources(world: World) -> None:
    """RFC 6121 4.5.2: to the one that leaves, too."""
    alice, bob = await friends(world)
    desk = await world.online("alice/desk")
    await alice.pending()
    await bob.pending()
    desk.send("<presence type='unavailable'><status>bye</status></presence>")
    for client in (alice, bob, desk):
        await client.receives(f"c:presence[@type='unavailable'][@from='{ALICE}/desk'][c:status='bye']")
    alice.send("<presence><show>away</show></presence>")
    await alice.ping()
    await desk.receives_nothing()


@pytest.mark.parametrize("close", [True, False])
async def test_a_session_that_is_lost_is_unavailable(world: World, close: bool) -> None:
    """RFC 6121 4.5.2."""
    alice, bob = await friends(world)
    await (alice.close() if close else alice.drop())
    gone = await bob.receives(f"c:presence[@type='unavailable'][@from='{ALICE}/phone'][@to='{BOB}']")
    assert gone.get("type") == "unavailable"


async def test_a_session_that_was_never_available_leaves_in_silence(world: World) -> None:
    _, bob = await friends(world)
    silent = await world.session("alice/silent")
    await silent.close()
    await bob.receives_nothing()


async def test_unavailable_twice_is_told_once(world: World) -> None:
    alice, bob = await friends(world)
    alice.send("<presence type='unavailable'/><presence type='unavailable'/>")
    await alice.ping()
    await alice.close()
    await bob.receives("c:presence[@type='unavailable']")
    await bob.receives_nothing()


async def test_a_resource_that_comes_back_is_initial_again(world: World) -> None:
    alice, _ = await friends(world)
    alice.send("<presence type='unavailable'/><presence/>")
    came = [(each.get("type"), each.get("from")) for each in await alice.pending()]
    assert came == [
        ("unavailable", f"{ALICE}/phone"),
        (None, f"{ALICE}/phone"),
        (None, f"{BOB}/desk"),
    ]


@pytest.mark.parametrize("text", ["128", "-129", "high", "", "1.5", "99999999999999999999", "1_0", "٣"])
async def test_a_priority_that_is_none_is_refused(world: World, text: str) -> None:
    """RFC 6121 4.7.2.3."""
    alice, bob = await friends(world)
    alice.send(f"<presence><priority>{text}</priority></presence>")
    await alice.receives_error("bad-request")
    await bob.receives_nothing()


@pytest.mark.parametrize("text", ["-128", "127", " 5 ", "+7"])
async def test_a_priority_in_its_bounds_is_taken(world: World, text: str) -> None:
    alice, bob = await friends(world)
    alice.send(f"<presence><priority>{text}</priority></presence>")
    await bob.receives("c:presence[c:priority]")
    assert world.host.sessions.of(ALICE)[0].priority == int(text)


async def test_messages_go_to_resources_of_priority_zero_and_more(world: World) -> None:
    phone = await world.online("alice/phone", "<presence><priority>-1</priority></presence>")
    desk = await world.online("alice/desk")
    await phone.pending()
    bob = await world.online("bob/desk")
    bob.send(f"<message to='{ALICE}' type='chat'><body>hi</body></message>")
    await desk.receives("c:message[c:body='hi']")
    await phone.receives_nothing()


@pytest.mark.parametrize("type", ["probe", "error"])
async def test_types_that_need_an_address_lead_nowhere_without(world: World, type: str) -> None:
    alice, bob = await friends(world)
    alice.send(f"<presence type='{type}'/>")
    await alice.receives_nothing()
    await bob.receives_nothing()


async def test_a_probe_of_a_subscriber_is_answered(world: World) -> None:
    """RFC 6121 4.3.2."""
    alice, bob = await friends(world)
    bob.send("<presence><show>chat</show></presence>")
    await bob.ping()
    await alice.pending()
    alice.send(f"<presence to='{BOB}' type='probe'/>")
    await alice.receives(f"c:presence[@from='{BOB}/desk'][@to='{ALICE}/phone'][c:show='chat']")
    await bob.pending()
    await bob.receives_nothing()


async def test_a_probe_of_a_resource_is_answered_for_it_alone(world: World) -> None:
    """RFC 6121 4.3.2.1."""
    alice, _ = await friends(world)
    await world.online("bob/laptop")
    await alice.pending()
    alice.send(f"<presence to='{BOB}/laptop' type='probe'/>")
    await alice.receives(f"c:presence[not(@type)][@from='{BOB}/laptop']")
    alice.send(f"<presence to='{BOB}/gone' type='probe'/>")
    await alice.receives(f"c:presence[@type='unavailable'][@from='{BOB}/gone']")
    await alice.receives_nothing()


async def test_a_probe_of_an_absent_contact_is_answered_with_unavailable(world: World) -> None:
    alice, bob = await friends(world)
    await bob.close()
    await alice.pending()
    alice.send(f"<presence to='{BOB}' type='probe'/>")
    await alice.receives(f"c:presence[@type='unavailable'][@from='{BOB}']")


async def test_a_stranger_s_probe_is_answered_with_unsubscribed(world: World) -> None:
    """RFC 6121 4.3.2: and so a roster that believes otherwise is put right."""
    alice, bob = await interested(await world.online("alice/phone")), await world.online("bob/desk")
    alice.send(f"<presence to='{BOB}' type='probe'/>")
    await alice.receives_nothing()
    await world.module("roster").set_item(alice.jid.bare, bob.jid.bare, "", (), "to")
    await alice.pending()
    alice.send(f"<presence to='{BOB}' type='probe'/>")
    await alice.receives(f"c:presence[@type='unsubscribed'][@from='{BOB}'][@to='{ALICE}']")
    await alice.pending()
    assert await roster(alice) == {BOB: "none"}


async def test_an_own_resource_may_probe_the_account(world: World) -> None:
    alice = await world.online("alice/phone")
    silent = await world.session("alice/silent")
    silent.send(f"<presence to='{ALICE}' type='probe'/>")
    await silent.receives(f"c:presence[@from='{ALICE}/phone'][@to='{ALICE}/silent']")
    await alice.receives_nothing()


async def test_contacts_of_another_host_of_this_server_see_each_other() -> None:
    async with a_world(modules=MODULES, hosts=["localhost", "other.example"]) as world:
        await world.server.register("bob", "bob", "other.example")
        bob = await world.dial()
        bob.host = "other.example"
        await bob.open()
        await bob.login("bob", "bob")
        await bob.bind("desk")
        bob.send("<presence/>")
        await bob.pending()
        alice = await world.online("alice/phone")
        await world.friends(alice, bob)
        alice.send("<presence><show>away</show></presence>")
        await bob.receives("c:presence[@from='alice@localhost/phone'][@to='bob@other.example'][c:show='away']")
        again = await world.online("alice/desk", "<iq type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>")
        again.send("<presence/>")
        assert "bob@other.example/desk" in {each.get("from") for each in await again.pending()}
        await again.close()
        assert [each.get("type") for each in await bob.pending()] == [None, "unavailable"]


async def test_resources_that_are_not_available_hear_nothing(world: World) -> None:
    """RFC 6121 4.4.2; whether the account has others or not."""
    alice, bob = await friends(world)
    silent = await world.session("bob/silent")
    alice.send("<presence><show>away</show></presence>")
    await bob.receives("c:presence[c:show='away']")
    await silent.receives_nothing()
    await bob.close()
    alice.send("<presence><show>xa</show></presence>")
    await alice.ping()
    await silent.receives_nothing()


async def test_a_contact_that_is_no_address_any_more_keeps_nobody_from_hearing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored once may not be an address to a stricter version."""
    alice, bob = await friends(world)
    monkeypatch.setattr(Roster, "watchers_but", lambda *_: ["@localhost", BOB])
    alice.send("<presence><show>away</show></presence>")
    await bob.receives("c:presence[c:show='away']")


async def test_the_host_itself_hears_what_it_is_sent(world: World) -> None:
    """And that the session which sent it is gone (4.6.3)."""
    alice, _ = await friends(world)
    heard: list[str] = []

    async def hear(event: Event) -> None:
        heard.append(event.stanza.type)

    world.host.hooks.host_receive.add(hear)
    alice.send("<presence to='localhost'/><presence type='unavailable'/>")
    await alice.ping()
    assert heard == ["", "unavailable"]


async def test_who_becomes_a_friend_is_told_what_follows(world: World) -> None:
    alice = await world.online("alice/phone")
    bob = await world.online("bob/desk")
    alice.send("<presence><show>away</show></presence>")
    await alice.ping()
    await bob.receives_nothing()
    await world.friends(alice, bob)
    alice.send("<presence><show>dnd</show></presence>")
    await bob.receives("c:presence[c:show='dnd']")


async def test_the_roster_says_who_sees_whom(world: World) -> None:
    alice, bob = await friends(world)
    carol = await world.session("carol/x")
    rosters = world.module("roster")
    assert await rosters.sees(alice.jid.bare, bob.jid)
    assert await rosters.sees(alice.jid.bare, alice.jid)
    assert not await rosters.sees(alice.jid.bare, carol.jid)
    assert await rosters.subscription(alice.jid.bare, bob.jid.bare) == "both"
    assert await rosters.subscription(alice.jid.bare, carol.jid.bare) == ""


async def test_who_is_closed_in_the_middle_of_its_presence_leaves_no_ghost(world: World) -> None:
    """A copy waits for something, and the session is closed meanwhile: the copy must not be the last word."""
    alice, bob = await friends(world)
    desk = await world.session("alice/desk")
    session = world.host.sessions.find(desk.jid)
    assert session is not None

    async def close(event: Event) -> None:
        if event.stanza.type == "":
            await world.host.close_session(session)

    world.host.hooks.presence_send.add(close)
    desk.send("<presence/>")
    for watcher in (bob, alice):
        while not (came := [each.get("type") for each in await watcher.pending() if each.get("from") == desk.jid]):
            pass
        assert came[-1] == "unavailable"
