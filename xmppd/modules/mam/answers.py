"""The answers to a query: result messages, the `<fin/>` behind them, and metadata (XEP-0313 4.2 to 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import DELAY, FORWARD, MAM
from xmppd.xmpp.paging import Page
from xmppd.xmpp.stanza import Element, Stanza, escape, serialise
from xmppd.xmpp.timestamps import format_datetime

from . import pages
from .ids import id_of, moment_of
from .query import Query
from .store import Found, Row, Store

RESULT: Final = f"{MAM} result"
# Bytes of a page's messages. An eighth of what may wait for a client: it asks the archives of its rooms all at once.
PAGE: Final = 524_288
_TAG: Final = len(b"<message")


@dataclass(frozen=True, slots=True)
class Answer:
    """A page in the order in which it is sent, and whether it reaches to the end of what matches."""

    rows: Sequence[Row]
    complete: bool
    fin: str


async def answer(store: Store, archive: JID, query: Query) -> Answer:
    """Look a page up; `item-not-found` where an id is named that the archive does not have (4.3.2)."""
    await store.settled()
    if query.named and not await store.has(archive, query.named):
        raise StanzaError("item-not-found", "the archive has no message with such an id; begin again without it")
    if not query.page.max:
        return await _count(store, archive, query)
    found = await store.find(*pages.page(archive, query, store.search))
    given = _fitting(found[: query.page.max])
    complete = len(given) == len(found)
    rows = await store.whole(given)
    if query.page.backwards:
        rows.reverse()
    fin = _fin(Page([id_of(key, tail) for key, tail, _ in rows]), complete)
    return Answer(rows[::-1] if query.flip else rows, complete, fin)


def _fitting(found: Sequence[Found]) -> Sequence[Found]:
    """As many as `PAGE` bytes are enough for, and one at least: who asks is told that there is more."""
    size = 0
    for number, (_, _, more, _) in enumerate(found):
        size += more
        if size > PAGE and number:
            return found[:number]
    return found


async def _count(store: Store, archive: JID, query: Query) -> Answer:
    """No messages, only their number (XEP-0059 2.7): a walk through the index, and no longer than `COUNTED`."""
    number = await store.count(*pages.count(archive, query, store.search))
    return Answer((), not number, _fin(Page((), number if number <= pages.COUNTED else None), not number))


def _fin(page: Page, complete: bool) -> str:
    mark = " complete='true'" if complete else ""
    return f"<fin xmlns='{MAM}'{mark}>{serialise(page.to_element()).decode()}</fin>"


def result(archive: JID, to: JID, query: Query, row: Row) -> Stanza:
    """One message of the page, forwarded (XEP-0297) with the time it was archived at."""
    key, tail, message = row
    queryid = f" queryid='{escape(query.queryid)}'" if query.queryid else ""
    head = (
        f"<result xmlns='{MAM}'{queryid} id='{id_of(key, tail)}'><forwarded xmlns='{FORWARD}'>"
        f"<delay xmlns='{DELAY}' stamp='{format_datetime(moment_of(key))}'/><message xmlns='jabber:client'"
    )
    letter = b"%b%b</forwarded></result>" % (head.encode(), message[_TAG:])
    return Stanza("message", to, archive, "", token_hex(6), "", letter, (RESULT,))


async def metadata(store: Store, archive: JID) -> str:
    """The `<metadata/>` of an archive: its first and its last message, nothing where it is empty (4.4)."""
    await store.settled()
    inside = ""
    for name, order in (("start", "ASC"), ("end", "DESC")):
        edge = await store.edge(*pages.edge(archive, order))
        if edge is not None:
            inside += f"<{name} id='{id_of(*edge)}' timestamp='{format_datetime(moment_of(edge[0]))}'/>"
    return f"<metadata xmlns='{MAM}'>{inside}</metadata>"


def form_of(form: Element) -> str:
    """The `<query/>` that carries the form (4.1.5)."""
    return f"<query xmlns='{MAM}'>{serialise(form).decode()}</query>"
