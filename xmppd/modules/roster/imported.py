"""Rosters as an export of another server holds them (XEP-0227 4.4)."""

from __future__ import annotations

from typing import Final

from xmppd.api import Many, Statement
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import ROSTER
from xmppd.xmpp.stanza import Element

from . import tables
from .book import joined
from .items import read_item
from .states import APPROVED, LISTED, PENDING_OUT, TO, with_subscription

MOST_NAMED: Final = 10  # items that are named because they cannot be taken; a whole roster of them is not read
LONGEST_SHOWN: Final = 100  # characters of an address in what is told of it

Imported = tuple[str, str, str, str, int, int]  # the columns of `tables.PUT_IMPORTED`


def rows_of(query: Element, account: JID, version: int, most_groups: int) -> tuple[list[Imported], str]:
    """The rows of a roster's items, and what is wrong with those that cannot be taken; "" where all can."""
    rows, wrong = [], []
    for item in query.iterchildren(f"{{{ROSTER}}}item"):
        try:
            rows.append(_row(item, account, version, most_groups))
        except StanzaError as error:
            wrong.append(f"{item.get('jid', '')[:LONGEST_SHOWN]}: {error.text or error.condition}")
    more = [f"and {len(wrong) - MOST_NAMED} more"] if len(wrong) > MOST_NAMED else []
    return rows, "; ".join(wrong[:MOST_NAMED] + more)


def writing(rows: list[Imported], account: JID, version: int) -> tuple[Statement, ...]:
    """What stores them. Whether a contact's request stands before its item in a file or behind it makes no difference.

    It waits on for an answer, unless the item says that the contact has got it.
    """
    answered = tables.DROP_ANSWERED, (account, account)
    return (tables.PUT_IMPORTED, Many(rows)), answered, tables.floor(account, version)


def _row(item: Element, account: JID, version: int, most_groups: int) -> Imported:
    mark = with_subscription(LISTED, item.get("subscription", "none"))
    wanted = read_item(item, most_groups)
    mark |= PENDING_OUT if item.get("ask") == "subscribe" and not mark & TO else 0
    mark |= APPROVED if item.get("approved") == "true" else 0
    return account, wanted.contact, wanted.name, joined(wanted.groups), mark, version
