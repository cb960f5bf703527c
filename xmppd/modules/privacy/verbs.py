"""The requests of XEP-0016: what stands in a query is checked, then done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from lxml import etree

from xmppd.api import IQ, Session
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, escape

from .choices import Choices
from .edits import Edits
from .items import NS_PRIVACY, Item, read_item
from .lists import Lists
from .shelf import Shelf

Verb = Callable[[IQ, Element], Awaitable[None]]


class Verbs(dict[str, Verb]):
    """What may stand in the query of a change, by the element's name; another module may add to it.

    `begin` is called before an account gets its first list.
    """

    def __init__(self, shelf: Shelf, edits: Edits, choices: Choices, begin: Callable[[], None]) -> None:
        super().__init__({"list": self._list, "active": self._active, "default": self._default})
        self._shelf = shelf
        self._edits = edits
        self._choices = choices
        self._begin = begin

    async def run(self, iq: IQ) -> None:
        """Do what the query's only child says; `bad-request` for more or less than one (2.1)."""
        asked = list(iq.payload.iterchildren("{*}*"))
        if len(asked) != 1:
            raise StanzaError("bad-request", "a request has exactly one element in its query")
        name = etree.QName(asked[0])
        verb = self.get(name.localname) if name.namespace == NS_PRIVACY else None
        if verb is None:
            raise StanzaError("bad-request", f"in a query stands one of {', '.join(self)}")
        await verb(iq, asked[0])

    async def _list(self, iq: IQ, element: Element) -> None:
        """With items the list is given anew (2.6, 2.7), without them it is removed (2.8)."""
        name, items = list_name(element), read_items(element)
        if not items:
            await self._edits.delete(iq.account, name, iq.session)
            return
        await self.check_groups(iq.account, items)
        self._begin()
        await self._edits.replace(iq.account, name, items)

    async def _active(self, iq: IQ, element: Element) -> None:
        await self._choices.set_active(iq.session, element.get("name"))

    async def _default(self, iq: IQ, element: Element) -> None:
        await self._choices.set_default(iq.account, element.get("name"), iq.session)

    async def check_groups(self, account: JID, items: Sequence[Item]) -> None:
        """`item-not-found` for an item about a group that the roster does not have (2.1)."""
        groups = {item.value for item in items if item.type == "group"}
        if groups:
            lists = await self._shelf.open(account, make=True, grouped=True)
            missing = groups - lists.contacts.names
            if missing:
                raise StanzaError("item-not-found", f"the roster has no group {min(missing)[:64]!r}")


def list_name(element: Element) -> str:
    """The name of a list, which must have one."""
    name = element.get("name")
    if not name:
        raise StanzaError("bad-request", "a list needs a name")
    return name


def read_items(element: Element) -> list[Item]:
    """The items of a whole list."""
    return [read_item(item) for item in element.findall(f"{{{NS_PRIVACY}}}item")]


def answer(lists: Lists | None, session: Session, asked: Sequence[Element]) -> str:
    """The names of all lists, or one list (2.3)."""
    if not asked:
        return _query(_names(lists, session))
    name = asked[0].get("name")
    if len(asked) != 1 or asked[0].tag != f"{{{NS_PRIVACY}}}list" or not name:
        raise StanzaError("bad-request", "ask for one list, by its name")
    found = lists.named.get(name) if lists else None
    if found is None:
        raise StanzaError("item-not-found", f"there is no list {name[:64]!r}")
    return _query(f"<list name='{escape(name)}'>{found.to_xml()}</list>")


def _names(lists: Lists | None, session: Session) -> str:
    if lists is None:
        return ""
    chosen = (("active", lists.active.get(session)), ("default", lists.default))
    marked = [f"<{tag} name='{escape(each.name)}'/>" for tag, each in chosen if each is not None]
    return "".join((*marked, *(f"<list name='{escape(name)}'/>" for name in lists.named)))


def _query(inside: str) -> str:
    return f"<query xmlns='{NS_PRIVACY}'>{inside}</query>"
