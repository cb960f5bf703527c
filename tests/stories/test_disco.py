"""XEP-0030: Service Discovery, with XEP-0128 (forms) and XEP-0157 (contact addresses)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kit.client import NAMES, Client, error_of
from tests.kit.world import World, a_world
from xmppd.config import ConfigError
from xmppd.xmpp.stanza import Element

COMMANDS = "http://jabber.org/protocol/commands"
MODULES: dict[str, dict[str, Any]] = {"ping": {}, "disco": {}, "roster": {}, "presence": {}}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


async def info(client: Client, to: str | None, node: str = "") -> Element:
    return await disco(client, to, node, "info")


async def items(client: Client, to: str | None, node: str = "") -> Element:
    return await disco(client, to, node, "items")


async def disco(client: Client, to: str | None, node: str, kind: str) -> Element:
    where = f" to='{to}'" if to else ""
    which = f" node='{node}'" if node else ""
    return await client.ask(
        f"<iq type='get'{where}><query xmlns='http://jabber.org/protocol/disco#{kind}'{which}/></iq>"
    )


def found(reply: Element, path: str) -> list[str]:
    assert reply.get("type") == "result", error_of(reply)
    return [str(value) for value in reply.xpath(path, namespaces=NAMES)]


def features(reply: Element) -> list[str]:
    return found(reply, "info:query/info:feature/@var")


def addresses(reply: Element) -> list[str]:
    return found(reply, "items:query/items:item/@jid")


async def test_3_1_every_entity_has_an_identity_and_the_feature_of_discovery(world: World) -> None:
    alice = await world.session("alice/phone")
    for whom in ("localhost", "alice@localhost"):
        reply = await info(alice, whom)
        assert reply.get("from") == whom
        assert found(reply, "info:query/info:identity[@category and @type]/@category")
        assert "http://jabber.org/protocol/disco#info" in features(reply)


async def test_3_1_the_server_is_an_im_server_with_what_its_modules_can_do(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await info(alice, "localhost")
    assert found(reply, "info:query/info:identity[@type='im'][@name='xmppd']/@category") == ["server"]
    assert set(features(reply)) == set(world.host.features)
    assert "urn:xmpp:ping" in features(reply)


async def test_3_1_no_feature_comes_twice_and_none_has_children(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await info(alice, "localhost")
    assert len(set(features(reply))) == len(features(reply))
    assert not found(reply, "info:query/info:feature/*")


async def test_3_1_the_server_answers_for_an_account(world: World) -> None:
    alice = await world.online("alice/phone")
    for whom in ("alice@localhost", None):
        reply = await info(alice, whom)
        assert found(reply, "info:query/info:identity/@*") == ["account", "registered"]
        assert set(features(reply)) == set(world.host.account_features)
    await alice.receives_nothing()


async def test_3_2_the_response_mirrors_the_node(world: World) -> None:
    alice = await world.session("alice/phone")
    for whom in ("localhost", "alice@localhost"):
        assert found(await items(alice, whom, COMMANDS), "items:query/@node") == [COMMANDS]
        assert not found(await items(alice, whom), "items:query/@node")


async def test_7_a_node_that_is_not_there_is_not_found(world: World) -> None:
    alice = await world.session("alice/phone")
    for whom in ("localhost", "alice@localhost"):
        for kind in ("info", "items"):
            assert error_of(await disco(alice, whom, "http://example.com/none", kind)) == "item-not-found"


async def test_4_1_no_items_are_an_empty_list(world: World) -> None:
    alice = await world.session("alice/phone")
    for node in ("", COMMANDS):
        reply = await items(alice, "localhost", node)
        assert found(reply, "items:query/@*") == ([node] if node else [])
        assert addresses(reply) == []


async def test_4_1_the_items_of_the_server_are_the_services_beside_it() -> None:
    listed = {**MODULES, "disco": {"extra_domains": ["irc.localhost"]}, "tests.stories.serving": {}}
    async with a_world(modules=listed) as world:
        alice = await world.session("alice/phone")
        assert addresses(await items(alice, "localhost")) == ["echo.localhost", "irc.localhost"]
        reply = await info(alice, "echo.localhost")
        assert reply.get("from") == "echo.localhost"
        assert found(reply, "info:query/info:identity/@type") == ["echo"]
        assert error_of(await info(alice, "irc.localhost")) == "remote-server-not-found"


async def test_4_1_the_items_of_an_account_are_its_available_resources(world: World) -> None:
    alice = await world.online("alice/phone")
    await world.online("alice/&lt;laptop&gt;")
    await world.session("alice/silent")
    assert addresses(await items(alice, "alice@localhost")) == ["alice@localhost/phone", "alice@localhost/<laptop>"]
    assert addresses(await items(alice, None)) == addresses(await items(alice, "alice@localhost"))
    assert addresses(await items(alice, "alice@localhost", COMMANDS)) == []


async def test_8_a_contact_who_may_see_presence_sees_resources(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    assert addresses(await items(bob, "alice@localhost")) == ["alice@localhost/phone"]
    assert found(await info(bob, "alice@localhost"), "info:query/info:identity/@type") == ["registered"]


async def test_8_a_contact_whom_one_only_watches_sees_nothing(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    alice.send("<presence to='bob@localhost' type='subscribe'/>")
    await alice.ping()
    bob.send("<presence to='alice@localhost' type='subscribed'/>")
    await bob.pending()
    await alice.pending()
    assert addresses(await items(alice, "bob@localhost")) == ["bob@localhost/phone"]
    assert error_of(await items(bob, "alice@localhost")) == "service-unavailable"


@pytest.mark.parametrize("node", ["", COMMANDS, "http://example.com/none"])
@pytest.mark.parametrize("kind", ["info", "items"])
async def test_8_a_stranger_cannot_tell_an_account_from_none(world: World, kind: str, node: str) -> None:
    await world.online("alice/phone")
    mallory = await world.online("mallory/phone")
    told = []
    for name in ("alice", "nobody"):
        reply = await disco(mallory, f"{name}@localhost", node, kind)
        told.append((reply.get("from") == f"{name}@localhost", [child.tag for child in reply.iter()], reply[0].attrib))
        assert error_of(reply) == "service-unavailable"
    assert told[0] == told[1]


async def test_a_module_that_leaves_takes_its_features_along(world: World) -> None:
    alice = await world.session("alice/phone")
    before = features(await info(alice, "localhost"))
    await world.server._loaders["localhost"].unload("ping")
    after = features(await info(alice, "localhost"))
    assert set(before) - set(after) == {"urn:xmpp:ping"}


async def test_0157_contact_addresses_are_a_form() -> None:
    contacts = {"admin": ["mailto:admin@example.org", "xmpp:admin@example.org"], "abuse": ["mailto:a@example.org"]}
    async with a_world(modules=MODULES | {"disco": {"contacts": contacts}}) as world:
        alice = await world.session("alice/phone")
        reply = await info(alice, "localhost")
        form = "info:query/x:x[@type='result']"
        kind = f"{form}/x:field[@type='hidden'][@var='FORM_TYPE']/x:value/text()"
        assert found(reply, kind) == ["http://jabber.org/network/serverinfo"]
        assert found(reply, f"{form}/x:field[@var='abuse-addresses']/x:value/text()") == contacts["abuse"]
        assert found(reply, f"{form}/x:field[@var='admin-addresses']/x:value/text()") == contacts["admin"]


async def test_0128_there_is_no_form_where_there_is_nothing_to_say(world: World) -> None:
    alice = await world.session("alice/phone")
    assert not found(await info(alice, "localhost"), "info:query/x:x/@type")


@pytest.mark.parametrize("contacts", [{"admin": ["admin@example.org"]}, {"boss": ["mailto:a@example.org"]}])
async def test_0157_only_kinds_that_are_known_and_only_uris(contacts: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigError, match=r"modules\.disco\.contacts"):
        async with a_world(modules=MODULES | {"disco": {"contacts": contacts}}):
            pass
