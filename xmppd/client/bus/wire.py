"""The bus's words on the wire: written as text, read from elements. Format: docs/protocols/bus.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from .invalidation import EVERYTHING, LONGEST_ID, MOST_IDS, NOTHING, Invalidation

NS: Final = "urn:xmppd:bus:0"
MUC: Final = "http://jabber.org/protocol/muc"
MUC_USER: Final = f"{MUC}#user"
SID: Final = "urn:xmpp:sid:0"
DELAY: Final = "urn:xmpp:delay"
_HINTS: Final = "urn:xmpp:hints"
_NAMES: Final = {f"{{{NS}}}key": 0, f"{{{NS}}}tag": 1, f"{{{NS}}}prefix": 2}
_LONGEST_NUMBER: Final = 15  # digits of a sequence number that is believed

Kind = Literal["invalidate", "beat", "here", "done"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Who says the how manieth thing since it started."""

    origin: str
    epoch: str
    seq: int

    def attributes(self) -> str:
        return f"origin={quoteattr(self.origin)} epoch={quoteattr(self.epoch)} seq='{self.seq}'"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of the bus, as it was heard. A message that is only text has no mark."""

    kind: Kind
    sender: str  # the full address in the room
    mark: Mark | None = None
    invalidation: Invalidation = NOTHING
    confirm: bool = False
    archived: str = ""  # its id in the room's archive
    delayed: bool = False


def write_invalidate(room: str, mark: Mark, what: Invalidation, *, confirm: bool) -> str:
    """The message that publishes. Its body is for people, and for archives that keep nothing without one."""
    body = escape("\n".join(what.lines()))
    children = "<all/>" if what.all else _children(what)
    asks = " confirm='true'" if confirm else ""
    return (
        f"<message to={quoteattr(room)} type='groupchat' id='{mark.epoch}-{mark.seq}'><body>{body}</body>"
        f"<invalidate xmlns='{NS}' {mark.attributes()}{asks}>{children}</invalidate>"
        f"<store xmlns='{_HINTS}'/></message>"
    )


def _children(what: Invalidation) -> str:
    groups = (("key", what.keys), ("tag", what.tags), ("prefix", what.prefixes))
    return "".join(f"<{tag}>{escape(name)}</{tag}>" for tag, names in groups for name in sorted(names))


def write_beat(room: str, mark: Mark, resets: int = 0) -> str:
    """A heartbeat: nothing to drop, and `seq` is that of the last message. `resets` where the room does not know."""
    return (
        f"<message to={quoteattr(room)} type='groupchat'><beat xmlns='{NS}' {mark.attributes()}{_resets(resets)}/>"
        f"<no-store xmlns='{_HINTS}'/></message>"
    )


def _resets(count: int) -> str:
    return f" resets='{count}'" if count else ""


def write_done(to: str, mark: Mark) -> str:
    """The private answer: what this message named is dropped here."""
    return (
        f"<message to={quoteattr(to)} type='chat'><done xmlns='{NS}' {mark.attributes()}/>"
        f"<x xmlns='{MUC_USER}'/><no-store xmlns='{_HINTS}'/><no-copy xmlns='{_HINTS}'/></message>"
    )


def write_join(occupant: str, mark: Mark | None, lease: float, resets: int = 0) -> str:
    """The presence that enters the room as a member; without a mark, as somebody who watches.

    `resets` are those that the room was told of before.
    """
    member = f"<member xmlns='{NS}' {mark.attributes()} lease='{lease:g}'{_resets(resets)}/>" if mark else ""
    history = f"<x xmlns='{MUC}'><history maxstanzas='0'/></x>"
    return f"<presence to={quoteattr(occupant)}>{history}{member}</presence>"


def write_leave(occupant: str) -> str:
    """The presence that leaves the room, said by a member whose caches are empty by now."""
    return f"<presence to={quoteattr(occupant)} type='unavailable'><member xmlns='{NS}' left='true'/></presence>"


def read_message(xml: Element, room: str) -> Heard | None:
    """What a message of the room says to the bus; None for what says nothing, such as a subject or an error."""
    kind, sender = xml.get("type"), xml.get("from", "")
    namespace = xml.tag.partition("}")[0] + "}"
    if kind == "chat":
        return _private(xml, sender)
    if kind != "groupchat":
        return None
    beat = xml.find(f"{{{NS}}}beat")
    if beat is not None:
        mark = read_mark(beat, sender)
        return None if mark is None else Heard("beat", sender, mark, delayed=_delayed(xml))
    return _invalidating(xml, namespace, sender, room)


def _private(xml: Element, sender: str) -> Heard | None:
    done = xml.find(f"{{{NS}}}done")
    mark = None if done is None else read_mark(done, None)
    return None if mark is None else Heard("done", sender, mark)


def _invalidating(xml: Element, namespace: str, sender: str, room: str) -> Heard | None:
    said, body = xml.find(f"{{{NS}}}invalidate"), xml.findtext(f"{namespace}body")
    if said is None and not body:
        return None
    sid = next((each for each in xml.iterfind(f"{{{SID}}}stanza-id") if each.get("by") == room), None)
    archived = "" if sid is None else sid.get("id", "")
    if said is None:
        return Heard("invalidate", sender, None, _lines(body or ""), archived=archived, delayed=_delayed(xml))
    asks = said.get("confirm") in ("true", "1")
    return Heard("invalidate", sender, read_mark(said, sender), _named(said), asks, archived, _delayed(xml))


def _lines(body: str) -> Invalidation:
    """A body alone: each line a key."""
    keys = frozenset(line.strip() for line in body.splitlines()) - {""}
    return EVERYTHING if len(keys) > MOST_IDS else Invalidation(keys)


def _named(said: Element) -> Invalidation:
    """What the element names; everything where it says something that is not known here."""
    names: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    if len(said) > MOST_IDS:
        return EVERYTHING
    for child in said:
        place = _NAMES.get(child.tag)
        if place is None:
            return EVERYTHING
        names[place].add(child.text or "")
    keys, tags, prefixes = names
    return Invalidation(frozenset(keys), frozenset(tags), frozenset(prefixes))


def read_mark(element: Element, sender: str | None) -> Mark | None:
    """Its mark, or None where it is none. With a sender: where it speaks in another's name."""
    origin, epoch, seq = element.get("origin", ""), element.get("epoch", ""), element.get("seq", "")
    if not (0 < len(origin) <= LONGEST_ID and 0 < len(epoch) <= LONGEST_ID):
        return None
    if not (seq.isascii() and seq.isdigit() and len(seq) <= _LONGEST_NUMBER):
        return None
    nick = origin if sender is None else sender.partition("/")[2] or origin
    return Mark(origin, epoch, int(seq)) if nick == origin else None


def _delayed(xml: Element) -> bool:
    return xml.find(f"{{{DELAY}}}delay") is not None
