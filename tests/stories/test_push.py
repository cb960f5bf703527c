"""XEP-0357: Push Notifications."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import Client, error_of
from tests.kit.world import World, a_world
from tests.stories.archives import HINTS, MODULES, say
from tests.stories.managed import managed, vanish
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

PUSH = "urn:xmpp:push:0"
PUBSUB = "http://jabber.org/protocol/pubsub"
OPTIONS = f"{PUBSUB}#publish-options"
INACTIVE = "<inactive xmlns='urn:xmpp:csi:0'/>"
PUSHING = MODULES | {"csi": {}, "push": {}}
SERVICE = "push@localhost/app"
SECRET = (
    f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{OPTIONS}</value></field>"
    "<field var='secret'><value>eruio234vzxc2kla-91</value></field></x>"
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=PUSHING) as made:
        yield made


async def enable(client: Client, node: str = "yxs32", inside: str = "", jid: str = SERVICE) -> str:
    address = f" jid='{jid}'" if jid else ""
    return error_of(
        await client.ask(f"<iq type='set'><enable xmlns='{PUSH}'{address} node='{node}'>{inside}</enable></iq>")
    )


async def disable(client: Client, attributes: str) -> str:
    return error_of(await client.ask(f"<iq type='set'><disable xmlns='{PUSH}' {attributes}/></iq>"))


async def asleep(world: World, node: str = "yxs32", inside: str = "") -> tuple[Client, Client, Client]:
    """Alice; Bob, whose phone has enabled push and does not look; and the app server."""
    alice, app, bob = await world.session("alice/phone"), await world.session("push/app"), await world.online("bob/ph")
    assert await enable(bob, node, inside) == ""
    bob.send(INACTIVE)
    await bob.ping()
    return alice, bob, app


async def notified(app: Client) -> Element:
    return await app.receives("c:iq[@type='set'][@from='localhost'][@to='push@localhost/app']")


def answer(app: Client, iq: Element, error: str = "") -> None:
    inside = f"<error type='{error}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    kind = f"type='error'>{inside}" if error else "type='result'>"
    app.send(f"<iq to='localhost' id='{iq.get('id')}' {kind}</iq>")


def summary(iq: Element) -> dict[str, str]:
    fields = iq.findall(f".//{{{PUSH}}}notification/{{jabber:x:data}}x/{{jabber:x:data}}field")
    return {field.get("var", ""): field.findtext("{jabber:x:data}value") or "" for field in fields}


async def test_the_account_shows_support(world: World) -> None:
    """4.1, examples 6 and 7."""
    assert world.host.account_features[PUSH] == 1


async def test_a_notification_is_published(world: World) -> None:
    """7, example 14: from the server, to the node, with the number of messages and nothing else."""
    alice, bob, app = await asleep(world)
    await say(alice, "Wherefore art thou, Romeo?")
    iq = await notified(app)
    publish = iq.find(f"{{{PUBSUB}}}pubsub/{{{PUBSUB}}}publish")
    assert publish is not None
    assert publish.get("node") == "yxs32"
    assert publish.find(f"{{{PUBSUB}}}item/{{{PUSH}}}notification") is not None
    assert summary(iq) == {"FORM_TYPE": "urn:xmpp:push:summary", "message-count": "1"}
    assert iq.find(f"{{{PUBSUB}}}pubsub/{{{PUBSUB}}}publish-options") is None
    await bob.receives("c:message")


async def test_options_of_the_service_are_published_with_it(world: World) -> None:
    """5, 7, examples 11 and 15."""
    alice, _, app = await asleep(world, inside=SECRET)
    await say(alice, "x")
    iq = await notified(app)
    path = f"{{{PUBSUB}}}pubsub/{{{PUBSUB}}}publish-options/{{jabber:x:data}}x/{{jabber:x:data}}field"
    fields = {field.get("var"): field[0].text for field in iq.findall(path)}
    assert fields == {"FORM_TYPE": OPTIONS, "secret": "eruio234vzxc2kla-91"}


async def test_the_last_options_count(world: World) -> None:
    """5: and the service is one all the same."""
    alice, bob, app = await asleep(world, inside=SECRET)
    assert await enable(bob, inside=SECRET.replace("eruio", "other")) == ""
    await say(alice, "x")
    assert "other234" in str(notified_text(await notified(app)))
    await app.receives_nothing()


def notified_text(iq: Element) -> list[str]:
    return [str(text) for text in iq.itertext()]


async def test_what_is_told_is_up_to_the_operator() -> None:
    """11: who wrote and what only where options say so."""
    async with a_world(modules=PUSHING | {"push": {"include_sender": True, "include_body": True}}) as world:
        alice, _, app = await asleep(world)
        await say(alice, "Wherefore art thou")
        told = summary(await notified(app))
        assert (told["last-message-sender"], told["last-message-body"]) == (
            "alice@localhost/phone",
            "Wherefore art thou",
        )


async def test_who_looks_is_not_notified(world: World) -> None:
    alice, bob, app = await asleep(world)
    bob.send("<active xmlns='urn:xmpp:csi:0'/>")
    await bob.ping()
    await say(alice, "x")
    await bob.receives("c:message")
    await app.receives_nothing()


async def test_a_device_that_is_away_is_notified_though_another_is_here(world: World) -> None:
    alice, bob, app = await asleep(world)
    await bob.close()
    desk = await world.online("bob/desk")
    await say(alice, "x")
    await desk.receives("c:message")
    await notified(app)


async def test_a_user_who_is_away_is_notified(world: World) -> None:
    alice, bob, app = await asleep(world)
    await bob.close()
    while world.host.sessions.find(bob.jid):
        await alice.ping()
    await say(alice, "x")
    await notified(app)


async def test_many_messages_make_few_notifications(world: World) -> None:
    """One at once, and one with the count of what came meanwhile."""
    alice, _, app = await asleep(world)
    await say(alice, "1", "2", "3")
    answer(app, await notified(app))
    await app.receives_nothing()
    await world.advance(6)
    iq = await notified(app)
    assert summary(iq)["message-count"] == "3"
    answer(app, iq)
    await world.advance(6)
    await app.receives_nothing()


@pytest.mark.parametrize(
    ("type", "letter", "told"),
    [
        ("chat", "<body>x</body>", True),
        ("normal", "<body>x</body>", True),
        ("chat", "<encrypted xmlns='eu.siacs.conversations.axolotl'/>", True),
        ("normal", "<x xmlns='jabber:x:conference' jid='r@rooms.localhost'/>", True),
        ("chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='c'/>", True),
        ("chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", False),
        ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", False),
        ("chat", f"<body>x</body><no-store xmlns='{HINTS}'/>", False),
        ("headline", "<body>x</body>", False),
        ("error", "<body>x</body>", False),
        ("groupchat", "<body>x</body>", True),
    ],
)
async def test_what_is_worth_a_notification(world: World, type: str, letter: str, told: bool) -> None:
    alice, bob, app = await asleep(world)
    alice.send(f"<message to='{bob.jid}' type='{type}'>{letter}</message>")
    await alice.ping()
    assert len(await app.pending()) == told


async def test_disabling_one_node(world: World) -> None:
    """6, example 13: after which nothing is published to it."""
    alice, bob, app = await asleep(world)
    assert await enable(bob, "other") == ""
    assert await disable(bob, f"jid='{SERVICE}' node='yxs32'") == ""
    await say(alice, "x")
    iq = await notified(app)
    assert iq.find(f".//{{{PUBSUB}}}publish[@node='other']") is not None
    await app.receives_nothing()


async def test_disabling_a_service(world: World) -> None:
    """6, example 12: all its nodes."""
    alice, bob, app = await asleep(world)
    assert await enable(bob, "other") == ""
    assert await disable(bob, f"jid='{SERVICE}'") == ""
    assert await disable(bob, "jid='never@localhost/enabled'") == ""
    await say(alice, "x")
    await app.receives_nothing()


async def test_a_service_that_answers_with_an_error_is_disabled(world: World) -> None:
    """8.1."""
    alice, bob, app = await asleep(world)
    await say(alice, "x")
    answer(app, await notified(app), "cancel")
    await app.ping()
    await world.advance(6)
    await say(alice, "y")
    await app.receives_nothing()
    assert await world.host.house.storage.fetch("SELECT node FROM push") == []
    assert world.module("push")._directory.get(bob.jid.bare) == {}


async def test_an_error_that_passes_disables_nothing_until_it_comes_again_and_again(world: World) -> None:
    """8.1: recoverable ones are waited for."""
    alice, _, app = await asleep(world)
    for round in range(11):
        await say(alice, "x")
        asked = await app.pending()
        assert len(asked) == (round < 10)
        for iq in asked:
            answer(app, iq, "wait")
        await app.ping()
        await world.advance(6)


async def test_an_app_server_that_is_not_there_is_disabled(world: World) -> None:
    alice, bob, _ = await asleep(world)
    assert await enable(bob, "n", jid="push.nowhere.example") == ""
    await say(alice, "x")
    services = world.module("push")._directory.get(bob.jid.bare)
    while len(services) > 1:
        await alice.ping()
    assert list(services) == [(SERVICE, "yxs32")]


async def test_an_app_server_takes_its_permission_back(world: World) -> None:
    """9, example 17; nobody else can."""
    alice, bob, app = await asleep(world)
    revoked = (
        f"<message to='bob@localhost'><pubsub xmlns='{PUBSUB}' node='yxs32'>"
        "<affiliation jid='bob@localhost' affiliation='none'/></pubsub></message>"
    )
    alice.send(revoked)
    await alice.ping()
    await bob.receives("c:message")
    await say(alice, "x")
    answer(app, await notified(app))
    app.send(revoked)
    await app.ping()
    await world.advance(6)
    await bob.pending()
    await say(alice, "y")
    await app.receives_nothing()


@pytest.mark.parametrize(
    ("node", "inside", "jid", "condition"),
    [
        ("n", "", "", "bad-request"),
        ("n", "", "a@b@c", "jid-malformed"),
        ("n" * 1025, "", SERVICE, "not-acceptable"),
        ("n", "<x xmlns='jabber:x:data' type='submit'/>", SERVICE, "bad-request"),
        ("n", SECRET.replace("eruio", "x" * 4096), SERVICE, "not-acceptable"),
    ],
)
async def test_what_cannot_be_enabled(world: World, node: str, inside: str, jid: str, condition: str) -> None:
    assert await enable(await world.session("bob/phone"), node, inside, jid) == condition


async def test_services_are_bounded() -> None:
    async with a_world(modules=PUSHING | {"push": {"max_services": 2}}) as world:
        bob = await world.session("bob/phone")
        assert [await enable(bob, node) for node in "abab"] == [""] * 4
        assert await enable(bob, "c") == "resource-constraint"
        await disable(bob, f"jid='{SERVICE}' node='a'")
        assert await enable(bob, "c") == ""


async def test_another_account_is_left_alone(world: World) -> None:
    alice, _ = await world.session("alice/phone"), await world.session("bob/phone")
    for name in ("enable", "disable"):
        reply = await alice.ask(f"<iq type='set' to='bob@localhost'><{name} xmlns='{PUSH}' jid='{SERVICE}'/></iq>")
        assert error_of(reply) == "forbidden"


async def test_services_outlive_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = {"data_dir": str(tmp_path_factory.mktemp("kept"))}
    async with a_world(modules=PUSHING, **folder) as world:
        await asleep(world, inside=SECRET)
    async with a_world(modules=PUSHING, **folder) as world:
        alice, app = await world.session("alice/phone"), await world.session("push/app")
        await say(alice, "x")
        assert "eruio234vzxc2kla-91" in notified_text(await notified(app))


async def test_a_removed_account_leaves_nothing(world: World) -> None:
    await asleep(world)
    await world.host.remove_account(JID.parse("bob@localhost"))
    assert await world.host.house.storage.fetch("SELECT node FROM push") == []


async def test_a_device_that_lost_its_connection_is_notified(world: World) -> None:
    """XEP-0198: of what was sent into the dead connection, and of what waits for it to come back."""
    alice, app = await world.session("alice/phone"), await world.session("push/app")
    bob, _ = await managed(world, "bob/phone")
    bob.send("<presence/>")
    assert await enable(bob) == ""
    await say(alice, "into the void")
    await bob.pending()
    await app.receives_nothing()
    await vanish(world, bob)
    answer(app, await notified(app))
    await world.advance(6)
    await say(alice, "are you there?")
    assert summary(await notified(app))["message-count"] == "2"
