"""What is published over HTTP: the ids that a body names, and the messages that they become."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.namespaces import BODY, HINTS
from xmppd.xmpp.stanza import Stanza, escape

NS_BUS: Final = "urn:xmppd:bus:0"
INVALIDATE: Final = f"{NS_BUS} invalidate"
BEAT: Final = f"{NS_BUS} beat"
DONE: Final = f"{NS_BUS} done"
MEMBER: Final = f"{NS_BUS} member"
LARGEST: Final = 262_144  # bytes of a request: ten thousand ids of the usual length
MOST_IDS: Final = 10_000  # of one request
LONGEST_ID: Final = 1000  # characters
MOST_IDS_SAID: Final = 500  # in one message, so that it stays below 64 KiB, which members of any server are sent
MOST_BYTES_SAID: Final = 20_000  # of ids as they are written, twice in a message
PUBLISHED: Final = (BODY, INVALIDATE, f"{HINTS} store")
BEATEN: Final = (BEAT, f"{HINTS} no-store")


def read_ids(body: bytes) -> list[str]:
    """One id a line. `policy-violation` for too much, `bad-request` for what is no id or for none at all."""
    if len(body) > LARGEST:
        raise StanzaError("policy-violation", f"a request has {LARGEST} bytes at most; send the rest in another")
    try:
        lines = body.decode().splitlines()
    except UnicodeDecodeError:
        raise StanzaError("bad-request", "the body is no UTF-8 text") from None
    ids = list(dict.fromkeys(filter(None, map(str.strip, lines))))
    if not ids:
        raise StanzaError("bad-request", "name at least one id, each on a line of its own")
    if len(ids) > MOST_IDS:
        raise StanzaError("policy-violation", f"a request has {MOST_IDS} ids at most; send the rest in another")
    for number, id in enumerate(ids, 1):
        if len(id) > LONGEST_ID:
            raise StanzaError("bad-request", f"id {number} has {len(id)} characters; {LONGEST_ID} are the most")
        if not id.isprintable():
            raise StanzaError("bad-request", f"id {number} has characters that cannot be printed")
    return ids


def split(ids: Sequence[str]) -> Iterator[list[str]]:
    """The same in parts, each small enough for one message."""
    part: list[str] = []
    size = 0
    for id in ids:
        written = len(escape(id).encode())
        if part and (len(part) == MOST_IDS_SAID or size + written > MOST_BYTES_SAID):
            yield part
            part, size = [], 0
        part.append(id)
        size += written
    yield part


def invalidation(origin: str, epoch: str, seq: int, ids: Sequence[str], *, confirm: bool) -> Stanza:
    """The message that has members drop these. Its body is for people."""
    body, keys = escape_text("\n".join(ids)), "".join([f"<key>{escape(id)}</key>" for id in ids])
    asks = " confirm='true'" if confirm else ""
    letter = (
        f"<body>{body}</body><invalidate xmlns='{NS_BUS}' {_mark(origin, epoch, seq)}{asks}>{keys}</invalidate>"
        f"<store xmlns='{HINTS}'/>"
    )
    return Stanza("message", None, None, "groupchat", f"{epoch}-{seq}", "", letter.encode(), PUBLISHED)


def beat(origin: str, epoch: str, seq: int) -> Stanza:
    """The message that shows which was the last."""
    letter = f"<beat xmlns='{NS_BUS}' {_mark(origin, epoch, seq)}/><no-store xmlns='{HINTS}'/>"
    return Stanza("message", None, None, "groupchat", "", "", letter.encode(), BEATEN)


def escape_text(text: str) -> str:
    """Text of an element: lines stay lines, for who reads the bytes."""
    return "\n".join(map(escape, text.split("\n")))


def _mark(origin: str, epoch: str, seq: int) -> str:
    return f"origin='{escape(origin)}' epoch='{epoch}' seq='{seq}'"
