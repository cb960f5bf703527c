"""Archives that are searched (XEP-0431) and purged, and what an administrator does with them."""

from collections.abc import AsyncIterator

import pytest

from tests.kit.client import error_of
from tests.kit.world import World, a_world
from tests.stories.archives import MAM, MODULES, asking, form, page, rsm, say
from tests.stories.test_offline_admin import later
from xmppd.commands import CommandError
from xmppd.modules.mam import purge
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

FULLTEXT = "{urn:xmpp:fulltext:0}fulltext"
SEARCHING = MODULES | {"mam": {"search": True}}


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(purge, "BATCH", 3)
    async with a_world(modules=MODULES | {"mam": {"expire_days": 30}}) as made:
        await made.account("bob")
        yield made


async def rows(world: World) -> dict[str, int]:
    counted = {}
    for table in ("mam", "mam_order", "mam_peers"):
        row = await world.host.house.storage.fetch_one(f"SELECT count(*) FROM {table}")  # noqa: S608
        counted[table] = int(row[0]) if row else 0
    return counted


def wanted(text: str) -> str:
    return form(**{FULLTEXT: text})


async def test_old_messages_are_deleted_on_demand(world: World) -> None:
    """In small transactions, and told how far it is; the newer ones stay, and stay in order."""
    alice = await world.session("alice/phone")
    old, new = [f"old {number}" for number in range(5)], [f"new {number}" for number in range(5)]
    await say(alice, *old)
    await later(world, 3)
    await say(alice, *new)
    told: list[tuple[int, int]] = []
    call = world.server.commands.call
    assert await call("delete_old_mam_messages", ("all", "7")) == 0
    deleted = await call("delete_old_mam_messages", ("chat", "2"), progress=lambda *told_: told.append(told_))
    assert deleted == 10
    assert len(told) == 4
    assert all(0 < done <= total for done, total in told)
    assert (await page(alice)).texts == new
    assert await rows(world) == {"mam": 10, "mam_order": 10, "mam_peers": 10}


async def test_messages_that_come_meanwhile_are_archived(world: World) -> None:
    """It waits for each batch, so others' messages get their turn."""
    alice = await world.session("alice/phone")
    await say(alice, *map(str, range(20)))
    await later(world, 3)
    said = []

    def progress(done: int, total: int) -> None:
        said.append(str(len(said)))
        alice.send(f"<message to='bob@localhost' type='chat'><body>{said[-1]}</body></message>")

    assert await world.server.commands.call("delete_old_mam_messages", ("chat", "2"), progress=progress) == 40
    assert len(said) > 5
    await alice.ping()
    assert (await page(alice)).texts == said


async def test_what_is_purged_is_not_found(world: World) -> None:
    """XEP-0313 4.3.2: a client that has been away for long learns that there is a gap."""
    alice = await world.session("alice/phone")
    await say(alice, "old")
    (gone,) = (await page(alice)).ids
    await later(world, 31)
    await say(alice, "new")
    await world.module("mam").expire()
    assert (await page(alice)).texts == ["new"]
    assert error_of(await alice.ask(asking(rsm(after=gone)))) == "item-not-found"


async def test_rooms_are_purged_apart_from_accounts(world: World) -> None:
    world.host.domains["rooms.localhost"] = "test"
    room, mam = JID.parse("room@rooms.localhost"), world.module("mam")
    speaker = room.with_resource("one")
    await mam.keep(room, Stanza("message", None, speaker, "groupchat"), speaker, mam.new_id(), rooms=True)
    alice = await world.session("alice/phone")
    await say(alice, "x")
    await later(world, 3)
    call = world.server.commands.call
    assert await call("delete_old_mam_messages", ("groupchat", "2")) == 1
    assert await call("delete_old_mam_messages", ("groupchat", "2")) == 0
    assert await call("delete_old_mam_messages", ("all", "2")) == 2
    del world.host.domains["rooms.localhost"]


