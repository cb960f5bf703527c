"""XEP-0115: Entity Capabilities, of the server and of its clients."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from lxml import etree

from tests.kit.client import NAMES, Client, error_of
from tests.kit.world import World, a_world
from xmppd.routing.sessions import Session
from xmppd.xmpp.caps import NS_CAPS, Disco, Identity
from xmppd.xmpp.stanza import Element

MODULES: dict[str, dict[str, Any]] = {"ping": {}, "disco": {}, "caps": {}, "roster": {}, "presence": {}}
INFO = "http://jabber.org/protocol/disco#info"
EXODUS = "http://code.google.com/p/exodus"
# The XEP's own example (5.2) and its hash.
FEATURES = ("http://jabber.org/protocol/caps", INFO, f"{INFO[:-4]}items", "http://jabber.org/protocol/muc")
CLIENT = Disco((Identity("client", "pc", "Exodus 0.9.1"),), FEATURES)
VER = "QgayPKawpkPSDYmwT/WM94uAlu0="
OTHER = Disco((Identity("client", "phone"),), (INFO, "urn:example:other"))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES) as made:
        yield made


def announcement(ver: str = VER, algorithm: str = "sha-1", more: str = "") -> str:
    hashed = f" hash='{algorithm}'" if algorithm else ""
    return f"<presence><c xmlns='{NS_CAPS}'{hashed} node='{EXODUS}' ver='{ver}'/>{more}</presence>"


async def announces(world: World, address: str, ver: str = VER, algorithm: str = "sha-1") -> Client:
    """Comes online with capabilities; the server's question, if it has one, is on its way."""
    client = await world.online(address, announcement(ver, algorithm))
    world.server.timetable.run_due()
    return client


async def is_asked(client: Client, ver: str = VER) -> Element:
    return await client.receives(f"c:iq[@type='get'][@from='localhost']/info:query[@node='{EXODUS}#{ver}']/..")


async def answers(client: Client, question: Element, disco: Disco = CLIENT) -> None:
    query = etree.tostring(disco.to_element(str(question[0].get("node")))).decode()
    client.send(f"<iq type='result' to='localhost' id='{question.get('id')}'>{query}</iq>")
    await client.ping()


def session(world: World, client: Client) -> Session:
    found = world.host.sessions.find(client.jid)
    assert found is not None
    return found


def features(world: World, client: Client) -> set[str]:
    return set(world.module("caps").features_of(session(world, client)))


# The server's own


async def stream_features(world: World) -> Element:
    client = await world.session("zoe/phone")
    assert client.features is not None
    return client.features


async def offered(world: World) -> Element:
    found = (await stream_features(world)).find(f"{{{NS_CAPS}}}c")
    assert found is not None
    return found


async def test_6_3_the_server_announces_itself_in_its_stream_features(world: World) -> None:
    c = await offered(world)
    assert (c.get("hash"), c.get("node")) == ("sha-1", "urn:xmppd:caps")


async def test_6_3_not_before_login(world: World) -> None:
    stranger = await world.dial()
    assert (await stranger.open()).find(f"{{{NS_CAPS}}}c") is None


async def test_5_1_the_hash_is_that_of_what_disco_answers(world: World) -> None:
    c = await offered(world)
    alice = await world.session("alice/phone")
    node = f"{c.get('node')}#{c.get('ver')}"
    for which in ("", f" node='{node}'"):
        reply = await alice.ask(f"<iq type='get' to='localhost'><query xmlns='{INFO}'{which}/></iq>")
        assert Disco.from_element(reply[0]).matches(str(c.get("ver")))


async def test_6_2_the_answer_names_the_node(world: World) -> None:
    c = await offered(world)
    alice = await world.session("alice/phone")
    node = f"{c.get('node')}#{c.get('ver')}"
    reply = await alice.ask(f"<iq type='get' to='localhost'><query xmlns='{INFO}' node='{node}'/></iq>")
    assert reply[0].get("node") == node
    wrong = await alice.ask(f"<iq type='get' to='localhost'><query xmlns='{INFO}' node='{node}x'/></iq>")
    assert error_of(wrong) == "item-not-found"


