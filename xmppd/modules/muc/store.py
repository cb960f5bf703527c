"""What is stored of rooms: how it is written, and read again.

A write is a list of statements, so that what belongs together is one transaction: `storage.write(*store.create(...))`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xmppd.api import Many, Statement, Storage
from xmppd.xmpp.jid import JID
from xmppd.xmpp.paging import Page, PageRequest

from . import tables
from .settings import Settings, from_json, to_json
from .words import Affiliation


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a room's history, or its subject: the letter, who said it under which nick, and when.

    `seq` orders the lines of a room; `at` are microseconds since 1970; `author` is the real full address.
    """

    seq: int
    at: int
    nick: str
    author: str
    id: str
    lang: str
    letter: bytes


@dataclass(frozen=True, slots=True)
class Hat:
    """A hat of a room (XEP-0317): `title` is shown, `hue` is an angle in degrees, "" where it has no colour."""

    uri: str
    title: str
    hue: str = ""


@dataclass(slots=True)
class Record:
    """All that is stored of one room, less its history and its card."""

    jid: JID
    settings: Settings
    secret: bytes
    created: int
    used: int
    affiliations: dict[str, Affiliation] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    nicks: dict[str, str] = field(default_factory=dict)
    subject: Line | None = None
    hats: dict[str, Hat] = field(default_factory=dict)
    worn: dict[str, set[str]] = field(default_factory=dict)
    avatar: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a list of rooms."""

    jid: JID
    settings: Settings
    created: int
    used: int


# Writing


def create(record: Record) -> list[Statement]:
    """A whole room that was not stored so far, less its history and card."""
    room, settings = record.jid, record.settings
    row = (
        room, room.domain, int(settings.public), settings.title, to_json(settings), record.secret, record.created,
        record.used,
    )  # fmt: skip
    accounts = record.affiliations.items()
    affiliations = Many((room, bare, kind, record.reasons.get(bare, "")) for bare, kind in accounts)
    nicks = Many((room, nick, account) for nick, account in record.nicks.items())
    hats = Many((room, hat.uri, hat.title, hat.hue) for hat in record.hats.values())
    worn = Many((room, bare, uri) for bare, uris in record.worn.items() for uri in uris)
    statements: list[Statement] = [(tables.PUT_ROOM, row)]
    for sql, rows in (
        (tables.PUT_AFFILIATION, affiliations),
        (tables.PUT_NICK, nicks),
        (tables.PUT_HAT, hats),
        (tables.WEAR_HAT, worn),
    ):
        if rows:
            statements.append((sql, rows))
    return [*statements, put_subject(room, record.subject)] if record.subject else statements


def put_settings(room: JID, settings: Settings) -> Statement:
    """Other settings."""
    return tables.PUT_SETTINGS, (int(settings.public), settings.title, to_json(settings), room)


def put_used(room: JID, now: int) -> Statement:
    """Somebody was there."""
    return tables.USED, (now, room)


def put_affiliation(room: JID, account: JID, affiliation: Affiliation, reason: str) -> Statement:
    """Another affiliation; `none` leaves no row."""
    if affiliation == "none":
        return tables.DROP_AFFILIATION, (room, account)
    return tables.PUT_AFFILIATION, (room, account, affiliation, reason)


def put_nick(room: JID, account: JID, nick: str) -> list[Statement]:
    """The one nick that an account has reserved; "" for none."""
    dropped: Statement = (tables.DROP_NICKS, (room, account))
    return [dropped, (tables.PUT_NICK, (room, nick, account))] if nick else [dropped]


def put_subject(room: JID, line: Line) -> Statement:
    """The subject, as the message that set it."""
    return tables.PUT_SUBJECT, (room, line.nick, line.at, line.id, line.lang, line.letter)


def put_line(room: JID, line: Line) -> Statement:
    """One more line of history."""
    return tables.PUT_LINE, (room, line.seq, line.at, line.nick, line.author, line.id, line.lang, line.letter)


def drop_lines(room: JID, last: int) -> Statement:
    """Forget the history up to and with this line."""
    return tables.DROP_LINES, (room, last)


def drop_line(room: JID, seq: int) -> Statement:
    """Forget one line."""
    return tables.DROP_LINE, (room, seq)


def put_hat(room: JID, hat: Hat) -> Statement:
    """Make a hat, or change it."""
    return tables.PUT_HAT, (room, hat.uri, hat.title, hat.hue)


def drop_hat(room: JID, uri: str) -> list[Statement]:
    """A hat is no more, and nobody wears it."""
    return [(tables.DROP_HAT, (room, uri)), (tables.TAKE_HAT, (room, uri))]


def wear_hat(room: JID, account: JID, uri: str, worn: bool) -> Statement:
    """Give an account a hat, or take it."""
    return (tables.WEAR_HAT if worn else tables.DOFF_HAT), (room, account, uri)


def put_card(room: JID, card: str, hash: str) -> Statement:
    """The room's vCard, and the hash of the photo in it; an empty card leaves none."""
    return (tables.PUT_CARD, (room, card, hash)) if card else (tables.DROP_CARD, (room,))


def delete(room: JID) -> list[Statement]:
    """Everything of a room."""
    return [(f"DELETE FROM {table} WHERE room = ?", (room,)) for table in tables.TABLES]  # noqa: S608  names of our own