@pytest.mark.parametrize("arguments", [("pictures", "2"), ("all", "-1"), ("all", "36501"), ("all", "99999999999")])
async def test_what_cannot_be_deleted(world: World, arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        await world.server.commands.call("delete_old_mam_messages", arguments)


async def test_one_archive_is_deleted(world: World) -> None:
    alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
    await say(alice, *map(str, range(7)))
    await bob.pending()
    await world.server.commands.call("remove_mam_for_user", ("bob", "localhost"))
    assert (await page(bob)).texts == []
    assert len((await page(alice)).texts) == 7


async def test_two_hosts_have_their_own_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one host keeps for ever is not purged with another's, and each keeps its own preferences."""
    hosts = {"hosts": ["localhost", "elsewhere.example"]}
    override = {"host_config": {"elsewhere.example": {"modules": {"mam": {"expire_days": 1}}}}}
    async with a_world(modules=MODULES, **hosts, **override) as world:
        alice = await world.session("alice/phone")
        await world.server.hosts["elsewhere.example"].create_account("carol", "carol")
        await say(alice, "x", to="carol@elsewhere.example")
        await later(world, 2)
        for host in world.server.hosts.values():
            await host.modules["mam"].expire()  # type: ignore[attr-defined]
        kept = await world.host.house.storage.fetch("SELECT archive FROM mam")
        assert [row[0] for row in kept] == ["alice@localhost"]
        assert (await page(alice)).texts == ["x"]


async def test_messages_are_found_by_their_words() -> None:
    """XEP-0431: all words, in any order and case; the filters hold beside it."""
    async with a_world(modules=SEARCHING) as world:
        await world.account("carol")
        alice, bob = await world.session("alice/phone"), await world.online("bob/phone")
        await say(alice, "Wherefore art thou Romeo", "art for all", "Thou art a villain")
        await say(alice, "thou art elsewhere", to="carol@localhost")
        await bob.pending()
        assert (await page(alice, wanted("ART thou"))).texts == [
            "Wherefore art thou Romeo", "Thou art a villain", "thou art elsewhere",
        ]  # fmt: skip
        both = form(**{FULLTEXT: "thou", "with": "bob@localhost"})
        assert (await page(alice, both + rsm(max=1, before=""))).texts == ["Thou art a villain"]
        assert (await page(bob, wanted("elsewhere"))).texts == []
        assert (await page(bob, wanted('"art" OR NEAR('))).texts == []
        assert (await page(bob, wanted("villain"))).texts == ["Thou art a villain"]


async def test_support_for_search_is_shown_where_it_is() -> None:
    """XEP-0431 3; the form has the field, and only then."""
    for modules, shown in ((MODULES, False), (SEARCHING, True)):
        async with a_world(modules=modules) as world:
            alice = await world.session("alice/phone")
            assert (world.host.account_features["urn:xmpp:fulltext:0"] == 1) is shown
            reply = await alice.ask(f"<iq type='get'><query xmlns='{MAM}'/></iq>")
            assert (FULLTEXT in reply.xpath("*/*/*/@var")) is shown
            assert error_of(await alice.ask(asking(wanted("x")))) == ("" if shown else "feature-not-implemented")


async def test_what_is_gone_is_not_found_by_its_words() -> None:
    async with a_world(modules=SEARCHING) as world:
        await world.account("bob")
        alice = await world.session("alice/phone")
        await say(alice, "one secret", "two secrets")
        ids = (await page(alice)).ids
        assert await world.module("mam").redact(alice.jid.bare, ids[0], retraction="r")
        assert (await page(alice, wanted("secret"))).texts == []
        assert (await page(alice, wanted("secrets"))).texts == ["two secrets"]
        await later(world, 2)
        await world.server.commands.call("delete_old_mam_messages", ("all", "1"))
        assert await world.host.house.storage.fetch("SELECT words FROM mam_words") == []