async def test_6_2_the_node_is_no_item(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await alice.ask(f"<iq type='get' to='localhost'><query xmlns='{INFO[:-4]}items'/></iq>")
    assert reply.get("type") == "result"
    assert len(reply[0]) == 0


async def test_7_the_server_has_the_feature(world: World) -> None:
    alice = await world.session("alice/phone")
    reply = await alice.ask(f"<iq type='get' to='localhost'><query xmlns='{INFO}'/></iq>")
    assert reply.xpath(f"info:query/info:feature[@var='{NS_CAPS}']", namespaces=NAMES)


async def test_6_1_the_hash_changes_with_the_modules(world: World) -> None:
    before = (await offered(world)).get("ver")
    assert (await offered(world)).get("ver") == before
    loader = world.server._loaders["localhost"]
    await loader.unload("ping")
    after = (await offered(world)).get("ver")
    assert after != before


async def test_6_1_the_hash_changes_with_the_configuration(world: World) -> None:
    before = (await offered(world)).get("ver")
    modules = MODULES | {"disco": {"name": "elsinore"}}
    config = world.server.config
    await world.server.reload(config.model_copy(update={"modules": modules}))
    assert (await offered(world)).get("ver") != before


async def test_a_name_that_cannot_be_hashed_is_not_announced() -> None:
    async with a_world(modules=MODULES | {"disco": {"name": "a<b"}}) as world:
        assert (await stream_features(world)).find(f"{{{NS_CAPS}}}c") is None


# Those of clients


async def test_6_2_a_client_is_asked_for_what_nobody_has_proved_yet(world: World) -> None:
    alice = await announces(world, "alice/phone")
    question = await is_asked(alice)
    assert question.get("to") == "alice@localhost/phone"
    assert features(world, alice) == set()
    await answers(alice, question)
    assert features(world, alice) == set(FEATURES)


async def test_5_4_what_one_has_proved_holds_for_all(world: World) -> None:
    alice = await announces(world, "alice/phone")
    await answers(alice, await is_asked(alice))
    bob = await announces(world, "bob/phone")
    await bob.receives_nothing()
    assert features(world, bob) == set(FEATURES)
    assert world.module("caps").asked.value == 1


async def test_of_two_who_announce_the_same_one_is_asked(world: World) -> None:
    alice = await world.online("alice/phone", announcement())
    bob = await announces(world, "bob/phone")
    question = await is_asked(alice)
    await bob.receives_nothing()
    carol = await announces(world, "carol/phone")
    await answers(alice, question)
    await carol.receives_nothing()
    assert features(world, bob) == features(world, carol) == set(FEATURES)


async def test_a_presence_that_says_the_same_asks_nothing(world: World) -> None:
    alice = await announces(world, "alice/phone")
    await answers(alice, await is_asked(alice))
    alice.send(announcement(more="<show>away</show>") + "<presence><show>dnd</show></presence>")
    await alice.pending()
    world.server.timetable.run_due()
    await alice.receives_nothing()
    assert features(world, alice) == set(FEATURES)


@pytest.mark.parametrize("node", ["http://a?b>c", "http://it&apos;s", "http://" + "n" * 600])
async def test_a_tag_that_is_hard_to_see_is_still_read_right(world: World, node: str) -> None:
    c = f"<c xmlns='{NS_CAPS}' hash='sha-1' node='{node}' ver='{VER}'/>"
    alice = await world.online("alice/phone", f"<presence><status>&gt;{NS_CAPS}</status>{c}</presence>")
    world.server.timetable.run_due()
    await answers(alice, await alice.receives("c:iq[@type='get']/info:query/.."))
    assert features(world, alice) == set(FEATURES)
    alice.send(f"<presence>{c.replace(VER, OTHER.ver())}</presence>")
    await alice.pending()
    world.server.timetable.run_due()
    await answers(alice, await alice.receives("c:iq[@type='get']/info:query/.."), OTHER)
    assert features(world, alice) == set(OTHER.features)


async def test_a_liar_is_not_asked_again_and_again(world: World) -> None:
    mallory = await announces(world, "mallory/phone")
    await answers(mallory, await is_asked(mallory), OTHER)
    for presence in (announcement(more="<show>away</show>"), announcement().replace("'", '"')):
        mallory.send(presence)
        await mallory.pending()
        world.server.timetable.run_due()
        await mallory.receives_nothing()


async def test_6_1_a_client_may_change_what_it_can_do(world: World) -> None:
    alice = await announces(world, "alice/phone")
    await answers(alice, await is_asked(alice))
    alice.send(announcement(OTHER.ver()))
    await alice.pending()
    world.server.timetable.run_due()
    assert features(world, alice) == set()
    await answers(alice, await is_asked(alice, OTHER.ver()), OTHER)
    assert features(world, alice) == set(OTHER.features)
    alice.send(announcement())
    await alice.pending()
    assert features(world, alice) == set(FEATURES)


async def test_5_4_an_answer_that_does_not_fit_is_believed_of_nobody(world: World) -> None:
    mallory = await announces(world, "mallory/phone")
    await answers(mallory, await is_asked(mallory), OTHER)
    assert features(world, mallory) == set()
    assert world.module("caps").refused.value == 1
    alice = await announces(world, "alice/phone")
    await answers(alice, await is_asked(alice))
    assert features(world, alice) == set(FEATURES)


async def test_5_4_another_who_announces_it_is_asked_where_the_first_one_lies(world: World) -> None:
    mallory = await announces(world, "mallory/phone")
    question = await is_asked(mallory)
    alice = await announces(world, "alice/phone")
    await answers(mallory, question, OTHER)
    await answers(alice, await is_asked(alice))
    assert features(world, alice) == set(FEATURES)


async def test_5_4_or_where_it_is_gone(world: World) -> None:
    mallory = await world.online("mallory/phone", announcement())
    alice = await world.online("alice/phone", announcement())
    await mallory.close()
    world.server.timetable.run_due()
    await answers(alice, await is_asked(alice))
    assert features(world, alice) == set(FEATURES)


async def test_5_4_an_error_is_no_answer(world: World) -> None:
    alice = await announces(world, "alice/phone")
    question = await is_asked(alice)
    alice.send(f"<iq type='error' to='localhost' id='{question.get('id')}'/>")
    await alice.receives_nothing()
    assert features(world, alice) == set()
    bob = await announces(world, "bob/phone")
    await is_asked(bob)


async def test_5_4_two_features_alike_are_ill_formed(world: World) -> None:
    twice = Disco(CLIENT.identities, (*FEATURES, FEATURES[0]))
    alice = await announces(world, "alice/phone")
    await answers(alice, await is_asked(alice), twice)
    assert features(world, alice) == set()


async def test_5_4_a_hash_nobody_here_can_compute_holds_for_who_says_it(world: World) -> None:
    alice = await announces(world, "alice/phone", "abc", "sha-9")
    await answers(alice, await is_asked(alice, "abc"))
    assert features(world, alice) == set(FEATURES)
    bob = await announces(world, "bob/phone", "abc", "sha-9")
    await is_asked(bob, "abc")
    assert features(world, bob) == set()


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
async def test_8_1_other_hashes(world: World, algorithm: str) -> None:
    ver = CLIENT.ver(algorithm)
    alice = await announces(world, "alice/phone", ver, algorithm)
    await answers(alice, await is_asked(alice, ver))
    assert features(world, alice) == set(FEATURES)


@pytest.mark.parametrize(
    ("ver", "algorithm"), [(VER, ""), ("v" * 129, "sha-1"), ("", "sha-1"), (VER, "sha-of-my-own-making")]
)
async def test_13_what_proves_nothing_is_not_asked_for(world: World, ver: str, algorithm: str) -> None:
    alice = await announces(world, "alice/phone", ver, algorithm)
    await alice.receives_nothing()
    assert features(world, alice) == set()


async def test_a_prefix_changes_nothing(world: World) -> None:
    presence = f"<presence><p:c xmlns:p='{NS_CAPS}' hash='sha-1' node='{EXODUS}' ver='{VER}'/></presence>"
    alice = await world.online("alice/phone", presence)
    world.server.timetable.run_due()
    await answers(alice, await is_asked(alice))
    assert features(world, alice) == set(FEATURES)


async def test_the_presence_passes_as_it_is(world: World) -> None:
    alice, bob = await world.online("alice/phone"), await world.online("bob/phone")
    await world.friends(alice, bob)
    alice.send(announcement())
    await bob.receives(f"c:presence/*[namespace-uri()='{NS_CAPS}'][@ver='{VER}'][@node='{EXODUS}'][@hash='sha-1']/..")


async def test_what_is_remembered_has_a_bound() -> None:
    async with a_world(modules=MODULES | {"caps": {"cache_size": 1}}) as world:
        alice = await announces(world, "alice/phone")
        await answers(alice, await is_asked(alice))
        bob = await announces(world, "bob/phone", OTHER.ver())
        await answers(bob, await is_asked(bob, OTHER.ver()), OTHER)
        assert features(world, alice) == set(FEATURES)
        carol = await announces(world, "carol/phone")
        await is_asked(carol)


async def test_an_endless_answer_is_not_kept(world: World) -> None:
    endless = Disco(CLIENT.identities, tuple(f"urn:example:{number}" for number in range(1000)))
    alice = await announces(world, "alice/phone", endless.ver())
    await answers(alice, await is_asked(alice, endless.ver()), endless)
    assert features(world, alice) == set()


async def test_a_module_that_leaves_lets_go_of_its_questions(world: World) -> None:
    alice = await world.online("alice/phone", announcement())
    await world.server._loaders["localhost"].unload("caps")
    world.server.timetable.run_due()
    await alice.receives_nothing()
