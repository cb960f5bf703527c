"""Messages to everybody in a room, its subject, and private messages (XEP-0045 7.4, 7.5, 8.1)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from xmppd.api import Commit, Event, StorageError
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import BODY, CHAT_STATES, CLIENT, DELAY, SID
from xmppd.xmpp.stanza import Stanza, escape, serialise

from . import privileges, sizes, store
from .faces import OCCUPANT_ID, OWN, X_USER, id_element
from .history import MICROSECONDS, NO_STORE, delay, is_worth, most_kept
from .occupants import Occupant
from .store import Line
from .words import NS_USER

if TYPE_CHECKING:
    from .room import Room

SUBJECT: Final = f"{CLIENT} subject"
STANZA_ID: Final = f"{SID} stanza-id"
# What others may say too, of themselves: the attribute that says who speaks.
SIGNED: Final = {STANZA_ID: "by", f"{DELAY} delay": "from", "jabber:x:delay x": "from"}
FORGEABLE: Final = frozenset({*OWN, *SIGNED})
# What tells nothing that would still be true tomorrow, where it comes without a body.
PASSING: Final = frozenset(
    {
        f"{CLIENT} thread",
        *(f"{CHAT_STATES} {name}" for name in ("active", "composing", "paused", "inactive", "gone")),
    }
)
SECONDS_AT_ONCE: Final = 5  # of `user_message_rate`, so that what was written without a connection comes through
EMPTY_X: Final = f"<x xmlns='{NS_USER}'/>".encode()


async def groupchat(room: Room, event: Event) -> None:
    """A message to the room: reflected to everybody under the sender's nick, or a new subject."""
    stanza = event.stanza
    occupant = _speaker(room, stanza.sender)
    names = stanza.names
    is_subject = SUBJECT in names and BODY not in names
    if is_subject:
        _check_subject(room, occupant, stanza)
    elif not privileges.may_speak(occupant.role):
        raise StanzaError("forbidden", "visitors may not speak in this room")
    sizes.check_message(room, stanza, subject=is_subject)
    _check_rates(room, occupant)
    stanza = _cleaned(room, stanza)
    archive = room.archive
    id = archive.new_id() if archive is not None else room.muc.ids.make()
    stanza = _stamped(room, occupant, stanza, id)
    if archive is not None and (is_subject or _is_lasting(names)):
        # Under the nick: who asks for a real address must not learn whose nick it is.
        event.owe(_archive(archive, room, stanza, occupant.jid, id))
    if is_subject:
        _keep_subject(room, occupant, event, stanza)
    elif is_worth(names):
        assert event.stanza.sender is not None
        _owe(event, _keep(room, occupant.nick, event.stanza.sender, stanza))
    await _tell(room, stanza)


async def announced(room: Room, message: Stanza) -> tuple[str, tuple[Commit, ...]]:
    """What the room itself says: its id, and the writes that keep it. `StanzaError` where nobody was told."""
    archive, names = room.archive, message.names
    id = archive.new_id() if archive is not None else room.muc.ids.make()
    letter = message.letter + _stamp(room, id)
    stanza = Stanza("message", None, room.jid, "groupchat", message.id or id, message.lang, letter, (*names, STANZA_ID))
    room.used = int(room.muc.clock.time())
    commits = [_archive(archive, room, stanza, room.jid, id)] if archive is not None and _is_lasting(names) else []
    kept = _keep(room, "", room.jid, stanza) if is_worth(names) else None
    await _tell(room, stanza)
    return id, (*commits, kept) if kept is not None else tuple(commits)


def _tell(room: Room, stanza: Stanza) -> Awaitable[None]:
    room.muc.spoken.inc()
    if room.warden is not None:
        room.warden.said(room, stanza)
    return room.broadcast(stanza)


def _is_lasting(names: tuple[str, ...]) -> bool:
    """Whether the archive keeps it: what is worth it, and whatever else is not of the moment."""
    return is_worth(names) or not (NO_STORE in names or PASSING.issuperset(names))


def _archive(archive: Any, room: Room, stanza: Stanza, with_: JID, id: str) -> Commit:
    try:
        commit: Commit = archive.keep(room.jid, stanza, with_=with_, id=id, rooms=True)
    except StorageError as error:
        raise StanzaError("resource-constraint", "this cannot be archived now; say it again soon") from error
    return commit


def _speaker(room: Room, sender: JID | None) -> Occupant:
    occupant = room.occupants.by_jid(sender) if sender is not None else None
    if occupant is None:
        raise StanzaError("not-acceptable", "enter the room first")
    return occupant


def _check_subject(room: Room, occupant: Occupant, stanza: Stanza) -> None:
    if not privileges.may_change_subject(occupant.role, room.settings):
        raise StanzaError("forbidden", "only moderators change the subject of this room")
    _ = stanza.element  # what cannot be read is refused to who says it, not to all who ask for the subject later


def _check_rates(room: Room, occupant: Occupant) -> None:
    """Not more often than the service allows one occupant and one account, and not more than it allows the room."""
    options = room.muc.options
    rate = options.user_message_rate
    if not (rate or options.min_message_interval or options.room_message_rate) or room.warden is not None:
        return
    now = room.muc.clock.monotonic()
    if now < occupant.heard or not room.words.take(occupant.account, rate, now, rate * SECONDS_AT_ONCE):
        raise StanzaError("resource-constraint", "you speak too fast; wait a moment and say it again", kind="wait")
    if not room.messages.take(options.room_message_rate, now):
        raise StanzaError("resource-constraint", "too much is said here at once; say it again soon", kind="wait")
    occupant.heard = now + options.min_message_interval


