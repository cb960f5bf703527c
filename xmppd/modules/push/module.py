"""XEP-0357: Push Notifications, told to the app servers of devices that do not look."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Final

from xmppd.api import (
    ACCOUNT,
    COPY,
    DIRECT,
    GROUPCHAT,
    IQ,
    STOP,
    AccountEvent,
    Counter,
    Event,
    Host,
    Module,
    ModuleOptions,
    Session,
    SessionEvent,
    Verdict,
    hook,
    iq_set,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import Submission, find
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza

from .notice import PUBLISH_OPTIONS, PUBSUB, PUSH, publication
from .services import MIGRATIONS, Directory, Options, Service, Services
from .worth import worth

PAUSE: Final = 5.0  # seconds between two notifications of one device; what comes meanwhile is counted in the next
LATELY: Final = 300.0  # seconds in which a message may have gone into a connection that nobody knew to be dead
MOST_FAILED: Final = 10  # publications without an answer; then the service is disabled
MOST_UNDER_WAY: Final = 1000  # publications that wait for an answer; more are put off
LONGEST_NODE: Final = 1024
LARGEST_OPTIONS: Final = 4096  # characters
AFFILIATION: Final = f"{PUBSUB} pubsub"


class Push(Module):
    """Publishes to an app server what its device may sleep through (see `worth`).

    A device is told while the session that enabled its service is gone, inactive (XEP-0352) or has lost its connection
    (XEP-0198), at most once in five seconds. Who sends and what it says stays here unless options say otherwise. A
    service whose app server answers with an error is disabled (8.1), unless the error is one to wait for.
    """

    account_features, xeps, migrations = {PUSH}, {"0357": "0.4.1"}, MIGRATIONS
    published = Counter("Notifications published to app servers")
    disabled_by_error = Counter("Services disabled because their app server refused, or never answered")

    class Options(ModuleOptions):
        """How many devices, and what app servers are told."""

        max_services: int = option(20, "App servers' nodes of one account; one for each device and client", least=1)
        include_sender: bool = option(False, "Tell app servers who wrote")
        include_body: bool = option(False, "Tell app servers what was written")

    options: Options

    def __init__(self, host: Host, options: ModuleOptions) -> None:
        super().__init__(host, options)
        self._directory = Directory(host.name, self.storage)
        self._heard: set[str] = set()

    async def start(self) -> None:
        """Learn who has enabled what."""
        await self._directory.load()
        if not self._directory.is_empty:
            self._hear(DIRECT)

    async def stop(self) -> None:
        """Hear nothing more, nor begin to."""
        self._heard = {DIRECT, GROUPCHAT}
        self.host.hooks.account_receive.remove(self.received)
        await super().stop()

    def _hear(self, kind: str) -> None:
        """Messages of this kind, from the first device on that they may be for: before, nobody is asked about them."""
        if kind not in self._heard:
            self._heard.add(kind)
            self.host.hooks.account_receive.add(self.received, COPY, (kind,))

    # What clients ask for

    @iq_set("enable", PUSH, to=ACCOUNT)
    async def enable(self, iq: IQ) -> None:
        """Tell an app server from now on (5); the last options count."""
        account, payload = _own(iq), iq.payload
        jid, node, options = _address(payload), payload.get("node", ""), _options(payload)
        if len(node) > LONGEST_NODE:
            raise StanzaError("not-acceptable", f"a node has at most {LONGEST_NODE} characters")
        services = await self._directory.find(account)
        if (jid, node) not in services and len(services) >= self.options.max_services:
            raise StanzaError("resource-constraint", f"at most {self.options.max_services} services; disable one first")
        service = await self._directory.enable(account, jid, node, options)
        self._hear(DIRECT)
        self._hear(GROUPCHAT)  # it may stand in a room
        service.session, service.count = iq.session, 0

    @iq_set("disable", PUSH, to=ACCOUNT)
    async def disable(self, iq: IQ) -> None:
        """Tell an app server no more (6): one node of it, or all."""
        account, jid, node = _own(iq), _address(iq.payload), iq.payload.get("node")
        await self._directory.disable(account, jid, node)

    # What happens

    def received(self, event: Event) -> Awaitable[Verdict] | Verdict:
        """A message comes, and was accepted."""
        to = event.stanza.to
        services = self._directory.get(to.bare) if to is not None else None
        if to is None or services == {}:
            return None
        return self._consider(event, services) if services is not None else self._look_up(event, to.bare)

    async def _look_up(self, event: Event, account: JID) -> Verdict:
        return self._consider(event, await self._directory.find(account))

    def _consider(self, event: Event, services: Services) -> Verdict:
        stanza = event.stanza
        if AFFILIATION in stanza.names and any(stanza.sender == jid for jid, _ in services):
            return self._revoked(stanza, services)
        if worth(stanza):
            for service in list(services.values()):
                if _concerns(stanza, service):
                    service.last = self.clock.time()
                    self._count(service, stanza)
        return None

    def _count(self, service: Service, stanza: Stanza) -> None:
        if self._looks(service.session):
            service.count = service.told = 0
            return
        service.count += 1
        self._tell(service, self._summary(stanza))

    def _looks(self, session: Session | None) -> bool:
        csi = self.maybe("csi")
        return session is not None and not session.detached and not (csi is not None and csi.inactive(session))

    def _summary(self, stanza: Stanza) -> dict[str, str]:
        summary = {}
        if self.options.include_sender and stanza.sender is not None:
            summary["last-message-sender"] = str(stanza.sender)
        if self.options.include_body and (body := stanza.text("body")):
            summary["last-message-body"] = body
        return summary

    @hook.session_detached
    async def lost(self, event: SessionEvent) -> None:
        """What was sent to the device lately may not have reached it."""
        for service in (await self._directory.find(event.session.jid.bare)).values():
            if service.session is event.session and self.clock.time() - service.last < LATELY:
                service.count += 1
                self._tell(service, {})

    @hook.session_closed
    def left(self, event: SessionEvent) -> None:
        """The device is away."""
        for service in (self._directory.get(event.session.jid.bare) or {}).values():
            if service.session is event.session:
                service.session = None

    @hook.account_removed
    async def forget(self, event: AccountEvent) -> None:
        """Nothing is kept of an account that is gone."""
        await self._directory.forget(event.account)

    def _revoked(self, stanza: Stanza, services: Services) -> Verdict:
        """An app server takes the permission back (9)."""
        pubsub = stanza.child("pubsub", PUBSUB)
        assert pubsub is not None, "its name stands among those of the letter"
        assert stanza.sender is not None, "a message on the road has a sender"
        node, affiliation = pubsub.get("node", ""), pubsub.find(f"{{{PUBSUB}}}affiliation")
        service = services.get((stanza.sender, node))
        if service is not None and affiliation is not None and affiliation.get("affiliation") == "none":
            self.spawn(self._directory.disable(service.account, service.jid, node))
        return STOP

    # Publishing

    def _tell(self, service: Service, summary: dict[str, str]) -> None:
        if service.paused or self.spawned >= MOST_UNDER_WAY:
            return
        service.paused, service.told = True, service.count
        self.host.house.timetable.after(PAUSE, partial(self._go_on, service))
        self.spawn(self._publish(service, publication(service, summary)))

    def _go_on(self, service: Service) -> None:
        """The pause is over; what came in it is told now."""
        service.paused = False
        enabled = self._directory.get(service.account) or {}
        if service.count > service.told and enabled.get((service.jid, service.node)) is service:
            self._tell(service, {})

    async def _publish(self, service: Service, payload: str) -> None:
        self.published.inc()
        try:
            await self.host.requests.ask(service.jid, payload, "set")
            service.failed = 0
        except StanzaError as error:
            service.failed += 1
            if error.kind != "wait" or service.failed >= MOST_FAILED:
                self.disabled_by_error.inc()
                self.log.info("%s tells %s no more: %s", service.account, service.jid, error)
                await self._directory.disable(service.account, service.jid, service.node)


def _concerns(stanza: Stanza, service: Service) -> bool:
    """Whether a device should hear of it: what a room says to one session is that device's alone."""
    if stanza.type != "groupchat":
        return True
    return service.session is not None and service.session.jid == stanza.to


def _own(iq: IQ) -> JID:
    if not iq.is_own:
        raise StanzaError("forbidden", "only for sessions of this account")
    return iq.account


def _address(payload: Element) -> JID:
    jid = payload.get("jid")
    if not jid:
        raise StanzaError("bad-request", "say which app server: jid='...'")
    return JID.parse(jid)


def _options(payload: Element) -> Options:
    form = find(payload)
    if form is None:
        return {}
    submission = Submission.parse(form)
    if submission.kind != "submit" or submission.form_type != PUBLISH_OPTIONS:
        raise StanzaError("bad-request", f"options are a submitted form with the FORM_TYPE {PUBLISH_OPTIONS}")
    options = {var: list(texts) for var, texts in submission.values.items()}
    if sum(len(var) + sum(map(len, texts)) for var, texts in options.items()) > LARGEST_OPTIONS:
        raise StanzaError("not-acceptable", f"options have at most {LARGEST_OPTIONS} characters")
    return options
