"""One server for all client tests, and a stage on which clients with fresh accounts meet."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from . import certificates, servers
from .drivers.base import Access, Client
from .drivers.gajim import Gajim
from .drivers.profanity import Profanity
from .drivers.purple import Purple
from .drivers.slix import Slix

CLIENTS: dict[str, type[Client]] = {each.name: each for each in (Slix, Profanity, Purple, Gajim)}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A running server for the host localhost."""
    folder = tmp_path_factory.mktemp("server")
    running = servers.chosen()("localhost", folder, certificates.make(folder, "localhost"))
    running.start()
    yield running
    running.stop()


class Stage:
    """Lets clients with accounts of their own come on, and clears them away at the end."""

    def __init__(self, server: servers.Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._clients: list[Client] = []

    def stranger(self) -> Path:
        """The certificate of an authority that signed nothing here."""
        folder = self._folder / "stranger"
        folder.mkdir()
        return certificates.make(folder, "localhost").authority

    def account(self, user: str) -> Access:
        """Make an account; `user` gets a number, for all tests share one server."""
        access = self._access(f"{user}{self._server.next_number()}")
        self._server.register(access.user, access.password)
        return access

    async def enter(self, kind: str, user: str, *, trusts: Path | None = None) -> Client:
        """Start a client for a new account; it trusts the server's authority, or the one given."""
        access = self.account(user)
        return await self._start(kind, replace(access, authority=trusts) if trusts else access)

    async def again(self, client: Client) -> Client:
        """Start the same kind of client for the same account, with nothing remembered: a new computer."""
        return await self._start(client.name, client.access)

    async def friends(self, first: str, second: str) -> tuple[Client, Client]:
        """Two clients, logged in, that see each other's presence."""
        alice, bob = await self.enter(first, "alice"), await self.enter(second, "bob")
        await alice.logs_in()
        await bob.logs_in()
        for one, other in ((alice, bob), (bob, alice)):
            await one.adds(other.jid)
            await other.is_asked_by(one.jid)
            await other.approves(one.jid)
        await alice.sees(bob.jid, "online")
        await bob.sees(alice.jid, "online")
        return alice, bob

    async def clear(self) -> None:
        """End every client."""
        for client in self._clients:
            await client.closes()

    async def _start(self, kind: str, access: Access) -> Client:
        reason = CLIENTS[kind].missing()
        if reason:
            pytest.skip(f"{kind} is {reason}")
        folder = self._folder / f"{kind}-{len(self._clients)}"
        folder.mkdir()
        client = CLIENTS[kind](access, folder)
        self._clients.append(client)
        await client.starts()
        return client

    def _access(self, user: str) -> Access:
        doors, host, authority = self._server.doors, self._server.host, self._server.certificates.authority
        return Access(user, host, f"the secret of {user}", doors.starttls, doors.direct_tls, authority)


@pytest.fixture
async def stage(server: servers.Server, tmp_path: Path) -> AsyncIterator[Stage]:
    """Where a test's clients appear."""
    stage = Stage(server, tmp_path)
    yield stage
    await stage.clear()
