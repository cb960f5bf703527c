"""A stanza: a parsed envelope and a sealed letter (RFC 6120 8).

The envelope is what routing needs: kind, to, sender, type, id, lang. The letter is every byte between the stanza's
tags, as it came in; it is parsed once, on first use, by those who have business inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from lxml import etree

from . import namespaces as ns
from .errors import StanzaError
from .glance import attributes
from .jid import JID
from .outline import Outline, outline
from .parsing import Element as Element
from .parsing import parse as parse
from .passage import Passage

Kind = Literal["message", "presence", "iq"]
Payload = Element | str  # an element, or one already serialised whose default namespace is jabber:client

_SPECIAL = re.compile(r"[&<>'\"\t\n\r]").search
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_CLIENT: Final = ns.CLIENT.encode()
_CLOSE: Final = {"message": b"</message>", "presence": b"</presence>", "iq": b"</iq>"}


def escape(text: str) -> str:
    """Text as it may stand in an element or a quoted attribute."""
    return text.translate(_ESCAPES) if _SPECIAL(text) else text


class Stanza:
    """One message, presence or iq on the road.

    `to` and `sender` are prepared addresses. `names` are the letter's top elements as `"namespace name"`, in order.
    `extra` are further attributes of the stanza's tag. `flaw` is what is wrong with an envelope from the wire: the one
    who receives it answers with that error and routes nothing. `passage` is what its copies share; see `given`.
    A stanza on the road is not changed; `replace` and `with_child` make another that shares the letter.
    """

    __slots__ = (
        "_around",
        "_data",
        "_element",
        "_names",
        "extra",
        "flaw",
        "id",
        "kind",
        "lang",
        "letter",
        "passage",
        "sender",
        "to",
        "type",
    )

    def __init__(
        self,
        kind: str,
        to: JID | None = None,
        sender: JID | None = None,
        type: str = "",
        id: str = "",
        lang: str = "",
        letter: bytes = b"",
        names: tuple[str, ...] | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.to = to
        self.sender = sender
        self.type = type
        self.id = id
        self.lang = lang
        self.letter = letter
        self.extra = extra
        self.flaw: StanzaError | None = None
        self.passage: Passage | None = None
        self._names = names
        self._around: tuple[bytes, bytes] | None = None  # what is encoded before and behind the address
        self._data: bytes | None = None
        self._element: Element | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The top elements of the letter, each as `"namespace name"`; known already where it came in whole."""
        if self._names is None:
            self._names = self.outline.names
        return self._names

    @property
    def outline(self) -> Outline:
        """The tags of the letter, also of one that libxml2 would not read; `StanzaError` where no stream brings it."""
        return outline(b"<message xmlns='%b'>%b</message>" % (_CLIENT, self.letter))

    @property
    def data(self) -> bytes:
        """The stanza as it goes out on a client stream; encoded once."""
        data = self._data
        if data is None:
            data = self._data = self._encode()
        return data

    def _encode(self) -> bytes:
        # Every stanza that leaves passes here: no loop, no list, and nothing escaped that cannot need it.
        to = self.to
        if self._around is not None and to is not None:
            return self.copied(to)
        kind, sender, id, type, lang, letter = self.kind, self.sender, self.id, self.type, self.lang, self.letter
        known = id and type and letter and sender is not None and to is not None and sender.plain and to.plain
        if known and not (self.extra or _SPECIAL(f"{id}{type}{lang}")):  # as nearly every message of a person
            tongue = f" xml:lang='{lang}'" if lang else ""
            head = f"<{kind} from='{sender}' to='{to}' id='{id}' type='{type}'{tongue}>"
            return b"".join((head.encode(), letter, _CLOSE[kind]))
        who = "" if sender is None else f" from='{sender if sender.plain else escape(sender)}'"
        whom = "" if to is None else f" to='{to if to.plain else escape(to)}'"
        head = f"<{kind}{who}{whom}{self._attributes()}"
        return b"%b>%b%b" % (head.encode(), letter, _CLOSE[kind]) if letter else f"{head}/>".encode()

    def _attributes(self) -> str:
        """Those behind the addresses."""
        id, type, lang = self.id, self.type, self.lang
        which = f" id='{id if id.isalnum() else escape(id)}'" if id else ""
        what = f" type='{type if type.isalpha() else escape(type)}'" if type else ""
        tongue = f" xml:lang='{lang if lang.isalpha() else escape(lang)}'" if lang else ""
        more = "".join([f" {name}='{escape(value)}'" for name, value in self.extra.items()]) if self.extra else ""
        return f"{which}{what}{tongue}{more}"

    @property
    def element(self) -> Element:
        """The whole stanza as an element in `jabber:client`, parsed once. Read it; do not change it.

        `StanzaError("policy-violation")` where it is well-formed and still past a limit of the library.
        """
        if self._element is None:
            kind = self.kind.encode()
            self._element = parse(b"<%b xmlns='jabber:client'>%b</%b>" % (kind, self.letter, kind))
        return self._element

    @property
    def payload(self) -> Element | None:
        """The first element of the letter."""
        return next(self.element.iterchildren("{*}*"), None)

    def attribute(self, name: str) -> str | None:
        """An attribute, in no namespace, of the first element; the letter stays closed where its tag is plain."""
        found = attributes(self.letter) if self._element is None else None
        if found is not None:
            return found.get(name)
        payload = self.payload
        return None if payload is None else payload.get(name)

    def child(self, name: str, namespace: str = ns.CLIENT) -> Element | None:
        """The first top element of that name; the letter stays closed where there is none."""
        if f"{namespace} {name}" not in self.names:
            return None
        return self.element.find(f"{{{namespace}}}{name}")

    def has(self, name: str, namespace: str = ns.CLIENT) -> bool:
        """Whether the letter has such a top element; does not open it."""
        return f"{namespace} {name}" in self.names

    def text(self, name: str, namespace: str = ns.CLIENT) -> str:
        """The text of the first such top element, empty where there is none or the library cannot read it."""
        try:
            found = self.child(name, namespace)
        except StanzaError:
            return ""
        return "" if found is None else (found.text or "")

    def replace(self, *, to: JID | None = None, sender: JID | None = None) -> Stanza:
        """The same letter under another address; what is not given stays."""
        kind, type, id, lang, letter = self.kind, self.type, self.id, self.lang, self.letter
        to, sender = self.to if to is None else to, self.sender if sender is None else sender
        changed = Stanza(kind, to, sender, type, id, lang, letter, self._names, self.extra)
        changed.passage = self.passage
        return changed

    def given(self, *sessions: object) -> None:
        """Remember who got a copy of this message, so that none of them is given it again when another loses its own.

        Who copies a message to further sessions (XEP-0280) says so before the message itself is delivered.
        """
        if self.passage is None:
            self.passage = Passage()
        if not self.passage.stored:
            self.passage.holders.update(sessions)

    def addressed(self, to: JID) -> Stanza:
        """The same stanza to somebody else. What copies share is encoded once, so it is cheap to make many."""
        copy = Stanza(self.kind, to, self.sender, self.type, self.id, self.lang, self.letter, self._names, self.extra)
        copy._around = self._around or self._cut()
        return copy

    def copied(self, to: JID) -> bytes:
        """The `data` of the same stanza to somebody else, for those to whom it is nothing but bytes."""
        before, behind = self._around or self._cut()
        return b"".join((before, (to if to.plain else escape(to)).encode(), behind))

    def _cut(self) -> tuple[bytes, bytes]:
        """What stands before and behind the address of this stanza and its copies."""
        kind, letter, tail = self.kind, self.letter, f"'{self._attributes()}"
        who = "" if self.sender is None else f" from='{escape(self.sender)}'"
        behind = b"%b>%b%b" % (tail.encode(), letter, _CLOSE[kind]) if letter else f"{tail}/>".encode()
        around = self._around = f"<{kind}{who} to='".encode(), behind
        return around

    def with_letter(self, letter: bytes, names: tuple[str, ...] | None = None) -> Stanza:
        """The same envelope around another letter."""
        changed = self.replace()
        changed.letter, changed._names = letter, names
        return changed

    def with_child(self, child: Payload, name: str = "") -> Stanza:
        """The same stanza with one more element at its end; `name` is its `"namespace name"` where known."""
        names = (*self._names, name) if self._names is not None and name else None
        added = serialise(child)
        changed = self.with_letter(self.letter + added, names)
        if self._data is not None and self.letter:
            close = _CLOSE[self.kind]
            changed._data = b"%b%b%b" % (self._data[: -len(close)], added, close)
        return changed

    def without(self, *names: str) -> Stanza:
        """The same stanza less every top element of these `"namespace name"`s; itself where it has none of them."""
        if not any(name in names for name in self.names):
            return self
        kept = [
            child
            for child, name in zip(self.element.iterchildren("{*}*"), self.names, strict=True)
            if name not in names
        ]
        return self.with_letter(b"".join(map(serialise, kept)), tuple(name for name in self.names if name not in names))

    def error(self, error: StanzaError) -> Stanza:
        """The error reply to this stanza, from whom it was sent to (RFC 6120 8.3.1)."""
        return Stanza(self.kind, self.sender, self.to, "error", self.id, "", error.to_xml().encode())

    def result(self, payload: Payload | None = None) -> Stanza:
        """The result of this iq (RFC 6120 8.2.3)."""
        letter = b"" if payload is None else serialise(payload)
        return Stanza("iq", self.sender, self.to, "result", self.id, "", letter)

    def __repr__(self) -> str:
        size = len(self.letter)
        return f"<{self.kind} type={self.type!r} from={self.sender!s} to={self.to!s} id={self.id!r} {size} bytes>"


