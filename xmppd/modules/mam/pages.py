"""The reads of a page: from an id on, and never through what lies before it (XEP-0313 4.3)."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.jid import JID

from .ids import key_of
from .query import Query
from .search import Search
from .tables import MARK

COUNTED: Final = 100_000  # a count beyond is not given: it is a walk through all that there is
LARGE: Final = 4096  # bytes; a longer message is read by itself, once it is known that the page has room for it
Read = tuple[str, list[object]]


def page(archive: JID, query: Query, search: Search) -> Read:
    """What is on a page in the order it is read, and one more where there is one: rows of `store.Found`.

    Two reads in one: of the rows that the tables find, and of those too fresh to be in them. Each stops at the end of
    the page, so it costs the same in an archive of a thousand and of a million.
    """
    order = "DESC" if query.page.backwards else "ASC"
    ending = f"ORDER BY id {order} LIMIT ?"
    found, fresh = _found(archive, query, search), _fresh(archive, query, search)
    limit = query.page.max + 1
    sql = (
        f"SELECT id, tail, length(stanza), CASE WHEN length(stanza) <= {LARGE} THEN stanza END FROM mam "  # noqa: S608
        f"WHERE id IN (SELECT id FROM ({found[0]} {ending}) AS found UNION ALL "
        f"SELECT id FROM ({fresh[0]} {ending}) AS fresh) {ending}"
    )
    return sql, [*found[1], limit, *fresh[1], limit, limit]


def count(archive: JID, query: Query, search: Search) -> Read:
    """How many messages there are, up to one more than `COUNTED`."""
    found, fresh = _found(archive, query, search), _fresh(archive, query, search)
    sql = f"SELECT count(*) FROM ({found[0]} UNION ALL {fresh[0]} LIMIT ?) AS counted"  # noqa: S608
    return sql, [*found[1], *fresh[1], COUNTED + 1]


def edge(archive: JID, order: str) -> Read:
    """The key and the tail of an archive's first row (ASC), or of its last (DESC)."""
    ending = f"ORDER BY id {order} LIMIT 1"
    sql = (
        f"SELECT id, tail FROM mam WHERE id IN "  # noqa: S608
        f"(SELECT id FROM (SELECT id FROM mam_order WHERE archive = ? {ending}) AS found UNION ALL "
        f"SELECT id FROM (SELECT id FROM mam WHERE id > ({MARK}) AND archive = ? {ending}) AS fresh) {ending}"
    )
    return sql, [archive, archive]


def _found(archive: JID, query: Query, search: Search) -> Read:
    with_ = query.with_
    if with_ is None:
        return _narrowed(archive, query, search, "SELECT id FROM mam_order WHERE archive = ?", [archive])
    sql, parameters = "SELECT id FROM mam_peers WHERE archive = ? AND peer = ?", [archive, with_.bare]
    if _device(query):
        sql += " AND EXISTS (SELECT 1 FROM mam WHERE mam.id = mam_peers.id AND resource = ?)"
    return _narrowed(archive, query, search, sql, [*parameters, *_device(query)])


def _fresh(archive: JID, query: Query, search: Search) -> Read:
    sql = f"SELECT id FROM mam WHERE id > ({MARK}) AND archive = ?"  # noqa: S608
    if query.with_ is None:
        return _narrowed(archive, query, search, sql, [archive])
    sql += " AND peer = ?"
    if _device(query):
        sql += " AND resource = ?"
    return _narrowed(archive, query, search, sql, [archive, query.with_.bare, *_device(query)])


def _device(query: Query) -> list[str]:
    """The one device of a contact, or the one occupant of a room, that is asked for."""
    return [query.with_.resource] if query.with_ is not None and query.with_.resource else []


def _narrowed(archive: JID, query: Query, search: Search, sql: str, parameters: list[str]) -> Read:
    more: list[object] = [*parameters, query.above, query.below]
    sql += " AND id > ? AND id < ?"
    if query.ids:
        sql += f" AND id IN ({', '.join('?' * len(query.ids))})"
        more += [key_of(id) for id in query.ids]
    if query.text:
        sql += f" AND id IN ({search.matches()})"
        more.append(search.wanted(archive, query.text))
    return sql, more
