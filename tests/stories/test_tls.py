"""RFC 6120 5: STARTTLS, and direct TLS (XEP-0368)."""

import asyncio
import logging
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.kit.client import Client, show
from tests.kit.raw import HEADER, Raw
from tests.kit.tls import dial_tls, secure, tls_of, trusting, upgrade
from tests.kit.world import World, a_world
from tests.listeners.authority import Authority, Issued

STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
TLS, SASL = "{urn:ietf:params:xml:ns:xmpp-tls}", "{urn:ietf:params:xml:ns:xmpp-sasl}"


def a_door(**options: Any) -> Any:
    return a_world(modules={"ping": {}}, listen=[{"port": 0, "ip": "127.0.0.1", "module": "c2s", **options}])


async def offered(client: Client) -> list[str]:
    features = await client.open()
    return [child.tag.rpartition("}")[2] for child in features]


async def refused(client: Client) -> None:
    """STARTTLS fails, and the stream and the connection end (5.4.2.2)."""
    assert (await client.receive()).tag == f"{TLS}failure"
    assert await client.reader.read() in (b"", b"</stream:stream>")
    await client.drop()


async def test_where_tls_is_required_nothing_else_is_offered() -> None:
    async with a_door(starttls="required") as world:
        client = await world.dial()
        assert await offered(client) == ["starttls"]
        assert client.features is not None
        assert client.features.find(f"{TLS}starttls/{TLS}required") is not None


async def test_where_tls_is_optional_it_is_offered_beside_mechanisms() -> None:
    async with a_door(starttls="optional") as world:
        client = await world.dial()
        assert await offered(client) == ["starttls", "authentication", "mechanisms"]
        assert client.features is not None
        assert client.features.find(f"{TLS}starttls/{TLS}required") is None


async def test_where_there_is_no_tls_it_is_not_offered_and_fails() -> None:
    async with a_door(starttls="none") as world:
        client = await world.dial()
        assert await offered(client) == ["authentication", "mechanisms"]
        client.send(STARTTLS)
        await refused(client)


async def test_before_required_tls_no_login_is_heard() -> None:
    async with a_door(starttls="required") as world:
        client = await world.dial()
        await client.open()
        client.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biws</auth>")
        failure = await client.receive()
        assert failure.find(f"{SASL}encryption-required") is not None, show(failure)


async def test_a_session_over_tls() -> None:
    async with a_door(starttls="required") as world:
        await world.account("alice")
        alice = await secure(world)
        await alice.login("alice", "alice")
        await alice.bind("phone")
        await alice.ping()
        (session,) = world.host.sessions
        assert "TLSv1.3" in str(session.door.describe()["tls"])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_1_2_and_1_3_are_spoken(version: ssl.TLSVersion) -> None:
    async with a_door(starttls="required") as world:
        client = await world.dial()
        await client.open()
        client.send(STARTTLS)
        await client.receive()
        await upgrade(client, trusting(version=version))
        assert tls_of(client).version() == version.name.replace("_", ".")
        await client.close()


async def test_tls_is_not_offered_twice() -> None:
    async with a_door(starttls="required") as world:
        client = await secure(world)
        assert client.features is not None
        assert client.features.find(f"{TLS}starttls") is None
        client.send(STARTTLS)
        await refused(client)


async def test_tls_cannot_begin_after_login() -> None:
    async with a_door(starttls="optional") as world:
        await world.account("alice")
        alice = await world.dial()
        await alice.open()
        await alice.login("alice", "alice")
        alice.send(STARTTLS)
        await refused(alice)


INJECTED = [
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>",
    "<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
    HEADER.decode(),
    "<mail/>",
    "<not-well-formed>>",
    "</stream:stream>",
    "<unfinished",
]


@pytest.mark.parametrize("injected", INJECTED)
@pytest.mark.parametrize("mode", ["required", "optional"])
async def test_what_was_injected_in_the_clear_is_dropped(mode: str, injected: str) -> None:
    listen = [{"port": 0, "ip": "127.0.0.1", "module": "c2s", "starttls": mode}]
    async with a_world(modules={"ping": {}}, listen=listen, auth={"mechanisms": ["SCRAM-SHA-1", "ANONYMOUS"]}) as world:
        await world.account("alice")
        client = await world.dial()
        await client.open()
        client.send(STARTTLS + injected)
        assert (await client.receive()).tag == f"{TLS}proceed"
        await upgrade(client)
        assert client.features is not None
        assert client.features.find(f"{SASL}mechanisms") is not None
        await client.login("alice", "alice")
        await client.bind("phone")
        await client.receives_nothing()


