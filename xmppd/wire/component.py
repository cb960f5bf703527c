"""An external component's stream as its server sees it: bytes in, legal items and bytes out (XEP-0114)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.envelope import stanza
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape, join

from .cutter import HANDSHAKE, KINDS
from .framer import CLOSE, End, Framer, Header, Item, Nonza, Parsers

__all__ = ["ComponentItem", "ComponentStream", "End", "Handshake", "Header", "Parsers", "Stanza"]

UNPROVEN_LIMIT: Final = 4096  # bytes of the header or the handshake; real ones have 200
ACCEPTED: Final = b"<handshake/>"
GIVING_UP: Final = f"{ns.STREAM} error"
AS_CLIENT: Final = {f"{ns.CLIENT} {kind}": kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Handshake:
    """The component has shown what it knows; `right` says whether that was the secret."""

    right: bool


ComponentItem = Header | Handshake | Stanza | End | StreamError


class ComponentStream:
    """The server's end of one `jabber:component:accept` stream.

    `secrets` has the secret of each domain that may come by here, `id` is the stream's and cannot be guessed. `receive`
    gives the header, the handshake, then stanzas from `domain`, which the header has named; what is illegal at that
    point becomes a `StreamError`, always the last item. The methods that return bytes say what must be sent.
    """

    __slots__ = ("_framer", "_id", "_limit", "_open", "_secrets", "domain", "ended", "proven")

    def __init__(self, parsers: Parsers, limit: int, secrets: Mapping[str, str], id: str) -> None:
        self._framer = Framer(parsers, ns.COMPONENT, min(limit, UNPROVEN_LIMIT))
        self._limit = limit
        self._secrets = secrets
        self._id = id
        self._open = self.ended = self.proven = False
        self.domain = ""

    def receive(self, data: bytes) -> list[ComponentItem]:
        """Take bytes; return what they finish."""
        legal: list[ComponentItem] = []
        for item in map(self._legal, self._framer.feed(data)):
            legal.append(item)
            if isinstance(item, StreamError) or item == Handshake(False):
                self._framer.stop()
                break
        return legal

    def _legal(self, item: Item) -> ComponentItem:
        match item:
            case Header():
                return self._check_header(item)
            case Nonza(name=name) if name == HANDSHAKE and not self.proven:
                return self._check_handshake(item)
            case Nonza(name=name) if name in AS_CLIENT:  # some libraries write every stanza as a client's
                made = stanza(AS_CLIENT[name], item.attributes, item.letter, item.names, self._framer.lang)
                return self._check_stanza(made)
            case Nonza(name=name) if name == GIVING_UP:
                return End()
            case Nonza():
                return StreamError("unsupported-stanza-type", "a handshake, then stanzas, is all there is")
            case Stanza():
                return self._check_stanza(item)
        return item

    def _check_header(self, header: Header) -> ComponentItem:
        if header.content != ns.COMPONENT:
            return StreamError("invalid-namespace", f"a component's stanzas are in {ns.COMPONENT}")
        try:
            named = JID.parse(header.attributes.get("to", ""))
        except StanzaError:
            named = None
        if named is None or named != named.domain or named.domain not in self._secrets:
            return StreamError("host-unknown", "say your own domain in the stream header, one that is configured here")
        self.domain = named.domain
        return header

    def _check_handshake(self, nonza: Nonza) -> ComponentItem:
        wanted = sha1(f"{self._id}{self._secrets[self.domain]}".encode(), usedforsecurity=False).hexdigest()
        self.proven = hmac.compare_digest(nonza.letter.strip(), wanted.encode())  # hex: nobody has to escape it
        if self.proven:
            self._framer.limit = self._limit
        return Handshake(self.proven)

    def _check_stanza(self, item: Stanza) -> ComponentItem:
        if not self.proven:
            return StreamError("not-authorized", "the handshake comes first")
        if item.flaw is not None:
            item.sender = JID.parse(self.domain)  # whoever of the component has sent it, it must hear of it
        elif item.sender is None:
            return StreamError("improper-addressing", "every stanza of a component needs a 'from'")
        elif item.sender.domain != self.domain:
            return StreamError("invalid-from", f"this stream is for addresses of {self.domain}")
        return item

    def open(self) -> bytes:
        """The response header, from the component's own name, with the id that its handshake is made of."""
        self._open = True
        sender = f" from='{escape(self.domain)}'" if self.domain else ""
        return (
            f"<?xml version='1.0'?><stream:stream xmlns='{ns.COMPONENT}' xmlns:stream='{ns.STREAM}'"
            f"{sender} id='{self._id}'>"
        ).encode()

    def accept(self) -> bytes:
        """The handshake was right."""
        return ACCEPTED

    def send(self, stanza: Stanza) -> bytes:
        """A stanza as it stands in this stream, whose default namespace its letter inherits."""
        if ns.CLIENT.encode() in stanza.letter:  # what says that it is a client's would not inherit
            stanza = stanza.with_letter(join(stanza.element.iterchildren("{*}*")))
        return stanza.data

    def error(self, error: StreamError) -> bytes:
        """The error and the end of the stream, behind a header where none was sent yet (RFC 6120 4.9.1.2)."""
        if self.ended:
            return b""
        header = b"" if self._open else self.open()
        self.ended = True
        return header + error.to_xml().encode() + CLOSE

    def close(self) -> bytes:
        """The end of our direction; nothing where it ended already."""
        if self.ended or not self._open:
            return b""
        self.ended = True
        return CLOSE
