"""XEP-0077: In-Band Registration: new accounts where that is allowed, password changes and removal for everybody."""

from __future__ import annotations

from collections import OrderedDict

from lxml import etree

from xmppd.api import (
    ACCOUNT,
    IQ,
    SERVER,
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
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.fields import Field
from xmppd.xmpp.forms import Form, find
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, Stanza

NS_REGISTER = "jabber:iq:register"
OFFER = "<register xmlns='http://jabber.org/features/iq-register'/>"
ADDRESSES = 4096  # remembered for the throttle; past it the oldest is forgotten
INSTRUCTIONS = "Choose a username and a password."
FORM = Form(
    NS_REGISTER,
    [
        Field("text-single", "username", "Username", required=True),
        Field("text-private", "password", "Password", required=True),
    ],
    title="Registration",
    instructions=INSTRUCTIONS,
)


class Register(Module):
    """Registration on a stream that has not logged in, and the account's own business once it has."""

    features, xeps = {NS_REGISTER}, {"0077": "2.4"}

    class Options(ModuleOptions):
        """Who may register, and how often."""

        allow: bool = option(False, "Let strangers make accounts")
        registration_timeout: float = option(600, "Seconds between two registrations from one address", least=0)

    options: Options

    async def start(self) -> None:
        """Nobody has registered yet."""
        self._latest: OrderedDict[str, float] = OrderedDict()

    @stream_feature(
        "register",
        f"{NS_REGISTER} query",
        needs=State.READY,
        forbids=State.AUTHENTICATED,
        advertise=lambda module, peer: OFFER if module.options.allow else "",
        order=40,
    )
    async def before_login(self, peer: Peer, request: Nonza | Stanza) -> None:
        """A stranger asks for the fields, or sends them (XEP-0077 3.1)."""
        assert isinstance(request, Stanza), "the tag names an iq's payload"
        try:
            reply = request.result(await self._register(peer.address, request))
        except StanzaError as error:
            reply = request.error(error)
        peer.write_xml(reply.data.decode())

    async def _register(self, address: str, request: Stanza) -> Element | None:
        if not self.options.allow:
            raise StanzaError("not-allowed", "accounts are made by the administrator here")
        if request.type == "get":
            return _fields()
        query = request.payload
        if request.type != "set" or query is None:
            raise StanzaError("bad-request")
        values = _read(query)
        self._throttle(address)
        await self.host.create_account(values["username"], values["password"])
        self._latest[address] = self.clock.monotonic()
        return None

    def _throttle(self, address: str) -> None:
        now = self.clock.monotonic()
        latest = self._latest.pop(address, None)
        if latest is not None and now - latest < self.options.registration_timeout:
            self._latest[address] = latest
            raise StanzaError("resource-constraint", "registered a moment ago; wait before you make another account")
        while len(self._latest) >= ADDRESSES:
            self._latest.popitem(last=False)

    @iq_get("query", NS_REGISTER, to=SERVER)
    async def status(self, iq: IQ) -> Element:
        """A registered user sees so, with the fields (3.1.1)."""
        return _fields(registered_as=_user(self, iq))

    @iq_set("query", NS_REGISTER, to=SERVER)
    async def change(self, iq: IQ) -> None:
        """A new password (3.3), or the end of the account (3.2)."""
        user = _user(self, iq)
        if iq.payload.find(f"{{{NS_REGISTER}}}remove") is not None:
            if len(iq.payload) != 1:
                raise StanzaError("bad-request", "<remove/> stands alone")
            iq.session.reply(iq.stanza.result())
            await self.host.remove_account(user)
            return
        values = _read(iq.payload)
        if JID.parse(f"{values['username']}@{self.host.name}") != user:
            raise StanzaError("not-allowed", "you can change no password but your own")
        await self.host.accounts.set_password(user.local, values["password"])

    @iq_get("query", NS_REGISTER, to=ACCOUNT)
    async def own_status(self, iq: IQ) -> Element:
        """The same for clients that leave out `to`."""
        return await self.status(iq)

    @iq_set("query", NS_REGISTER, to=ACCOUNT)
    async def own_change(self, iq: IQ) -> None:
        """The same for clients that leave out `to`."""
        await self.change(iq)


def _user(module: Register, iq: IQ) -> JID:
    if iq.session.jid.domain != module.host.name or not (iq.is_own or not iq.to.local):
        raise StanzaError("forbidden", "only for this host's own users, and for themselves")
    return iq.session.jid.bare


def _fields(registered_as: JID | None = None) -> Element:
    query = etree.Element(f"{{{NS_REGISTER}}}query", nsmap={None: NS_REGISTER})  # type: ignore[dict-item]
    if registered_as is not None:
        etree.SubElement(query, f"{{{NS_REGISTER}}}registered")
    etree.SubElement(query, f"{{{NS_REGISTER}}}instructions").text = INSTRUCTIONS
    etree.SubElement(query, f"{{{NS_REGISTER}}}username").text = registered_as.local if registered_as else None
    etree.SubElement(query, f"{{{NS_REGISTER}}}password")
    query.append(FORM.ask({"username": registered_as.local} if registered_as else {}))
    return query


def _read(query: Element) -> dict[str, str]:
    """Username and password, from a data form (4) or from plain fields."""
    form = find(query)
    if form is not None:
        values = FORM.read(form)
        if values is None:
            raise StanzaError("not-acceptable", "the form was cancelled")
    else:
        values = {name: query.findtext(f"{{{NS_REGISTER}}}{name}") for name in ("username", "password")}
    if not values.get("username") or not values.get("password"):
        raise StanzaError("not-acceptable", "a username and a password are needed")
    return {name: str(values[name]) for name in ("username", "password")}
