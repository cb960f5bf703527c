"""RFC 6121 4: presence."""

from tests.kit.world import a_world

MODULES = {"roster": {}, "presence": {}, "ping": {}}


async def test_friends_see_each_other() -> None:
    async with a_world(modules=MODULES) as world:
        alice = await world.online("alice/phone")
        bob = await world.online("bob/desk")
        await world.friends(alice, bob)
        alice.send("<presence><show>away</show></presence>")
        await bob.receives("c:presence[@from='alice@localhost/phone'][@to='bob@localhost']/c:show[.='away']/..")
