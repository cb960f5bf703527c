"""What every module is: data about what it wants, and methods marked for where they are wanted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from xmppd.host import Host
from xmppd.routing.event import Event
from xmppd.xmpp.caps import Identity
from xmppd.xmpp.stanza import Element, Stanza

from .options import ModuleOptions

if TYPE_CHECKING:
    from xmppd.clock import Clock
    from xmppd.storage import Storage


class Module:
    """Base of all modules: one instance for each host that loads it.

    A module only declares; the loader attaches, and detaches in reverse. `start` and `stop` are for what cannot be
    declared. Methods marked with decorators of `xmppd.api` are found by themselves.
    """

    name: str = ""
    """The name in the configuration; the loader sets it."""
    features: ClassVar[Iterable[str]] = ()
    """Namespaces that disco#info of the host lists."""
    account_features: ClassVar[Iterable[str]] = ()
    """Namespaces that disco#info of an account's bare address lists."""
    bind_features: ClassVar[Iterable[str]] = ()
    """Namespaces of what Bind 2 can begin with a session (XEP-0386 3.1); `hook.session_bound` begins it."""
    identities: ClassVar[Sequence[Identity]] = ()
    depends: ClassVar[Iterable[str]] = ()
    """Modules that must run before this one starts."""
    xeps: ClassVar[Mapping[str, str]] = {}
    """XEP number -> the version it follows."""
    migrations: ClassVar[Sequence[str]] = ()
    """SQL texts; the index is the version."""

    class Options(ModuleOptions):
        """No options."""

    options: Any

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        self.host = host
        self.options = options
        self.log = logging.getLogger(f"{type(self).__module__}.{host.name}")
        self._spawned: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Make ready; tables exist, nothing is attached yet."""

    async def stop(self) -> None:
        """Let go; everything is detached already. What runs by itself is cancelled, by whoever overrides it too."""
        while self._spawned:
            for task in self._spawned:
                task.cancel()
            await asyncio.gather(*self._spawned, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something run by itself, until `stop`; where it fails, the log says so."""
        task = asyncio.get_running_loop().create_task(work)
        self._spawned.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._spawned.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("what ran by itself failed", exc_info=error)

    @property
    def spawned(self) -> int:
        """How much runs by itself now."""
        return len(self._spawned)

    async def settle(self) -> None:
        """Wait until nothing runs by itself."""
        while self._spawned:
            await asyncio.gather(*self._spawned, return_exceptions=True)

    def use(self, name: str) -> Any:
        """Another module's public methods; it must be among `depends`, or be asked for with `maybe`."""
        return self.host.modules[name]

    def maybe(self, name: str) -> Any:
        """Another module where this host loads it, else None."""
        return self.host.modules.get(name)

    @property
    def storage(self) -> Storage:
        """The database."""
        return self.host.house.storage

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.host.house.clock

    async def send(self, stanza: Stanza) -> None:
        """Send a stanza on its road; it needs `to` and `sender`."""
        await self.host.house.router.send(stanza)

    def forms(self) -> Sequence[Element]:
        """Data forms that disco#info of the host carries (XEP-0128)."""
        return ()

    def serves(self) -> str:
        """A domain of its own that this module answers for, with `handle`; "" for none."""
        return ""

    async def handle(self, event: Event) -> None:
        """A stanza to the domain that `serves` names."""
