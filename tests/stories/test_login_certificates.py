"""SASL EXTERNAL with a client's certificate (XEP-0178)."""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.kit.client import Client
from tests.kit.login import failure, mechanisms, say
from tests.kit.tls import dial_tls, trusting
from tests.kit.world import World, a_world
from tests.listeners.authority import Authority


class People:
    """A world at a door of TLS that knows an authority, and clients with certificates."""

    def __init__(self, world: World, authority: Authority, folder: Path) -> None:
        self.world, self.authority, self.folder = world, authority, folder

    async def client(self, *jids: str, authority: Authority | None = None, days: int = 90) -> Client:
        """A client whose certificate names these addresses; its stream is open."""
        now = datetime.now(UTC)
        issued = (authority or self.authority).issue(
            jids=jids, begins=now - timedelta(100), expires=now + timedelta(days)
        )
        context = trusting()
        context.load_cert_chain(issued.write(self.folder / "client.pem"))
        client = await dial_tls(self.world, context)
        await client.open()
        return client


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem())
    listen = [{"port": 0, "ip": "127.0.0.1", "module": "c2s", "tls": True}]
    async with a_world(modules={"ping": {}}, listen=listen, client_ca=str(tmp_path / "ca.pem")) as world:
        await world.account("alice")
        await world.account("bob")
        yield People(world, authority, tmp_path)


def authzid(jid: str) -> str:
    return b64encode(jid.encode()).decode() or "="


async def test_a_certificate_logs_in(people: People) -> None:
    client = await people.client("alice@localhost")
    assert mechanisms(client)[0] == "EXTERNAL"
    assert failure(await say(client, "auth", "=", "EXTERNAL")) == "success"
    await client.open()
    assert await client.bind("phone") == "alice@localhost/phone"
    await client.ping()


async def test_of_several_addresses_one_is_chosen(people: People) -> None:
    client = await people.client("alice@localhost", "bob@localhost")
    assert failure(await say(client, "auth", authzid("bob@localhost"), "EXTERNAL")) == "success"
    await client.open()
    assert await client.bind("phone") == "bob@localhost/phone"


async def test_without_a_choice_several_are_too_many(people: People) -> None:
    client = await people.client("alice@localhost", "bob@localhost")
    assert failure(await say(client, "auth", "=", "EXTERNAL")) == "invalid-authzid"


async def test_a_certificate_is_good_for_its_own_addresses_only(people: People) -> None:
    client = await people.client("alice@localhost")
    assert failure(await say(client, "auth", authzid("bob@localhost"), "EXTERNAL")) == "invalid-authzid"


async def test_an_account_that_does_not_exist_is_not_made(people: People) -> None:
    client = await people.client("eve@localhost")
    assert failure(await say(client, "auth", "=", "EXTERNAL")) == "not-authorized"


@pytest.mark.parametrize("jids", [(), ("alice@elsewhere.example",), ("localhost",), ("@@@",)])
async def test_a_certificate_without_an_address_of_ours_is_no_help(people: People, jids: tuple[str, ...]) -> None:
    client = await people.client(*jids)
    assert "EXTERNAL" not in mechanisms(client)
    assert failure(await say(client, "auth", "=", "EXTERNAL")) == "invalid-mechanism"


async def test_without_a_certificate_passwords_serve(people: People) -> None:
    client = await dial_tls(people.world)
    await client.open()
    assert "EXTERNAL" not in mechanisms(client)
    await client.login("alice", "alice")


@pytest.mark.parametrize("case", ["another authority", "outdated"])
async def test_a_certificate_that_cannot_be_trusted_ends_the_connection(people: People, case: str) -> None:
    authority = Authority() if case == "another authority" else people.authority
    with pytest.raises((ssl.SSLError, ConnectionResetError, AssertionError)):
        await people.client("alice@localhost", authority=authority, days=-1 if case == "outdated" else 90)
    assert len(people.world.host.sessions) == 0
