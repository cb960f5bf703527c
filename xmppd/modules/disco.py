"""XEP-0030: Service Discovery of the host and of its accounts; with XEP-0128 forms and XEP-0157 contact addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from lxml import etree
from pydantic import StringConstraints

from xmppd.api import ACCOUNT, IQ, SERVER, Identity, Module, ModuleOptions, iq_get, option
from xmppd.xmpp.caps import Disco as Answer
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import plain
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import DISCO_INFO, DISCO_ITEMS
from xmppd.xmpp.stanza import Element

COMMANDS = "http://jabber.org/protocol/commands"
SERVER_INFO = "http://jabber.org/network/serverinfo"
ContactKind = Literal["abuse", "admin", "feedback", "sales", "security", "status", "support"]
URI = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$")]


class Disco(Module):
    """Answers what the host and each account are and can do."""

    features = {DISCO_INFO, DISCO_ITEMS}
    account_features = {DISCO_INFO, DISCO_ITEMS}
    xeps = {"0030": "2.5.0", "0128": "1.0.1", "0157": "1.1.1"}

    class Options(ModuleOptions):
        """What people may know of this server."""

        name: str = option("xmppd", "The host's name in service discovery")
        extra_domains: tuple[str, ...] = option((), "Further services that disco#items of the host lists")
        contacts: dict[ContactKind, tuple[URI, ...]] = option(
            {}, "XEP-0157: abuse, admin, feedback, ... -> addresses such as mailto:admin@example.org"
        )

    options: Options

    def info(self) -> Answer:
        """What the host is and can do, of all the modules that it has now."""
        modules = self.host.modules.values()
        identities = [each for module in modules for each in getattr(module, "identities", ())]
        forms = [form for module in modules for form in getattr(module, "forms", tuple)()]
        host = Identity("server", "im", self.options.name)
        return Answer((host, *identities), tuple(sorted(+self.host.features)), tuple(forms))

    @iq_get("query", DISCO_INFO, to=SERVER)
    async def host_info(self, iq: IQ) -> Element:
        """disco#info of the host; of a node only where it is the host's own capabilities (XEP-0115 6.2)."""
        node = iq.payload.get("node", "")
        if node and node != self._caps_node():
            raise StanzaError("item-not-found", f"this server has no node {node[:64]!r}")
        return self.info().to_element(node)

    def _caps_node(self) -> str:
        """The node under which the host announces its capabilities, "" where it does not."""
        caps = self.maybe("caps")
        return str(caps.node) if caps is not None else ""

    @iq_get("query", DISCO_ITEMS, to=SERVER)
    async def host_items(self, iq: IQ) -> Element:
        """disco#items of the host: the services beside it. It has no commands for anybody to see."""
        node = iq.payload.get("node", "")
        if node not in ("", COMMANDS):
            raise StanzaError("item-not-found", f"this server has no node {node[:64]!r}")
        services = [] if node else sorted({*self.host.domains, *self.options.extra_domains})
        return _items(node, services)

    @iq_get("query", DISCO_INFO, to=ACCOUNT)
    async def account_info(self, iq: IQ) -> Element:
        """disco#info of an account, for itself and for those who may see its presence (XEP-0030 8)."""
        await self._check_allowed(iq)
        node = iq.payload.get("node", "")
        if node:
            raise StanzaError("item-not-found", f"this account has no node {node[:64]!r}")
        return Answer((await self._identity(iq.account),), tuple(sorted(+self.host.account_features))).to_element()

    async def _identity(self, account: JID) -> Identity:
        registered = await self.host.accounts.exists(account.local)
        return Identity("account", "registered" if registered else "anonymous")

    @iq_get("query", DISCO_ITEMS, to=ACCOUNT)
    async def account_items(self, iq: IQ) -> Element:
        """disco#items of an account: its available resources, for those who may see them (XEP-0030 8)."""
        await self._check_allowed(iq)
        node = iq.payload.get("node", "")
        if node not in ("", COMMANDS):
            raise StanzaError("item-not-found", f"this account has no node {node[:64]!r}")
        sessions = [] if node else self.host.sessions.of(iq.account)
        return _items(node, [session.jid for session in sessions if session.available])

    async def _check_allowed(self, iq: IQ) -> None:
        """A stranger cannot tell an account from none: both answer `service-unavailable`, to #items too.

        XEP-0030 8 would answer #items with an empty list, but where there is no account RFC 6121 8.5.1 has the word.
        """
        roster = self.maybe("roster")
        if iq.is_own or (roster is not None and await roster.sees(iq.account, iq.sender.bare)):
            return
        raise StanzaError("service-unavailable")

    def forms(self) -> Sequence[Element]:
        """Contact addresses (XEP-0157)."""
        if not self.options.contacts:
            return ()
        fields = {f"{kind}-addresses": addresses for kind, addresses in sorted(self.options.contacts.items())}
        return (plain("result", SERVER_INFO, fields),)


def _items(node: str, addresses: Iterable[str]) -> Element:
    found = etree.Element(f"{{{DISCO_ITEMS}}}query", nsmap={None: DISCO_ITEMS})  # type: ignore[dict-item]
    if node:
        found.set("node", node)
    for address in addresses:
        etree.SubElement(found, f"{{{DISCO_ITEMS}}}item", {"jid": address})
    return found