def _cleaned(room: Room, stanza: Stanza) -> Stanza:
    """Less what only the room may say; a stanza-id or a date by anybody else passes (XEP-0359 3, XEP-0045 7.2.16)."""
    if FORGEABLE.isdisjoint(stanza.names):
        return stanza
    stanza = stanza.without(*OWN)
    if SIGNED.keys().isdisjoint(stanza.names):
        return stanza
    pairs = zip(stanza.element.iterchildren("{*}*"), stanza.names, strict=True)
    kept = [(child, name) for child, name in pairs if name not in SIGNED or not _is_by(room, child.get(SIGNED[name]))]
    return stanza.with_letter(b"".join([serialise(child) for child, _ in kept]), tuple(name for _, name in kept))


def _is_by(room: Room, who: str | None) -> bool:
    """Whether this is the room's address, or one in it, however it is written."""
    try:
        return who is not None and JID.parse(who).bare == room.jid
    except StanzaError:
        return False


def _stamped(room: Room, occupant: Occupant, stanza: Stanza, id: str) -> Stanza:
    """From the occupant, with its id (XEP-0421) and the message's (XEP-0359)."""
    letter = b"%b%b%b" % (stanza.letter, id_element(occupant.id), _stamp(room, id))
    names = (*stanza.names, OCCUPANT_ID, STANZA_ID)
    return Stanza("message", None, occupant.jid, "groupchat", stanza.id or id, stanza.lang, letter, names, stanza.extra)


def _stamp(room: Room, id: str) -> bytes:
    by = room.jid if room.jid.plain else escape(room.jid)
    return f"<stanza-id xmlns='{SID}' by='{by}' id='{id}'/>".encode()


def _keep(room: Room, nick: str, author: JID, stanza: Stanza) -> Commit | None:
    """Keep a line of history; an empty nick is the room itself."""
    now = room.muc.clock.time()
    room.used = int(now)
    most = most_kept(room)
    if not most:
        return None
    line = room.history.next(nick, author, stanza, now)
    statements = [store.put_line(room.jid, line)]
    if line.seq % most == 0:  # now and then, so that at most twice as many lie in storage
        statements.append(store.drop_lines(room.jid, line.seq - most))
    commit = room.write(*statements)
    room.history.add(line, most, room.muc.options.history_bytes)
    return commit


def _owe(event: Event, commit: Commit | None) -> None:
    if commit is not None:
        event.owe(commit)


def _keep_subject(room: Room, occupant: Occupant, event: Event, stanza: Stanza) -> None:
    at = int(room.muc.clock.time() * MICROSECONDS)
    line = Line(0, at, occupant.nick, "", stanza.id, stanza.lang, stanza.letter)
    _owe(event, room.write(store.put_subject(room.jid, line)))
    room.subject = line


def subject_of(room: Room) -> Stanza:
    """The subject as a newcomer is told it (7.2.15), empty where there was never one."""
    line = room.subject
    if line is None:
        return Stanza("message", None, room.jid, "groupchat", "", "", b"<subject/>", (SUBJECT,))
    sender = room.jid.with_resource(line.nick) if line.nick else room.jid
    letter = line.letter + delay(room.jid, line.at).encode()
    return Stanza("message", None, sender, "groupchat", line.id, line.lang, letter)


# Between two occupants


async def private(room: Room, event: Event) -> None:
    """A message to an occupant (7.5): from the sender's nick, marked, to all resources behind the other nick."""
    stanza = event.stanza
    assert stanza.to is not None
    if stanza.type == "groupchat":
        raise StanzaError("bad-request", "a private message is of type chat, not groupchat")
    occupant = _speaker(room, stanza.sender)
    if not privileges.may_send_private(occupant.role, room.settings):
        raise StanzaError("forbidden", "you may not send private messages in this room")
    _check_rates(room, occupant)
    other = room.occupants.by_nick(stanza.to.resource)
    if other is None:
        raise StanzaError("item-not-found", "nobody is here under this nick")
    stanza = _cleaned(room, stanza)
    letter = b"%b%b%b" % (stanza.letter, id_element(occupant.id), EMPTY_X)
    names = (*stanza.names, OCCUPANT_ID, X_USER)
    passing = Stanza("message", None, occupant.jid, stanza.type, stanza.id, stanza.lang, letter, names, stanza.extra)
    if room.warden is not None:
        room.warden.whispered(room, passing, other.nick)
    await room.send(passing, other.jids)


async def returned(room: Room, event: Event) -> None:
    """An error that comes back for a private message: on to who sent it."""
    stanza = event.stanza
    assert stanza.to is not None
    occupant = room.occupants.by_jid(stanza.sender) if stanza.sender is not None else None
    other = room.occupants.by_nick(stanza.to.resource)
    if occupant is not None and other is not None and other is not occupant:
        cleaned = stanza.without(*OWN)
        await room.send(
            Stanza("message", None, occupant.jid, "error", stanza.id, stanza.lang, cleaned.letter), other.jids
        )