def forget_account(account: JID) -> list[Statement]:
    """What rooms keep of an account that is gone: affiliations, nicks and hats (bans are not taken back by it)."""
    return [
        ("DELETE FROM muc_affiliations WHERE account = ? AND affiliation <> 'outcast'", (account,)),
        ("DELETE FROM muc_nicks WHERE account = ?", (account,)),
        ("DELETE FROM muc_hats_worn WHERE account = ?", (account,)),
    ]


# Reading


class Shelf:
    """The stored rooms of one domain."""

    def __init__(self, storage: Storage, domain: str) -> None:
        self._storage = storage
        self._domain = domain

    async def load(self, room: JID) -> Record | None:
        """All that is stored of a room; None where there is none."""
        fetch, fetch_one = self._storage.fetch, self._storage.fetch_one
        row = await fetch_one("SELECT settings, secret, created, used FROM muc_rooms WHERE room = ?", room)
        if row is None:
            return None
        record = Record(room, from_json(row[0]), bytes(row[1]), row[2], row[3])
        sql = "SELECT account, affiliation, reason FROM muc_affiliations WHERE room = ?"
        for account, affiliation, reason in await fetch(sql, room):
            record.affiliations[account] = affiliation
            if reason:
                record.reasons[account] = reason
        record.nicks = dict(await fetch("SELECT nick, account FROM muc_nicks WHERE room = ?", room))
        record.subject = await self._subject(room)
        for uri, title, hue in await fetch("SELECT uri, title, hue FROM muc_hats WHERE room = ?", room):
            record.hats[uri] = Hat(uri, title, hue)
        for account, uri in await fetch("SELECT account, uri FROM muc_hats_worn WHERE room = ?", room):
            record.worn.setdefault(account, set()).add(uri)
        avatar = await fetch_one("SELECT hash FROM muc_cards WHERE room = ?", room)
        record.avatar = avatar[0] if avatar else ""
        return record

    async def _subject(self, room: JID) -> Line | None:
        row = await self._storage.fetch_one("SELECT nick, at, id, lang, letter FROM muc_subjects WHERE room = ?", room)
        return Line(0, row[1], row[0], "", row[2], row[3], bytes(row[4])) if row else None

    async def history(self, room: JID, most: int) -> list[Line]:
        """The last lines of a room's history, the oldest first."""
        rows = await self._storage.fetch(tables.LINES, room, most)
        return [
            Line(seq, at, nick, author, id, lang, bytes(letter)) for seq, at, nick, author, id, lang, letter in rows
        ][::-1]

    async def knowing(self, account: JID) -> dict[JID, bool]:
        """The rooms of all services that know something of an account, and which of them it owns."""
        found: dict[JID, bool] = {}
        for room, affiliation in await self._storage.fetch(tables.KNOWING, account, account, account):
            jid = JID.parse(room)
            found[jid] = found.get(jid, False) or affiliation == "owner"
        return found

    async def card(self, room: JID) -> str:
        """The room's vCard, "" where it has none."""
        row = await self._storage.fetch_one("SELECT card FROM muc_cards WHERE room = ?", room)
        return row[0] if row else ""

    async def public(self, request: PageRequest) -> tuple[list[Listed], Page]:
        """A page of the rooms that anybody may know of, by address (6.3); ids of the page are addresses."""
        where, parameters = "domain = ? AND public = 1", (self._domain,)
        (count,) = await self._storage.fetch_one(f"SELECT count(*) FROM muc_rooms WHERE {where}", *parameters) or (0,)  # noqa: S608
        order, place, bounds = _place(request)
        sql = f"SELECT {tables.COLUMNS} FROM muc_rooms WHERE {where}{place} ORDER BY room {order} LIMIT ? OFFSET ?"  # noqa: S608
        rows = await self._storage.fetch(sql, *parameters, *bounds, request.max, request.index or 0)
        listed = [_listed(row) for row in (rows[::-1] if request.backwards else rows)]
        return listed, Page([str(room.jid) for room in listed], count)

    async def all(self, after: str = "", most: int = 1000) -> list[Listed]:
        """The next rooms by address, public or not; for commands that go through all of them."""
        sql = f"SELECT {tables.COLUMNS} FROM muc_rooms WHERE domain = ? AND room > ? ORDER BY room LIMIT ?"  # noqa: S608
        return [_listed(row) for row in await self._storage.fetch(sql, self._domain, after, most)]

    async def count(self) -> int:
        """How many rooms are stored."""
        row = await self._storage.fetch_one("SELECT count(*) FROM muc_rooms WHERE domain = ?", self._domain)
        return int(row[0]) if row else 0


def _place(request: PageRequest) -> tuple[str, str, Sequence[Any]]:
    """Order, condition and parameters of a page."""
    if request.after is not None:
        return "ASC", " AND room > ?", (request.after,)
    if request.before:
        return "DESC", " AND room < ?", (request.before,)
    return ("DESC" if request.backwards else "ASC"), "", ()


def _listed(row: Iterable[Any]) -> Listed:
    room, _, settings, created, used = row
    return Listed(JID.parse(room), from_json(settings), created, used)
