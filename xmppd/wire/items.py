"""What a stream consists of: its header, stanzas, nonzas, its end, or the error that ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.parsing import Element, parse
from xmppd.xmpp.stanza import Stanza, escape


@dataclass(frozen=True, slots=True)
class Header:
    """A stream header: its plain attributes, its language and the namespace of its stanzas."""

    attributes: Mapping[str, str]
    lang: str
    content: str


@dataclass(frozen=True, slots=True)
class End:
    """The peer closed its stream (RFC 6120 4.4)."""


class Nonza:
    """A top element that is no stanza (XEP-0360): its `"namespace name"`, its attributes, its bytes inside."""

    __slots__ = ("attributes", "letter", "name", "names")

    def __init__(self, name: str, attributes: dict[str, str], letter: bytes, names: tuple[str, ...]) -> None:
        self.name, self.attributes, self.letter, self.names = name, attributes, letter, names

    @property
    def element(self) -> Element:
        """The whole of it, parsed; nonzas are rare and small. `StreamError` where libxml2 refuses what expat took."""
        namespace, _, local = self.name.rpartition(" ")
        tag = f"<{local} xmlns='{escape(namespace)}'>".encode()
        try:
            return parse(b"%b%b</%b>" % (tag, self.letter, local.encode()))
        except StanzaError as error:
            raise StreamError(error.condition, error.text.replace("stanza", "element")) from None

    def __repr__(self) -> str:
        return f"<nonza {self.name}: {len(self.letter)} bytes>"  # it may hold a password


Item = Header | Stanza | Nonza | End | StreamError
