"""Logins that are crossed by something else: another host, a lost connection, a second login."""

from base64 import b64decode, b64encode

import pytest
from scramp import ScramClient

from tests.kit.bosh import Bosh
from tests.kit.login import failure, say
from tests.kit.sasl2 import authenticate
from tests.kit.tls import upgrade
from tests.kit.world import World, a_world
from tests.stories.web.doors import a_web
from xmppd.xmpp import namespaces as ns

HOSTS = ["localhost", "other.example"]


async def two_alices(world: World) -> None:
    """The name is one person's here and another's there."""
    await world.account("alice")
    await world.server.register("alice", "another", "other.example")


def half(login: ScramClient) -> str:
    return b64encode(login.get_client_first().encode()).decode()


async def test_a_login_begun_on_one_host_does_not_end_on_another() -> None:
    async with a_world(hosts=HOSTS, modules={}) as world:
        await two_alices(world)
        client, login = await world.dial(), ScramClient(["SCRAM-SHA-1"], "alice", "alice")
        await client.open()
        challenge = await say(client, "auth", half(login), "SCRAM-SHA-1")
        login.set_server_first(b64decode(challenge.text or "").decode())
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        await client.receive()
        client.host = "other.example"
        await upgrade(client)
        answer = await say(client, "response", b64encode(login.get_client_final().encode()).decode())
        assert failure(answer) == "malformed-request"


@pytest.mark.parametrize("profile", [ns.SASL, ns.SASL2])
async def test_nor_where_a_request_restarts_the_stream(profile: str) -> None:
    async with a_web(hosts=HOSTS, modules={}) as world:
        await two_alices(world)
        client, login = Bosh(world), ScramClient(["SCRAM-SHA-1"], "alice", "alice")
        await client.open()
        first = half(login)
        old = f"<auth xmlns='{ns.SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>"
        client.send(old if profile == ns.SASL else authenticate("SCRAM-SHA-1", b64decode(first)))
        login.set_server_first(b64decode((await client.receive()).text or "").decode())
        client.host = "other.example"
        await client.open()
        client.send(f"<response xmlns='{profile}'>{b64encode(login.get_client_final().encode()).decode()}</response>")
        assert failure(await client.receive()) == "malformed-request"
        await client.close()
