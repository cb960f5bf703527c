"""Roster items as XML: read from a roster set with every check of RFC 6121 2.3.3, written into results and pushes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from xmppd.api import Statement
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import ROSTER
from xmppd.xmpp.stanza import Element, escape

from .states import APPROVED, BOTH, LISTED, PENDING_OUT, SUBSCRIPTION

SEPARATOR: Final = "\x1f"  # between the groups of a row; XML 1.0 cannot carry it, so no group contains it
LONGEST_NAME: Final = 1023  # bytes, of a contact's name or a group's: what a part of an address may have
Row = tuple[str, str, str, int]  # contact, name, groups joined, mark


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a roster. `mark` are the bits of `states`."""

    contact: JID
    name: str = ""
    groups: tuple[str, ...] = ()
    mark: int = 0

    @property
    def subscription(self) -> str:
        """`none`, `to`, `from` or `both`."""
        return SUBSCRIPTION[self.mark & BOTH]

    @property
    def ask(self) -> bool:
        """Whether the account waits for the contact's approval."""
        return bool(self.mark & PENDING_OUT)


class ItemPart(Protocol):
    """Who adds children to roster items; see `Rosters.parts`."""

    def written(self, account: JID, contact: JID, item: Element | None) -> Iterable[Statement]:
        """Statements that join the transaction of a roster set; `item` is None where the contact is removed.

        `StanzaError` refuses the set, and nothing is written.
        """

    async def children(self, account: JID, contact: JID | None = None) -> Mapping[str, str]:
        """XML that stands inside the item of each contact, or of one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a roster set asks for."""

    contact: JID
    name: str
    groups: tuple[str, ...]
    remove: bool
    element: Element


def read_set(query: Element, most_groups: int) -> Wanted:
    """The one item of a roster set; `bad-request` or `not-acceptable` where 2.3.3 says so."""
    items = query.findall(f"{{{ROSTER}}}item")
    if len(items) != 1:
        raise StanzaError("bad-request", "a roster set has exactly one item")
    return read_item(items[0], most_groups)


def read_item(item: Element, most_groups: int) -> Wanted:
    """One item, checked. What only a server may say (`ask`, `approved`, another subscription) is ignored (2.1.2)."""
    jid = item.get("jid")
    if not jid:
        raise StanzaError("bad-request", "an item needs a jid")
    if item.get("subscription") == "remove":
        return Wanted(_address(jid), "", (), True, item)
    groups = tuple(group.text or "" for group in item.findall(f"{{{ROSTER}}}group"))
    return Wanted(_address(jid), _short(item.get("name", ""), "name"), _checked(groups, most_groups), False, item)


def _address(jid: str) -> JID:
    try:
        return JID.parse(jid)
    except StanzaError as error:
        raise StanzaError("bad-request", error.text) from None


def _checked(groups: Sequence[str], most: int) -> tuple[str, ...]:
    if len(set(groups)) != len(groups):
        raise StanzaError("bad-request", "an item names the same group twice")
    if len(groups) > most:
        raise StanzaError("not-acceptable", f"an item has {most} groups at most")
    if not all(groups):
        raise StanzaError("not-acceptable", "a group needs a name")
    return tuple(_short(group, "group") for group in groups)


def _short(text: str, what: str) -> str:
    if len(text) > LONGEST_NAME or len(text.encode()) > LONGEST_NAME:
        raise StanzaError("not-acceptable", f"a {what} has {LONGEST_NAME} bytes at most")
    return text


def _attributes(mark: int) -> str:
    approved = " approved='true'" if mark & APPROVED else ""
    ask = " ask='subscribe'" if mark & PENDING_OUT else ""
    return f" subscription='{SUBSCRIPTION[mark & BOTH]}'{ask}{approved}"


_SHOWN: Final = BOTH | PENDING_OUT | APPROVED
_ATTRIBUTES: Final = {mark: _attributes(mark) for mark in range(_SHOWN + 1)}


def items_xml(rows: Sequence[Row], inside: Mapping[str, str]) -> str:
    """The items of a result; `inside` are children by contact."""
    groups = {grouped: groups_xml(grouped) for grouped in {row[2] for row in rows}}  # many contacts share a few
    if not inside:
        return "".join([_item_xml(row, groups[row[2]]) for row in rows])
    return "".join([_item_xml(row, groups[row[2]] + inside.get(row[0], "")) for row in rows])


def _item_xml(row: Row, inside: str) -> str:
    contact, name, _, mark = row
    named = f" name='{escape(name)}'" if name else ""
    head = f"<item jid='{escape(contact)}'{named}{_ATTRIBUTES[mark & _SHOWN]}"
    return f"{head}>{inside}</item>" if inside else head + "/>"


def groups_xml(grouped: str) -> str:
    """The groups of a row."""
    return "".join(f"<group>{escape(group)}</group>" for group in split(grouped))


def split(grouped: str) -> tuple[str, ...]:
    """The groups of a row, in their order."""
    return tuple(grouped.split(SEPARATOR)) if grouped else ()


def removed_xml(contact: str) -> str:
    """An item of a push that tells of a removal (2.5.2)."""
    return f"<item jid='{escape(contact)}' subscription='remove'/>"


def shown_xml(row: Row, inside: Mapping[str, str]) -> str:
    """A row as clients are to see it now; `inside` are children by contact."""
    return items_xml((row,), inside) if row[3] & LISTED else removed_xml(row[0])


def query_xml(inside: str, version: int) -> str:
    """The element of a result or a push."""
    return f"<query xmlns='{ROSTER}' ver='{version}'>{inside}</query>"
