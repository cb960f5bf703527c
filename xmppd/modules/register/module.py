"""XEP-0077: In-Band Registration: new accounts where that is allowed, password changes and removal for everybody."""

from __future__ import annotations

from xmppd.api import (
    ACCOUNT,
    IQ,
    SERVER,
    Counter,
    Module,
    ModuleOptions,
    Nonza,
    Peer,
    State,
    iq_get,
    iq_set,
    option,
    stream_feature,
)
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID, nodeprep
from xmppd.xmpp.namespaces import REGISTER
from xmppd.xmpp.stanza import Element, Stanza

from .attempts import Attempts
from .codes import NumberedError, numbered
from .form import QUERY, fields, read

OFFER = "<register xmlns='http://jabber.org/features/iq-register'/>"


class Register(Module):
    """Registration on a stream that has not logged in, and the account's own business once it has."""

    features, xeps = {REGISTER}, {"0077": "2.4"}
    made = Counter("Accounts made in-band")

    class Options(ModuleOptions):
        """Who may register, and how often."""

        allow: bool = option(False, "Let strangers make accounts")
        registration_timeout: float = option(600, "Seconds between two registrations from one address", least=0)
        max_attempts: int = option(10, "Failed tries of one address in that time; names are often taken", least=1)

    options: Options

    async def start(self) -> None:
        """Nobody has registered yet."""
        self._attempts = Attempts()

    # On a stream that has not logged in

    @stream_feature(
        "register",
        f"{REGISTER} query",
        needs=State.READY,
        forbids=State.AUTHENTICATED,
        advertise=lambda module, peer: OFFER if module.options.allow else "",
        order=40,
    )
    async def before_login(self, peer: Peer, request: Nonza | Stanza) -> None:
        """A stranger asks for the fields, or sends them (3.1)."""
        if not isinstance(request, Stanza) or request.type in ("result", "error"):
            raise StreamError("not-authorized", "log in, or register")
        try:
            reply = request.result(await self._register(peer.address, request))
        except StanzaError as error:
            reply = request.error(NumberedError.of(error))
        peer.write_xml(reply.data.decode())

    async def _register(self, address: str, request: Stanza) -> Element | None:
        query = self._query(request)
        if request.type == "get":
            return fields()
        if query.find(f"{QUERY}remove") is not None:
            raise StanzaError("unexpected-request", "log in to remove your account")
        await self._create(address, *read(query))
        return None

    def _query(self, request: Stanza) -> Element:
        if request.flaw is not None:
            raise request.flaw
        query = request.payload
        if request.type not in ("get", "set") or not request.id or len(request.names) != 1 or query is None:
            raise StanzaError("bad-request", "a request has a type, an id and one element")
        if not self.options.allow or request.to not in (None, self.host.jid):
            raise StanzaError("service-unavailable", "accounts are made by the administrator here")
        return query

    async def _create(self, address: str, username: str, password: str) -> None:
        window, most = self.options.registration_timeout, self.options.max_attempts
        tries = self._attempts.begin(address, self.clock.monotonic(), window, most)
        try:
            account = await self.host.create_account(username, password)
        except BaseException:
            self._attempts.failed(tries)
            raise
        self.made.inc()
        self.log.info("%s registered from %s", account, address)

    # For who has an account

    @iq_get("query", REGISTER, to=SERVER)
    @numbered
    async def status(self, iq: IQ) -> Element:
        """A registered user sees so, with the fields (3.1)."""
        return fields((await self._user(iq)).local)

    @iq_get("query", REGISTER, to=ACCOUNT)
    @numbered
    async def own_status(self, iq: IQ) -> Element:
        """The same for clients that leave out `to`."""
        return fields((await self._user(iq)).local)

    @iq_set("query", REGISTER, to=SERVER)
    @numbered
    async def change(self, iq: IQ) -> None:
        """A new password (3.3), or the end of the account (3.2)."""
        await self._change(iq)

    @iq_set("query", REGISTER, to=ACCOUNT)
    @numbered
    async def own_change(self, iq: IQ) -> None:
        """The same for clients that leave out `to`."""
        await self._change(iq)

    async def _user(self, iq: IQ) -> JID:
        user = iq.session.jid.bare
        if user.domain != self.host.name or not (iq.is_own or not iq.to.local):
            raise StanzaError("forbidden", "only for this host's own users, and for themselves")
        if not await self.host.accounts.exists(user.local):
            raise StanzaError("registration-required", "you are a guest, without an account")
        return user

    async def _change(self, iq: IQ) -> None:
        user = await self._user(iq)
        if iq.payload.find(f"{QUERY}remove") is not None:
            await self._remove(user, iq)
        else:
            await self._change_password(user, iq.payload)

    async def _remove(self, user: JID, iq: IQ) -> None:
        if len(iq.payload) != 1:
            raise StanzaError("bad-request", "<remove/> stands alone")
        await self.host.remove_account(user, iq.session)
        self.log.info("%s removed its account", user)
        await iq.reply()
        raise StreamError("not-authorized", "the account was removed")

    async def _change_password(self, user: JID, query: Element) -> None:
        try:
            username, password = read(query)
        except StanzaError as error:
            raise StanzaError("bad-request", error.text) from None
        if not _names(username, user):
            raise StanzaError("not-allowed", "you can change no password but your own")
        await self.host.set_password(user.local, password)


def _names(username: str, user: JID) -> bool:
    """Whether a user means itself; some clients give the whole address."""
    try:
        return username == user or nodeprep(username) == user.local
    except StanzaError:
        return False
