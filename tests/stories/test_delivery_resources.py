"""RFC 6120 7.7.2.2: two clients want the same resource."""

import pytest

from tests.kit.client import error_of
from tests.kit.world import a_world

BIND = "<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{}</resource></bind></iq>"
MODULES = {"ping": {}, "tests.stories.appearing": {}}


async def test_closeold_the_new_one_takes_its_place() -> None:
    async with a_world(modules=MODULES, resource_conflict="closeold") as world:
        old = await world.online("alice/phone")
        new = await world.session("alice/phone")
        await old.receives_stream_error("conflict")
        assert new.jid == "alice@localhost/phone"
        assert len(world.host.sessions) == 1
        bob = await world.session("bob/desk")
        bob.send("<message to='alice@localhost/phone'><body>hi</body></message>")
        await new.receives("c:message")


async def test_closenew_the_old_one_stays() -> None:
    async with a_world(modules=MODULES, resource_conflict="closenew") as world:
        old = await world.session("alice/phone")
        new = await world.dial()
        await new.open()
        await new.login("alice", "alice")
        reply = await new.ask(BIND.format("phone"))
        assert error_of(reply) == "conflict"
        assert await new.bind("laptop") == "alice@localhost/laptop"
        await old.receives_nothing()


async def test_setresource_the_new_one_gets_another() -> None:
    async with a_world(modules=MODULES, resource_conflict="setresource") as world:
        old = await world.session("alice/phone")
        new = await world.session("alice/phone")
        assert new.jid.bare == "alice@localhost"
        assert new.jid.resource.startswith("phone-")
        await old.receives_nothing()
        await new.receives_nothing()


async def test_without_a_wish_the_server_chooses() -> None:
    """7.6: one nobody can guess."""
    async with a_world(modules=MODULES) as world:
        one, two = await world.session("alice"), await world.session("alice")
        assert one.jid.resource != two.jid.resource
        assert min(len(one.jid.resource), len(two.jid.resource)) >= 10


@pytest.mark.parametrize("resource", ["x" * 1024, "a\u0000b".replace("\u0000", "&#7;")])
async def test_a_resource_that_nobody_can_have(resource: str) -> None:
    async with a_world(modules=MODULES) as world:
        await world.account("alice")
        alice = await world.dial()
        await alice.open()
        await alice.login("alice", "alice")
        if "&#" in resource:
            alice.send(BIND.format(resource).replace("<iq ", "<iq id='1' "))
            await alice.receives_stream_error("not-well-formed")
        else:
            assert error_of(await alice.ask(BIND.format(resource))) == "jid-malformed"


async def test_an_account_has_so_many_sessions_and_no_more() -> None:
    """7.7.2.3: `resource-constraint`."""
    async with a_world(modules=MODULES, limits={"max_sessions_per_user": 2}) as world:
        await world.session("alice/one")
        await world.session("alice/two")
        three = await world.dial()
        await three.open()
        await three.login("alice", "alice")
        assert error_of(await three.ask(BIND.format("three"))) == "resource-constraint"
