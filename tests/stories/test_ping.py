"""XEP-0199: XMPP Ping."""

from tests.kit.world import a_world


async def test_a_client_pings_its_server() -> None:
    async with a_world(modules={"ping": {}}) as world:
        alice = await world.session("alice/phone")
        reply = await alice.ask("<iq type='get' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert reply.get("type") == "result"
        assert reply.get("from") == "localhost"
        assert len(reply) == 0
        bob = await world.session("bob/x")
        bob.send("<message to='alice@localhost/phone' type='chat'><body>hi</body></message>")
        await alice.receives("c:message[@from='bob@localhost/x']/c:body[.='hi']/..")
