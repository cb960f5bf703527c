"""Stanzas from what expat sees of their tags: when they come in, and again where their bytes were kept."""

from __future__ import annotations

from typing import Final

from . import namespaces as ns
from .errors import StanzaError
from .jid import JID
from .outline import outline
from .stanza import Stanza, extra_attributes

LANG: Final = f"{ns.XML} lang"
BEGIN: Final = b"<message"
END: Final = b"</message>"


def stanza(kind: str, attributes: dict[str, str], letter: bytes, names: tuple[str, ...], lang: str) -> Stanza:
    """The stanza with the attributes that expat has seen; `lang` is what it inherits. Takes `attributes` apart."""
    take = attributes.pop
    to, sender = take("to", None), take("from", None)
    type, id = take("type", ""), take("id", "")
    lang = take(LANG, lang)
    return addressed(
        kind, to, sender, type, id, lang, letter, names, extra_attributes(attributes) if attributes else None
    )


def addressed(
    kind: str,
    to: str | None,
    sender: str | None,
    type: str,
    id: str,
    lang: str,
    letter: bytes,
    names: tuple[str, ...],
    extra: dict[str, str] | None = None,
) -> Stanza:
    """The stanza with these attributes; an address that is none is its flaw."""
    try:
        whom = None if to is None else JID.parse(to)
        who = None if sender is None else JID.parse(sender)
    except StanzaError as error:
        made = Stanza(kind, None, None, type, id, lang, letter, names, extra)
        made.flaw = error
        return made
    return Stanza(kind, whom, who, type, id, lang, letter, names, extra)


def reread(message: bytes) -> Stanza:
    """The message whose `Stanza.data` these bytes are; that they are none, which no stream brings, is its flaw."""
    letter = message[message.index(b">") + 1 : -len(END)]
    try:
        found = outline(b"%b xmlns='%b'%b" % (BEGIN, ns.CLIENT.encode(), message[len(BEGIN) :]))
    except StanzaError as error:
        made = Stanza("message", letter=letter, names=())
        made.flaw = error
        return made
    return stanza("message", found.attributes, letter, found.names, "")
