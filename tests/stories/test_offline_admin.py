"""What an administrator does with stored messages: count, delete, import, reload."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.world import World, a_world
from tests.stories.test_offline import MODULES, chat, stored, texts
from xmppd.commands import CommandError
from xmppd.xmpp.jid import JID

DAY = 86_400
BOB = JID.parse("bob@localhost")
EXPORT = """<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='bob' password='bob'>
<offline-messages>
  <message xmlns='jabber:client' from='alice@localhost/old' to='bob@localhost' type='chat'><body>one</body>
    <delay xmlns='urn:xmpp:delay' from='localhost' stamp='2020-01-02T03:04:05Z'>Offline Storage</delay></message>
  <message xmlns='jabber:client' from='alice@localhost/old' to='bob@localhost'><body>two</body></message>
</offline-messages></user></host></server-data>"""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world(modules=MODULES | {"offline": {"expire_days": 30}}) as made:
        await made.account("bob")
        yield made


async def say(world: World, *bodies: str) -> None:
    alice = await world.session("alice/phone")
    alice.send("".join(chat(body) for body in bodies))
    await alice.ping()
    await alice.close()


async def later(world: World, days: float) -> None:
    """Days pass of which only the end is seen."""
    world.clock._now += days * DAY
    await world.advance(1)


async def test_stored_messages_are_counted(world: World) -> None:
    call = world.server.commands.call
    assert await call("get_offline_count", ("bob", "localhost")) == 0
    await say(world, "one", "two")
    assert await call("get_offline_count", ("bob", "localhost")) == 2
    assert await call("get_offline_count", ("nobody", "localhost")) == 0


async def test_old_messages_are_deleted_on_demand(world: World) -> None:
    await say(world, "old", "older")
    await later(world, 3)
    await say(world, "new")
    assert await world.server.commands.call("delete_old_messages", ("7",)) == 0
    assert await world.server.commands.call("delete_old_messages", ("2",)) == 2
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    assert await texts(bob) == ["new"]


@pytest.mark.parametrize("days", ["-1", "36501", "99999999999"])
async def test_an_age_that_no_message_can_have_is_refused(world: World, days: str) -> None:
    with pytest.raises(CommandError, match="DAYS must lie between 0 and 36500"):
        await world.server.commands.call("delete_old_messages", (days,))


async def test_deleted_messages_make_room_and_are_waited_for_no_more() -> None:
    async with a_world(modules=MODULES | {"offline": {"max_user_messages": 2}}) as world:
        await world.account("bob")
        await say(world, "one", "two")
        await later(world, 1)
        await world.server.commands.call("delete_old_messages", ("0",))
        await say(world, "three", "four")
        assert await stored(world) == 2
        await later(world, 1)
        await world.server.commands.call("delete_old_messages", ("0",))
        bob = await world.session("bob/phone")
        bob.send("<presence/>")
        await say(world, "five")
        assert await texts(bob) == ["five"]


async def test_messages_expire(world: World) -> None:
    await say(world, "old")
    await later(world, 29)
    await say(world, "new")
    assert await stored(world) == 2
    await later(world, 2)
    assert await stored(world) == 1
    assert await world.server.commands.call("delete_expired_messages") == 0
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    assert await texts(bob) == ["new"]


async def test_without_an_expiry_the_command_says_what_to_do() -> None:
    async with a_world(modules=MODULES) as world:
        with pytest.raises(CommandError, match="set expire_days"):
            await world.server.commands.call("delete_expired_messages")


async def test_messages_of_another_server_are_taken_over(world: World, tmp_path: Path) -> None:
    """XEP-0227 4.5."""
    await world.host.remove_account(BOB)
    file = tmp_path / "export.xml"
    file.write_text(EXPORT)
    told = await world.server.commands.call("import", (str(file),))
    assert isinstance(told, dict)
    assert told["created"] == 1
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    first = await bob.receives("c:message[@from='alice@localhost/old'][@type='chat'][c:body='one']")
    assert [delay.get("stamp") for delay in first.iterchildren("{urn:xmpp:delay}delay")] == [
        "2020-01-02T03:04:05.000000Z"
    ]
    await bob.receives("c:message[c:body='two']/delay:delay[@from='localhost']/..")
    await bob.receives_nothing()


async def test_a_reloaded_module_knows_what_is_stored(world: World) -> None:
    await say(world, "one")
    loader = world.server._loaders["localhost"]
    without = {name: options for name, options in MODULES.items() if name != "offline"}
    await loader.reload(without)
    alice = await world.session("alice/phone")
    alice.send(chat("lost"))
    await alice.receives_error("service-unavailable")
    await loader.reload(MODULES)
    await say(world, "two")
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    assert await texts(bob) == ["one", "two"]


async def test_an_anonymous_user_keeps_nothing(world: World) -> None:
    """A session without an account is not there: nobody could fetch what was stored for it."""
    bob = await world.session("bob/phone")
    await world.host.accounts.remove("bob")
    await say(world, "one")
    assert await stored(world) == 0
    await bob.receives_nothing()


async def test_what_is_stored_is_counted_for_the_operator(world: World) -> None:
    await say(world, "one", "two")
    bob = await world.session("bob/phone")
    bob.send("<presence/>")
    await texts(bob)
    await bob.close()
    rendered = world.server.metrics.render().decode()
    assert 'xmppd_offline_stored_total{host="localhost"} 2.0' in rendered
    assert 'xmppd_offline_delivered_total{host="localhost"} 2.0' in rendered
