"""XEP-0049: Private XML Storage, where clients keep bookmarks (XEP-0048), delimiters and notes of their own."""

from __future__ import annotations

from lxml import etree

from xmppd.api import ACCOUNT, IQ, AccountEvent, Module, ModuleOptions, Statement, hook, iq_get, iq_set, option
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, serialise

NS_PRIVATE = "jabber:iq:private"
UPSERT = (
    "INSERT INTO private (account, name, xml) VALUES (?, ?, ?) "
    "ON CONFLICT (account, name) DO UPDATE SET xml = excluded.xml"
)


class Private(Module):
    """Keeps one element for each name and namespace, for its owner alone."""

    features, account_features, xeps = {NS_PRIVATE}, {NS_PRIVATE}, {"0049": "1.2", "0048": "1.1"}
    migrations = (
        "CREATE TABLE private (account TEXT NOT NULL, name TEXT NOT NULL, xml TEXT NOT NULL, "
        "PRIMARY KEY (account, name))",
    )

    class Options(ModuleOptions):
        """How much one account may keep."""

        max_elements: int = option(100, "Elements of one account; clients in use keep under ten", least=1)
        max_size: int = option(65536, "Bytes of one element; two hundred bookmarks are some 30 KB", least=1024)

    options: Options

    @iq_get("query", NS_PRIVATE, to=ACCOUNT)
    async def load(self, iq: IQ) -> str:
        """The element as it was stored, or the empty one that was asked for (XEP-0049 2.3)."""
        child = _only_child(_own(iq))
        row = await self.storage.fetch_one(
            "SELECT xml FROM private WHERE account = ? AND name = ?", iq.account, _name(child)
        )
        inside = row[0] if row is not None else serialise(_empty(child)).decode()
        return f"<query xmlns='{NS_PRIVATE}'>{inside}</query>"

    @iq_set("query", NS_PRIVATE, to=ACCOUNT)
    async def store(self, iq: IQ) -> None:
        """Replace elements, all or none of them (2.2)."""
        children = list(_own(iq).iterchildren("{*}*"))
        if not children:
            raise StanzaError("not-acceptable", "there is nothing to store")
        names = {_name(child) for child in children}
        if len(names) < len(children):
            raise StanzaError("not-acceptable", "one element is kept of each name, and this has two")
        statements = [self._statement(iq.account, child) for child in children]
        await self._check_room(iq.account, names)
        await self.storage.write(*statements)

    def _statement(self, account: JID, child: Element) -> Statement:
        namespace = etree.QName(child).namespace
        if namespace in (None, "jabber:client", NS_PRIVATE):
            raise StanzaError("not-acceptable", "the element needs a namespace of its own")
        xml = serialise(child).decode()
        if len(xml.encode()) > self.options.max_size:
            raise StanzaError("policy-violation", f"an element may have {self.options.max_size} bytes at most")
        return UPSERT, (account, _name(child), xml)

    async def _check_room(self, account: JID, names: set[str]) -> None:
        rows = await self.storage.fetch("SELECT name FROM private WHERE account = ?", account)
        if len(names | {name for (name,) in rows}) > self.options.max_elements:
            raise StanzaError("policy-violation", f"an account may keep {self.options.max_elements} elements at most")

    @hook.account_removed
    def forget(self, event: AccountEvent) -> None:
        """Nothing is kept of an account that is gone."""
        self.storage.write(("DELETE FROM private WHERE account = ?", (event.account,)))

    async def import_account(self, account: JID, element: Element) -> bool:
        """Take over the `<query xmlns='jabber:iq:private'/>` of an export (XEP-0227 4.6)."""
        if element.tag != f"{{{NS_PRIVATE}}}query":
            return False
        if len(element):
            await self.storage.write(*(self._statement(account, child) for child in element.iterchildren("{*}*")))
        return True


def _own(iq: IQ) -> Element:
    if not iq.is_own:
        raise StanzaError("forbidden", "private storage is its owner's alone")
    return iq.payload


def _only_child(query: Element) -> Element:
    children = list(query.iterchildren("{*}*"))
    if len(children) != 1:
        raise StanzaError("bad-request", "ask for exactly one element")
    return children[0]


def _name(child: Element) -> str:
    name = etree.QName(child)
    return f"{name.namespace} {name.localname}"


def _empty(child: Element) -> Element:
    name = etree.QName(child)
    namespaces = {None: name.namespace}
    return etree.Element(child.tag, nsmap=namespaces)  # type: ignore[arg-type]