async def test_clear_text_in_place_of_a_handshake_is_answered_by_no_clear_text() -> None:
    async with a_door(starttls="required") as world, Raw(world.server.port) as raw:
        await raw.send(HEADER)
        await raw.read_until(b"</stream:features>")
        await raw.send(STARTTLS.encode())
        await raw.read_until(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await raw.send(HEADER * 3)
        assert b"<" not in await raw.read()


async def test_an_error_during_a_handshake_is_not_told_in_the_clear() -> None:
    async with a_door(starttls="required") as world, Raw(world.server.port) as raw:
        await raw.send(HEADER + STARTTLS.encode())
        await raw.read_until(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await world.advance(61)
        assert await raw.read() == b""


async def test_a_clients_goodbye_on_tls_ends_its_session() -> None:
    async with a_door(starttls="required") as world:
        await world.account("alice")
        alice = await secure(world)
        await alice.login("alice", "alice")
        await alice.bind("phone")
        alice.writer.close()
        await asyncio.wait_for(world.server.doors[0].emptied(), 10)
        assert len(world.host.sessions) == 0


# Direct TLS


async def test_direct_tls_agrees_on_the_protocol() -> None:
    async with a_door(tls=True) as world:
        await world.account("alice")
        alice = await dial_tls(world, trusting("xmpp-client"))
        assert tls_of(alice).selected_alpn_protocol() == "xmpp-client"
        assert await offered(alice) == ["authentication", "mechanisms", "sasl-channel-binding"]
        await alice.login("alice", "alice")
        await alice.bind("phone")
        await alice.ping()


async def test_direct_tls_without_a_protocol_is_served_too() -> None:
    async with a_door(tls=True) as world:
        client = await dial_tls(world)
        assert tls_of(client).selected_alpn_protocol() is None
        assert "mechanisms" in await offered(client)


async def test_clear_text_at_a_door_of_tls_is_cut_off() -> None:
    async with a_door(tls=True) as world, Raw(world.server.port) as raw:
        await raw.send(HEADER)
        assert b"<" not in await raw.read()


async def test_a_door_of_tls_refuses_without_clear_text() -> None:
    listen = [{"port": 0, "ip": "127.0.0.1", "module": "c2s", "tls": True}]
    async with a_world(modules={}, listen=listen, limits={"max_connections_per_address": 1}) as world:
        await dial_tls(world)
        async with Raw(world.server.port) as raw:
            assert await raw.read() == b""


# Certificates


class Issuer:
    """An authority whose certificates are good today, and the folder where the server finds them."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority()
        self.folder = folder
        self.file = folder / "ca.crt"
        self.file.write_text(self.authority.pem())

    def issue(self, *names: str, jids: tuple[str, ...] = ()) -> Issued:
        now = datetime.now(UTC)
        return self.authority.issue(*names, jids=jids, begins=now - timedelta(1), expires=now + timedelta(90))

    def world(self, *hosts: str, **changes: Any) -> Any:
        return a_world(hosts=list(hosts), modules={"ping": {}}, certfiles=[str(self.folder / "*.pem")], **changes)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


async def shown(world: World, host: str, name: str | None) -> bytes:
    """The certificate that a client of `host` is shown, which names `name` by SNI."""
    client = await world.dial()
    client.host = host
    await client.open()
    client.send(STARTTLS)
    await client.receive()
    await upgrade(client, name=name)
    found = tls_of(client).getpeercert(binary_form=True)
    await client.close()
    assert found
    return found


async def test_each_host_shows_its_certificate(issuer: Issuer) -> None:
    one, other = issuer.issue("a.example"), issuer.issue("b.example")
    one.write(issuer.folder / "a.pem")
    other.write(issuer.folder / "b.pem")
    async with issuer.world("a.example", "b.example") as world:
        assert await shown(world, "a.example", "a.example") == one.der
        assert await shown(world, "b.example", "b.example") == other.der
        assert await shown(world, "b.example", None) == other.der


async def test_a_renewed_certificate_is_shown_and_no_session_ends(issuer: Issuer) -> None:
    path = issuer.folder / "a.pem"
    old = issuer.issue("localhost")
    old.write(path)
    async with issuer.world("localhost") as world:
        await world.account("alice")
        alice = await secure(world)
        await alice.login("alice", "alice")
        await alice.bind("phone")
        new = issuer.issue("localhost")
        new.write(path)
        await world.advance(61)
        assert await shown(world, "localhost", "localhost") == new.der
        await alice.ping()


async def test_a_certificate_that_cannot_be_used_is_logged_and_the_old_one_stays(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    path = issuer.folder / "a.pem"
    old = issuer.issue("localhost")
    old.write(path)
    async with issuer.world("localhost") as world:
        path.write_text("no certificate at all")
        (issuer.folder / "b.pem").write_bytes(issuer.issue("localhost").key_pem)
        await world.advance(130)
        assert await shown(world, "localhost", "localhost") == old.der
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert str(issuer.folder) in errors[0].getMessage()
    assert errors[0].exc_info is None


def resumes(port: int) -> bool:
    """Whether a second connection resumes the first one's session (RFC 8446 2.2)."""
    context, session = trusting(), None
    for _ in range(2):
        plain = socket.create_connection(("127.0.0.1", port))
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as tls:
            tls.sendall(HEADER)
            tls.recv(65536)
            session, reused = tls.session, tls.session_reused
    return bool(reused)


async def test_who_comes_back_resumes_its_tls_session() -> None:
    async with a_door(tls=True) as world:
        assert await asyncio.to_thread(resumes, world.server.port)
