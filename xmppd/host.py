"""One virtual host: its sessions, accounts, hooks and modules, and what happens to a stanza that is addressed to it."""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from xmppd.accounts import Accounts
from xmppd.clock import Clock, Timetable
from xmppd.commands import Commands
from xmppd.config import Config, HostConfig
from xmppd.metrics import Registry
from xmppd.routes import Routes
from xmppd.routing.copies import Copies
from xmppd.routing.delivery import SUBSCRIPTION_TYPES, Action, choose, deliver
from xmppd.routing.event import Event
from xmppd.routing.hooks import STOP, AccountEvent, Hooks, SessionEvent, Verdict
from xmppd.routing.iq import IQ, IQTable, Target, check
from xmppd.routing.requests import Requests
from xmppd.routing.returning import Returning
from xmppd.routing.router import Router
from xmppd.routing.sessions import Door, Session, Sessions
from xmppd.storage import Storage
from xmppd.tokens import Tokens
from xmppd.wire.features import Features
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID, nodeprep, resourceprep
from xmppd.xmpp.stanza import Stanza

log = logging.getLogger(__name__)


class LoadedModule(Protocol):
    """What a host knows of a module; `xmppd.api.Module` is the real thing."""

    name: str


@dataclass(slots=True)
class House:
    """What all hosts of a server share."""

    config: Config
    storage: Storage
    clock: Clock
    timetable: Timetable
    router: Router
    commands: Commands
    metrics: Registry
    data_dir: Path
    secret: bytes = field(default=b"", repr=False)  # salts, tokens and resources are made from it
    hosts: dict[str, Host] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)


