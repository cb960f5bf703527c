"""XEP-0030: Service Discovery of the host and of its accounts; with XEP-0128 forms and XEP-0157 contact addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lxml import etree

from xmppd.api import ACCOUNT, IQ, SERVER, Identity, Module, ModuleOptions, iq_get, option
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import plain
from xmppd.xmpp.namespaces import DISCO_INFO, DISCO_ITEMS
from xmppd.xmpp.stanza import Element

COMMANDS = "http://jabber.org/protocol/commands"
SERVER_INFO = "http://jabber.org/network/serverinfo"
KINDS = ("abuse", "admin", "feedback", "sales", "security", "status", "support")


class Disco(Module):
    """Answers what the host and each account are and can do. What a node says comes from who owns the node."""

    features = {DISCO_INFO, DISCO_ITEMS}
    account_features = {DISCO_INFO, DISCO_ITEMS}
    xeps = {"0030": "2.5.0", "0128": "1.0.1", "0157": "1.1.1"}

    class Options(ModuleOptions):
        """What people may know of this server."""

        name: str = option("xmppd", "The host's name in service discovery")
        extra_domains: tuple[str, ...] = option((), "Further services that disco#items of the host lists")
        contacts: dict[str, list[str]] = option(
            {}, f"XEP-0157: kind ({', '.join(KINDS)}) -> addresses such as mailto:admin@example.org"
        )

    options: Options

    @iq_get("query", DISCO_INFO, to=SERVER)
    async def host_info(self, iq: IQ) -> Element:
        """disco#info of the host; of a node only where it is the host's own capabilities (XEP-0115 5.4)."""
        node = iq.payload.get("node", "")
        if node and node != self.own_node():
            raise StanzaError("item-not-found", f"this server has no node {node[:64]!r}")
        return self.info(node)

    def info(self, node: str = "") -> Element:
        """What the host is and can do, in a fixed order."""
        identities = [Identity("server", "im", self.options.name), *self._identities()]
        found = _query(DISCO_INFO, node, identities, sorted(+self.host.features))
        found.extend(form for module in self.host.modules.values() for form in getattr(module, "forms", tuple)())
        return found

    def own_node(self) -> str:
        """The node under which the host announces its capabilities, "" where it does not."""
        caps = self.maybe("caps")
        return str(caps.node) if caps is not None else ""

    def _identities(self) -> list[Identity]:
        return [each for module in self.host.modules.values() for each in getattr(module, "identities", ())]

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
        """disco#info of an account, for itself and for those who may see its presence (XEP-0030 8, RFC 6121 8.5.1)."""
        await self._check_allowed(iq)
        node = iq.payload.get("node", "")
        if node:
            raise StanzaError("item-not-found", f"this account has no node {node[:64]!r}")
        return _query(DISCO_INFO, "", [Identity("account", "registered")], sorted(+self.host.account_features))

    @iq_get("query", DISCO_ITEMS, to=ACCOUNT)
    async def account_items(self, iq: IQ) -> Element:
        """disco#items of an account: its available resources, for those who may see them."""
        await self._check_allowed(iq)
        node = iq.payload.get("node", "")
        if node not in ("", COMMANDS):
            raise StanzaError("item-not-found", f"this account has no node {node[:64]!r}")
        sessions = [] if node else self.host.sessions.of(iq.account)
        return _items(node, [session.jid for session in sessions if session.available])

    async def _check_allowed(self, iq: IQ) -> None:
        """A stranger cannot tell an account from none: both answer `service-unavailable` (RFC 6121 8.5.1)."""
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


def _query(namespace: str, node: str, identities: Iterable[Identity], features: Iterable[str]) -> Element:
    found = etree.Element(f"{{{namespace}}}query", {"node": node} if node else {}, nsmap=_default(namespace))
    for identity in identities:
        attributes = {"category": identity.category, "type": identity.type}
        etree.SubElement(
            found, f"{{{namespace}}}identity", attributes | ({"name": identity.name} if identity.name else {})
        )
    for feature in features:
        etree.SubElement(found, f"{{{namespace}}}feature", {"var": feature})
    return found


def _items(node: str, addresses: Iterable[str]) -> Element:
    found = etree.Element(f"{{{DISCO_ITEMS}}}query", {"node": node} if node else {}, nsmap=_default(DISCO_ITEMS))
    for address in addresses:
        etree.SubElement(found, f"{{{DISCO_ITEMS}}}item", {"jid": address})
    return found


def _default(namespace: str) -> Any:
    return {None: namespace}
