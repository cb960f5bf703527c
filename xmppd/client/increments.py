"""Privacy lists by increments for slixmpp: one item is added to a list or taken out of it, however long it is.

    increments = Increments.of(xmpp)
    await increments.add("LOL", "sum1234@pvp.example")           # denied, unless an Item says otherwise
    await increments.remove("LOL", "sum1234@pvp.example")

    xmpp.add_event_handler("privacy_changed", lambda change: print(change.name, change.added, change.removed))

What makes a list active or the default is slixmpp's own plugin `xep_0016`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal
from xml.etree.ElementTree import Element, SubElement

from slixmpp import JID
from slixmpp.plugins.base import register_plugin
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from .plugin import Plugin

NS: Final = "urn:xmppd:privacy-increments:0"
PRIVACY: Final = "{jabber:iq:privacy}"
ItemType = Literal["jid", "group", "subscription", ""]
Stanzas = Literal["message", "iq", "presence-in", "presence-out"]


@dataclass(frozen=True, slots=True)
class Item:
    """One rule of a list (XEP-0016 2.1). It is known by its type and value; adding it again replaces the rest.

    `type` "" with an empty value is the fall-through. Without an order it goes last. `stanzas` are the kinds it is
    about, all of them where there is none.
    """

    value: str
    action: Literal["allow", "deny"] = "deny"
    type: ItemType = "jid"
    order: int | None = None
    stanzas: frozenset[Stanzas] = frozenset()


@dataclass(frozen=True, slots=True)
class PrivacyChanged:
    """What the event `privacy_changed` carries. Where nothing was added or removed, the list is another one: get it."""

    name: str
    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()


class Increments(Plugin):
    """The privacy lists of one slixmpp client; `Increments.of(xmpp)` gives them."""

    name = "xmppd_increments"
    description = "Privacy lists by increments"
    feature = NS

    def plugin_init(self) -> None:
        """Called by slixmpp."""
        path = MatchXPath(f"{{jabber:client}}iq/{PRIVACY}query")
        self.xmpp.register_handler(Callback(self.name, path, self._pushed))

    def plugin_end(self) -> None:
        """Called by slixmpp."""
        self.xmpp.remove_handler(self.name)

    async def add(self, name: str, *items: Item | JID | str) -> None:
        """Add items to a list, which is made where there is none; an address alone is denied.

        All are added, or none and `slixmpp.exceptions.IqError` says why. It returns when they are on disk.
        """
        await self._change("add", name, [_written(_item(item)) for item in items])

    async def remove(self, name: str, *items: Item | JID | str) -> None:
        """Take items out of a list: all, or none and `IqError` with `item-not-found`."""
        await self._change("remove", name, [_named(_item(item)) for item in items])

    async def get(self, name: str) -> list[Item]:
        """A whole list in its order. `IqError` with `item-not-found` where there is none."""
        reply = await self._ask(self.xmpp.make_iq_get(), "list", name, [])
        return [_read(item) for item in reply.xml.iter(f"{PRIVACY}item")]

    async def _change(self, verb: str, name: str, items: list[Element]) -> None:
        if items:
            await self._ask(self.xmpp.make_iq_set(), verb, name, items)

    async def _ask(self, iq: Any, verb: str, name: str, items: Iterable[Element]) -> Any:
        query = SubElement(iq.xml, f"{PRIVACY}query")
        SubElement(query, f"{PRIVACY}{verb}", {"name": name}).extend(items)
        return await iq.send()

    def _pushed(self, iq: Any) -> None:
        """The server tells of a change, made here or elsewhere."""
        if iq["type"] != "set" or iq["from"].bare not in ("", self.xmpp.boundjid.bare):
            return
        for element in iq.xml.find(f"{PRIVACY}query"):
            items = tuple(_read(item) for item in element)
            verb, name = element.tag.removeprefix(PRIVACY), element.get("name", "")
            added, removed = (items, ()) if verb == "add" else ((), items if verb == "remove" else ())
            self.xmpp.event("privacy_changed", PrivacyChanged(name, added, removed))
        iq.reply().send()


def _item(item: Item | JID | str) -> Item:
    return item if isinstance(item, Item) else Item(str(item))


def _named(item: Item) -> Element:
    """What an item is known by."""
    element = Element(f"{PRIVACY}item")
    if item.type:
        element.set("type", item.type)
        element.set("value", item.value)
    return element


def _written(item: Item) -> Element:
    element = _named(item)
    element.set("action", item.action)
    if item.order is not None:
        element.set("order", str(item.order))
    for kind in sorted(item.stanzas):
        SubElement(element, f"{PRIVACY}{kind}")
    return element


def _read(element: Element) -> Item:
    value, order = element.get("value", ""), element.get("order")
    type: Any = element.get("type") or ("jid" if value else "")
    kinds: Any = frozenset(kind.tag.removeprefix(PRIVACY) for kind in element)
    action: Any = element.get("action", "deny")
    return Item(value, action, type, None if order is None else int(order), kinds)


register_plugin(Increments)