class Host:
    """A domain served here. A `Domain` of the router: `handle` takes every stanza addressed to it."""

    def __init__(self, config: HostConfig, house: House) -> None:
        self.name = config.host
        self.jid = JID.parse(config.host)
        self.config = config
        self.house = house
        self.hooks = Hooks()
        self.iq = IQTable()
        self.sessions = Sessions(house.config.limits.max_sessions_per_user)
        self.accounts = Accounts(self.name, house.storage, config.auth.scram_iterations, house.secret)
        self.tokens = Tokens(self.name, house.storage, house.secret)
        self.requests = Requests(self.jid, house.router.send)
        self.stream_features: Features[Any] = Features()
        self.features: Counter[str] = Counter()
        self.account_features: Counter[str] = Counter()
        self.bind_features: Counter[str] = Counter()
        self.domains: dict[str, str] = {}
        self.modules: Mapping[str, LoadedModule] = {}
        self.returning = Returning(self.name, house.hosts, self.hooks, house.router)
        self.copies = Copies(self)
        for target in Target:
            self.iq.add("set", target, f"{ns.SESSION} session", _begin_session)

    def take(self, session: Session, stanza: Stanza) -> Coroutine[Any, Any, None] | None:
        """Take a stanza from a session of this host: stamp `from`, send it on its road (RFC 6120 8.1.2.1).

        None where it is dealt with, else what goes on with it. Nearly nothing has to wait, and nothing here is awaited
        that need not be: a coroutine costs as much as a look at the roster.
        """
        jid, sender = session.jid, stanza.sender
        if sender is not None and sender != jid and sender != jid.bare:
            raise StreamError("invalid-from", f"you are {jid}")
        stanza.sender = jid
        event = Event(stanza, session)
        try:
            if stanza.flaw is not None:
                raise stanza.flaw
            if stanza.kind != "message":
                check(stanza)
            chain = self.hooks.session_send
            if handlers := chain.of[stanza.kind]:
                verdict = chain.through(event, handlers)
                if verdict is not None:
                    return None if verdict is STOP else self._taken(event, verdict)
            to = event.stanza.to
            if to is not None and to.domain != self.name:
                return self.house.router.route(event)  # which answers refusals itself: nothing is left to do here
            left = self._send_on(event)
        except StanzaError as error:
            return self.house.router.refuse(event, error)
        return None if left is None else self._awaited(event, left)

    async def _taken(self, event: Event, verdict: Awaitable[Verdict]) -> None:
        try:
            if await verdict is not STOP and (left := self._send_on(event)) is not None:
                await left
        except StanzaError as error:
            await self.house.router.refuse(event, error)

    async def _awaited(self, event: Event, left: Awaitable[object]) -> None:
        try:
            await left
        except StanzaError as error:
            await self.house.router.refuse(event, error)

    def _send_on(self, event: Event) -> Awaitable[object] | None:
        to = event.stanza.to
        if to is None:
            iq = event.stanza.kind == "iq"
            return self._answer(event, Target.ACCOUNT) if iq else self._take_own(event)
        if to.domain == self.name:  # as `Router.route` does it: nearly all that a session says stays here
            return self.begin(event)
        return self.house.router.route(event)

    async def _take_own(self, event: Event) -> None:
        """What else is sent without `to` (RFC 6120 10.3)."""
        if event.stanza.kind == "presence":
            await self.hooks.session_presence.run(event)
        else:
            sender = event.stanza.sender
            assert sender is not None
            event.stanza = event.stanza.replace(to=sender.bare)
            await self.house.router.route(event)

    async def handle(self, event: Event) -> None:
        """Take a stanza to this domain (RFC 6121 8); `StanzaError` refuses it."""
        if (left := self.begin(event)) is not None:
            await left

    def begin(self, event: Event) -> Awaitable[object] | None:
        """The same for the busiest places: None where it is done, else what goes on to it."""
        stanza = event.stanza
        to = stanza.to
        if to is None or not to.local:
            return self._to_host(event)
        if not self.sessions.of(to.bare):
            if stanza.kind == "presence" and stanza.type not in SUBSCRIPTION_TYPES:
                return None  # nobody is there to see it, so it is all the same whether there is such an account
            exists = self.accounts.known(to.local)
            if exists is None:
                return self._look_up(event, to.bare)
            if not exists:
                return self._deliver(event, False)
        return self._receive(event)

    async def _look_up(self, event: Event, bare: JID) -> None:
        exists = await self.exists(bare)
        left = self._receive(event) if exists else self._deliver(event, False)
        if left is not None:
            await left

    def _receive(self, event: Event) -> Awaitable[object] | None:
        chain = self.hooks.account_receive
        if handlers := chain.of[event.stanza.kind]:
            verdict = chain.through(event, handlers)
            if verdict is not None:
                return None if verdict is STOP else self._received(event, verdict)
        return self._deliver(event, True)

    async def _received(self, event: Event, verdict: Awaitable[Verdict]) -> None:
        if await verdict is not STOP and (left := self._deliver(event, True)) is not None:
            await left

    def _deliver(self, event: Event, exists: bool) -> Awaitable[object] | None:
        stanza = event.stanza
        assert stanza.to is not None
        bare, returning = stanza.to.bare, self.returning.accounts
        if returning and bare in returning and stanza.kind == "message" and stanza.type != "error":
            return self._deliver_behind(event, exists, bare)
        action, chosen = choose(stanza, exists, self.sessions.of(bare))
        if action is not Action.DELIVER:
            return self._otherwise(action, event)
        if len(chosen) == 1:
            return chosen[0].offer(stanza)
        if stanza.kind == "message":
            stanza.given(*chosen)
        return deliver(stanza, chosen)

    async def exists(self, account: JID) -> bool:
        """Whether there is such an account, or an anonymous session of that name."""
        known = self.accounts.known(account.local)
        if known is None:
            known = await self.accounts.exists(account.local)
        return known or bool(self.sessions.of(account.bare))

    async def _deliver_behind(self, event: Event, exists: bool, bare: JID) -> None:
        await self.returning.over(bare)
        if (left := self._deliver(event, exists)) is not None:
            await left

    def _otherwise(self, action: Action, event: Event) -> Awaitable[object] | None:
        """What is left to wait for, if anything is."""
        if action is Action.ANSWER:
            return self._answer(event, Target.ACCOUNT)
        if action is Action.SUBSCRIPTION:
            return self.hooks.account_subscription.run(event)
        if action is Action.ABSENT:
            return self._absent(event)
        if action is Action.BOUNCE:
            raise StanzaError("service-unavailable")
        return None

    def _absent(self, event: Event) -> Awaitable[None] | None:
        verdict = self.hooks.account_absent.begin(event)
        return None if verdict is STOP else self._kept(verdict)

    async def _kept(self, verdict: Awaitable[Verdict] | Verdict) -> None:
        if verdict is not STOP and (verdict is None or await verdict is not STOP):
            raise StanzaError("service-unavailable", "the recipient is not here and nobody keeps it")

    def _to_host(self, event: Event) -> Awaitable[None] | None:
        stanza = event.stanza
        if stanza.kind != "iq":
            return self._told(event)
        if stanza.type in ("result", "error"):
            self.requests.answered(stanza)
            return None
        return self._answer(event, Target.SERVER)

    async def _told(self, event: Event) -> None:
        if await self.hooks.host_receive.run(event) is not STOP and event.stanza.kind == "message":
            raise StanzaError("service-unavailable", "nobody reads messages to this server")

    async def _answer(self, event: Event, target: Target) -> None:
        """Answer a request. The answer tells a session that all it sent before is safe; see `Session.reply`."""
        origin = event.origin
        if origin is not None and origin.overdue:
            await origin.settled()
        reply = await self.iq.answer(event, target)
        if reply is None:
            return
        if origin is not None:
            origin.reply(reply)
        else:
            await self.house.router.send(reply)

    async def open_session(self, account: JID, resource: str, door: Door, policy: str = "") -> Session:
        """Bind a resource (RFC 6120 7); an empty one is chosen here.

        `conflict` where it is taken and the policy is to refuse, `resource-constraint` past the limit of sessions.
        `policy` is the configured `resource_conflict` unless given.
        """
        policy = policy or self.house.config.resource_conflict
        jid = account.with_resource(resourceprep(resource) if resource else secrets.token_urlsafe(9))
        while (taken := self.sessions.find(jid)) is not None:  # whoever waits below may find that another has come
            if policy == "closenew":
                raise StanzaError("conflict", "the resource is in use", kind="modify")
            if policy == "closeold":
                taken.door.close(StreamError("conflict", "replaced by a new connection"))
                await self.close_session(taken, "replaced")
            else:
                # 250 characters of at most 4 bytes leave room for the rest within the 1023 of RFC 7622 3.4
                jid = account.with_resource(f"{jid.resource[:250]}-{secrets.token_urlsafe(6)}")
        session = Session(jid, secrets.token_hex(6), door, self.hooks, self.house.clock.time())
        self.sessions.add(session)
        await self.hooks.session_opened.tell(SessionEvent(session))
        return session

    async def close_session(self, session: Session, reason: str = "") -> None:
        """Take a session out; if it was available, its contacts are told (RFC 6121 4.5)."""
        if not self.sessions.remove(session):
            return
        lost = session.door.abandon()
        if lost:
            await self.returning.give_back(session, lost)
        if session.presence is not None or session.directed:
            gone = Stanza("presence", None, session.jid, "unavailable")
            await self.hooks.session_presence.run(Event(gone, session))
        await self.hooks.session_closed.tell(SessionEvent(session, reason))
        await self._end_anonymous(session.jid.bare)

    async def _end_anonymous(self, account: JID) -> None:
        """An account made by ANONYMOUS goes with its last session."""
        if "ANONYMOUS" not in self.config.auth.mechanisms or self.sessions.of(account):
            return
        if not await self.accounts.exists(account.local):
            await self.hooks.account_removed.tell(AccountEvent(account))

    async def create_account(self, user: str, password: str) -> JID:
        """Make an account and tell the modules; see `Accounts.create` for the errors."""
        await self.accounts.create(user, password)
        account = JID.parse(f"{user}@{self.name}")
        await self.hooks.account_created.tell(AccountEvent(account))
        return account

    async def set_password(self, user: str, password: str) -> None:
        """Replace an account's keys; its clients' tokens are good no more. See `Accounts.set_password` for errors."""
        await self.accounts.set_password(user, password)
        await self.tokens.remove(nodeprep(user))

    async def remove_account(self, account: JID, asking: Session | None = None) -> None:
        """Close the account's sessions, let every module drop what it keeps, then delete it.

        The session that asks for it is gone as well, but whoever answers it closes its door. Where that fails the
        account is there, less what modules have dropped, and may be removed again.
        """
        if not await self.accounts.exists(account.local):
            raise StanzaError("item-not-found", f"there is no account {account.bare}")
        self.accounts.conceal(account.local)  # nothing more is stored for it while its data goes
        try:
            await self._expel(account.bare, asking)
            await self.hooks.account_removed.tell(AccountEvent(account.bare))
            await self.tokens.remove(account.local)
            await self.accounts.remove(account.local)
        except BaseException:
            self.accounts.reveal(account.local)
            raise
        await self._expel(account.bare, asking)  # who came in meanwhile

    async def _expel(self, account: JID, asking: Session | None) -> None:
        for session in self.sessions.of(account):
            if session is not asking:
                session.door.close(StreamError("not-authorized", "the account was removed"))
            await self.close_session(session, "account removed")


async def _begin_session(iq: IQ) -> None:
    """RFC 3921 3: old clients ask to begin a session; it has begun."""