def serialise(payload: Payload) -> bytes:
    """An element as it stands in a letter: what is in `jabber:client` inherits the stream's namespace."""
    if isinstance(payload, str):
        return payload.encode()
    if payload.nsmap.get(None) != ns.CLIENT and not payload.tag.startswith(f"{{{ns.CLIENT}}}"):
        return etree.tostring(payload, encoding="utf-8", with_tail=False)
    return _inherit(payload)


def _inherit(payload: Element) -> bytes:
    wrapper = etree.Element(f"{{{ns.CLIENT}}}x", nsmap={None: ns.CLIENT})  # type: ignore[dict-item]
    wrapper.append(parse(etree.tostring(payload, with_tail=False)))
    whole = etree.tostring(wrapper, encoding="utf-8")
    return whole[whole.index(b">") + 1 : whole.rindex(b"</")]


def from_element(element: Element) -> Stanza:
    """A stanza from a whole element in any content namespace; `StanzaError` for an address that is none."""
    attributes = {
        " ".join(str(name).removeprefix("{").rsplit("}", 1)): str(value) for name, value in element.attrib.items()
    }
    lang = attributes.pop(f"{ns.XML} lang", "")
    to, sender = attributes.pop("to", None), attributes.pop("from", None)
    type, id = attributes.pop("type", ""), attributes.pop("id", "")
    return Stanza(
        etree.QName(element).localname,
        JID.parse(to) if to is not None else None,
        JID.parse(sender) if sender is not None else None,
        type,
        id,
        lang,
        join(element.iterchildren("{*}*")),
        extra=extra_attributes(attributes) if attributes else None,
    )


def extra_attributes(attributes: dict[str, str]) -> dict[str, str]:
    """Further attributes, by `name` or `"namespace name"`, as they are written anew: under prefixes of our own."""
    extra = {}
    for number, (name, value) in enumerate(attributes.items()):
        namespace, _, local = name.rpartition(" ")
        if not namespace:
            extra[local] = value
        elif namespace == ns.XML:
            extra[f"xml:{local}"] = value
        else:
            extra |= {f"xmlns:a{number}": namespace, f"a{number}:{local}": value}
    return extra


def join(children: Iterable[Payload]) -> bytes:
    """A letter of these elements."""
    return b"".join(map(serialise, children))
