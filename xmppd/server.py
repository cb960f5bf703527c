"""The whole server: builds the house, opens the doors, shuts them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import ssl
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final, Self

from xmppd.api.loader import Loader
from xmppd.clock import Clock, Timetable
from xmppd.commands import Commands
from xmppd.config import Config, ConfigError, Limits, differences, held_back
from xmppd.host import Host, House
from xmppd.http.listener import HTTPListener
from xmppd.listeners.certificates import Certificates
from xmppd.listeners.clients import ClientListener
from xmppd.listeners.components import ComponentListener
from xmppd.listeners.control import Control, check_free
from xmppd.listeners.shared import Shared
from xmppd.metrics import Registry
from xmppd.routing.hooks import ConfigReloaded
from xmppd.routing.router import Router
from xmppd.sasl.throttle import Patience, Throttle
from xmppd.server_commands import server_commands
from xmppd.server_commands.checking import check_certificates, check_doors, check_modules
from xmppd.server_commands.running import PartlyInForce
from xmppd.storage import Storage, open_storage
from xmppd.wire.cutter import Bounds
from xmppd.wire.framer import Parsers

log = logging.getLogger(__name__)

IDLE_CHECK: Final = 5.0  # seconds between two looks at all connections; timeouts are minutes
SECRET: Final = 32  # bytes
TOKEN_EXPIRY: Final = 86400.0  # seconds; an expired token is refused at once, this only makes room
CERTIFICATE_CHECK: Final = 60.0  # seconds; a renewed certificate is in use a minute later

Door = ClientListener | ComponentListener | HTTPListener
DOORS: Final[Mapping[str, type[ClientListener] | type[ComponentListener] | type[HTTPListener]]] = {
    "c2s": ClientListener,
    "component": ComponentListener,
    "http": HTTPListener,
}


class Server:
    """An XMPP server. `async with Server(config) as server:` starts it and stops it.

    Two of them share nothing. With `doors=False` it serves nobody: for admin commands on its data.
    """

    def __init__(self, config: Config, *, doors: bool = True, clock: Clock | None = None) -> None:
        self.config = self._first_config = config  # a temporary data_dir goes with the first one, whatever comes later
        self.commands = Commands()
        self.metrics = Registry()
        self.clock = clock or Clock()
        self.timetable = Timetable(self.clock)
        self.router = Router()
        self.hosts: dict[str, Host] = {}
        self.doors: list[Door] = []
        self.shared: Shared | None = None
        self._with_doors = doors
        self._bounds = Bounds(config.limits.max_stanza_depth, config.limits.max_attributes)
        self._loaders: dict[str, Loader] = {}
        self._control: Control | None = None
        self._reloading = asyncio.Lock()
        self._stopped = asyncio.Event()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Build everything and open the doors; on an error what was built is torn down again."""
        try:
            await self._build()
            if self._with_doors:
                await self._open()
        except BaseException:
            await self.close()
            raise

    async def _build(self) -> None:
        config = self.config
        data_dir = config.make_data_dir()
        if self._with_doors:
            check_free(config.control_socket)  # before modules that tidy up at their start touch what it uses
        storage = await self._open_storage(data_dir)
        secret = _secret(data_dir / "secret")
        self.house = House(
            config, storage, self.clock, self.timetable, self.router, self.commands, self.metrics, data_dir, secret
        )
        self._stack.push_async_callback(self.timetable.stop)
        for command in server_commands(self):
            self.commands.add(command)
        for name in config.hosts:
            await self._build_host(name)

    async def _open_storage(self, data_dir: Path) -> Storage:
        """Storage that is closed at the end, and at once where the start is cancelled while it opens."""
        opening = asyncio.ensure_future(open_storage(self.config.database, data_dir))
        try:
            storage = await asyncio.shield(opening)
        except asyncio.CancelledError:
            await (await opening).close()
            raise
        self._stack.push_async_callback(storage.close)
        return storage

    async def _build_host(self, name: str) -> None:
        host = Host(self.config.of_host(name), self.house)
        await host.accounts.prepare()
        await host.tokens.prepare(self.clock.time())
        self.timetable.every(TOKEN_EXPIRY, partial(_expire_tokens, host))
        self.hosts[name] = self.house.hosts[name] = host
        self.router.add(name, host)
        loader = self._loaders[name] = Loader(host)
        self._stack.push_async_callback(loader.unload_all)
        self._stack.callback(host.requests.cancel)
        await loader.load()

    async def _open(self) -> None:
        config, limits = self.config, self.config.limits
        check_doors(config)
        certificates = Certificates(
            config.hosts,
            config.certfiles,
            config.data_dir,
            client_ca=config.client_ca,
            oldest=ssl.TLSVersion.TLSv1_3 if config.tls_min_version == "1.3" else ssl.TLSVersion.TLSv1_2,
        )
        self.shared = Shared(self.house, certificates, Parsers(self._bounds), _throttle(limits))
        self.metrics.add(self.shared.traffic, "c2s")
        self.metrics.add(self.shared.resumptions.figures, "resumption")
        for path in certificates.self_made:
            log.warning("no certificate in certfiles fits; made a self-signed one: %s", path)
        for options in config.listen:
            door = DOORS[options.module](options, self.shared)
            self.doors.append(door)
            await door.open()
        self._control = Control(config.control_socket, self.commands, limits.max_command_size)
        self._stack.push_async_callback(self._control.close)
        await self._control.start()
        self.timetable.every(IDLE_CHECK, self._check)
        self.timetable.every(CERTIFICATE_CHECK, self._refresh)
        self.timetable.start()

    def _check(self) -> None:
        for door in self.doors:
            door.check(IDLE_CHECK)

    def _refresh(self) -> None:
        try:
            self._take_up_certificates()
        except ConfigError as error:
            log.error("certificates: %s; those in use stay", error)

    def _take_up_certificates(self) -> None:
        if self.shared is not None:
            for change in self.shared.certificates.refresh():
                log.info("certificates: %s", change)

    def stop(self) -> None:
        """Let `run_until_stopped` return."""
        self._stopped.set()

    async def run_until_stopped(self) -> None:
        """Serve until `stop` is called."""
        await self._stopped.wait()

    async def close(self) -> None:
        """Refuse newcomers, end every stream, wait for what is owed, then stop modules and storage."""
        self._stopped.set()
        try:
            await self._say_goodbye()
        except Exception:
            log.exception("not everybody was told that the server stops")
        finally:
            self.doors.clear()
            await self._stack.aclose()
            self.router.domains.clear()

    async def _say_goodbye(self) -> None:
        for door in self.doors:
            door.refuse()
        if self.shared is not None:
            await self.shared.resumptions.ask_all()
        for door in self.doors:
            door.say_goodbye()
        await self._wait_for_goodbyes()

    async def _wait_for_goodbyes(self) -> None:
        try:
            async with asyncio.timeout(self.config.limits.shutdown_timeout):
                for door in self.doors:
                    await door.emptied()
        except TimeoutError:
            left = sum(door.abort() for door in self.doors)
            log.warning("stopped without waiting longer for %d connections", left)
            await asyncio.sleep(0)
        if self.shared is not None:
            self.shared.resumptions.end_all()
            await self.shared.finish(self.config.limits.shutdown_timeout)

    async def reload(self, config: Config) -> list[str]:
        """Take another configuration as far as that can change live; returns what changed and what needs a restart.

        `ConfigError` where it is seen to be wrong before anything has changed, `PartlyInForce` where only later.
        """
        async with self._reloading:
            live, restart = differences(self.config, config)
            config = held_back(self.config, config, restart)
            check_modules(config)
            check_certificates(config)
            told = [f"{path}: changed" for path in live] + [f"{path}: needs a restart" for path in restart]
            try:
                return told + await self._put_into_force(config, live)
            except ConfigError as error:
                raise PartlyInForce(error.problems) from error

    async def _put_into_force(self, config: Config, changed: list[str]) -> list[str]:
        self._apply(config, changed)
        told = []
        for name, loader in self._loaders.items():
            host = self.hosts[name]
            host.config = config.of_host(name)
            told += await loader.reload(host.config.modules)
            await host.hooks.config_reloaded.tell(ConfigReloaded())
        self._take_up_certificates()
        return told

    def _apply(self, config: Config, changed: list[str]) -> None:
        """Hand out what was handed out at the start; all else is read from the configuration when it is needed."""
        self.config = self.house.config = config
        limits = config.limits
        for name, host in self.hosts.items():
            host.sessions.limit = limits.max_sessions_per_user
            host.accounts.iterations = config.of_host(name).auth.scram_iterations
        self._bounds.depth, self._bounds.attributes = limits.max_stanza_depth, limits.max_attributes
        if self.shared is not None:
            self.shared.certificates.use(config.certfiles)
            if any("failure" in path for path in changed):
                self.shared.throttle = _throttle(limits)


async def _expire_tokens(host: Host) -> None:
    await host.tokens.expire(host.house.clock.time())


def _throttle(limits: Limits) -> Throttle:
    return Throttle(
        Patience(
            per_address=limits.max_failures_per_address,
            per_account_and_address=limits.max_failures_per_account_and_address,
            per_account=limits.max_failures_per_account,
            longest_wait=limits.max_failure_wait,
            window=limits.failure_window,
        )
    )


def _secret(path: Path) -> bytes:
    """The server's own secret, made on first start, for its owner alone."""
    try:
        kept = path.read_bytes()
        if len(kept) == SECRET:
            return kept  # anything else is what a crash has left of the first write
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError([f"data_dir: cannot read {path}: {error.strerror}"]) from None
    made = secrets.token_bytes(SECRET)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(made)
    return made
