"""Entity capabilities (XEP-0115): what an entity is and can do, and the string that stands for it in presence."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from . import namespaces as ns
from .errors import StanzaError
from .forms import DATA, FORM_TYPE, Element, Submission

NS_CAPS: Final = "http://jabber.org/protocol/caps"

# The names of IANA's registry, those of them that are safe enough to believe; SHA-1 is in use everywhere and MUST be.
HASHES: Final = {
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha3-256": "sha3_256",
    "sha3-512": "sha3_512",
}
_INFO: Final = f"{{{ns.DISCO_INFO}}}"
_LANG: Final = f"{{{ns.XML}}}lang"


@dataclass(frozen=True)
class Identity:
    """What an entity is: category and type of the registry, a name for people, the language of the name."""

    category: str
    type: str
    name: str = ""
    lang: str = ""


@dataclass(frozen=True)
class Disco:
    """An answer of disco#info: identities, features, and the forms that extend it (XEP-0030 3, XEP-0128)."""

    identities: tuple[Identity, ...] = ()
    features: tuple[str, ...] = ()
    forms: tuple[Element, ...] = ()

    @classmethod
    def from_element(cls, query: Element) -> Disco:
        """Read a `<query/>`; nothing is judged yet, see `flaw`."""
        identities = query.iterfind(f"{_INFO}identity")
        return cls(
            tuple(
                Identity(each.get("category", ""), each.get("type", ""), each.get("name", ""), each.get(_LANG, ""))
                for each in identities
            ),
            tuple(each.get("var", "") for each in query.iterfind(f"{_INFO}feature")),
            tuple(query.iterfind(f"{DATA}x")),
        )

    def to_element(self, node: str = "") -> Element:
        """The `<query/>`, with copies of the forms."""
        query = etree.Element(f"{_INFO}query", nsmap={None: ns.DISCO_INFO})  # type: ignore[dict-item]
        if node:
            query.set("node", node)
        for identity in self.identities:
            names = {"category": identity.category, "type": identity.type, "name": identity.name, _LANG: identity.lang}
            etree.SubElement(query, f"{_INFO}identity", {name: text for name, text in names.items() if text})
        for feature in self.features:
            etree.SubElement(query, f"{_INFO}feature", {"var": feature})
        query.extend(etree.fromstring(etree.tostring(form, with_tail=False)) for form in self.forms)
        return query

    def ver(self, algorithm: str = "sha-1") -> str:
        """The verification string (XEP-0115 5.1). `ValueError` for what has a `flaw` or a hash not in `HASHES`."""
        if algorithm not in HASHES:
            raise ValueError(f"{algorithm!r} is none of the hashes {', '.join(HASHES)}")
        if flaw := self.flaw():
            raise ValueError(flaw)
        source = "".join(f"{factor}<" for factor in self._factors())
        return b64encode(hashlib.new(HASHES[algorithm], source.encode(), usedforsecurity=False).digest()).decode()

    def matches(self, ver: str, algorithm: str = "sha-1") -> bool:
        """Whether `ver` is the verification string of this, so that it holds for all who announce it (XEP-0115 5.4).

        False too for what has a `flaw` and for a hash not in `HASHES`: believe it of nobody but the one who sent it.
        """
        return algorithm in HASHES and not self.flaw() and self.ver(algorithm) == ver

    def flaw(self) -> str:
        """Why the answer is ill-formed (XEP-0115 5.4, step 3), "" where it is not.

        Beyond the XEP, a "<" in any part is a flaw, and a "/" in an identity: by them one answer can be made to pass
        for another with the same verification string.
        """
        kinds = [(each.category, each.type, each.lang) for each in self.identities]
        if not all(category and kind for category, kind, _ in kinds) or not all(self.features):
            return "an identity without category or type, or a feature without var"
        if len(set(self.identities)) < len(kinds) or len(set(self.features)) < len(self.features):
            return "an identity or a feature comes twice"
        try:
            types = [submission.form_type for submission in self._submissions()]
            parts = list(self._factors())
        except StanzaError as error:
            return error.text
        if len(set(types)) < len(types):
            return "two forms have one FORM_TYPE"
        if any("<" in part for part in parts) or any("/" in part for kind in kinds for part in kind):
            return "a '<', or a '/' in an identity, where it makes two readings possible"
        return ""

    def _factors(self) -> Iterator[str]:
        """The parts of the string that is hashed, in order. Code points sort as their UTF-8 does, so as i;octet."""
        for category, kind, lang, name in sorted((i.category, i.type, i.lang, i.name) for i in self.identities):
            yield f"{category}/{kind}/{lang}/{name}"
        yield from sorted(self.features)
        for submission in sorted(self._submissions(), key=lambda submission: submission.form_type):
            yield submission.form_type
            for var, texts in sorted(submission.values.items()):
                yield var
                yield from sorted(texts)

    def _submissions(self) -> Iterator[Submission]:
        """The forms that count: those with a hidden FORM_TYPE. `StanzaError` for a form that has several."""
        for form in self.forms:
            types = {value.text or "" for value in form.iterfind(f"{DATA}field[@var='{FORM_TYPE}']/{DATA}value")}
            if len(types) > 1:
                raise StanzaError("bad-request", "a form has more than one FORM_TYPE")
            submission = Submission.parse(form)
            if submission.form_type:
                yield submission


@dataclass(frozen=True)
class Announcement:
    """The `<c/>` in a presence or among stream features: `algorithm` is "" in the format before version 1.4."""

    node: str
    ver: str
    algorithm: str = "sha-1"

    @property
    def query_node(self) -> str:
        """The node to ask disco#info of, and to answer it with (XEP-0115 6.2)."""
        return f"{self.node}#{self.ver}"

    @classmethod
    def find(cls, parent: Element) -> Announcement | None:
        """The announcement inside a presence; None where there is none, or one without node or ver."""
        element = parent.find(f"{{{NS_CAPS}}}c")
        if element is None or not (element.get("node") and element.get("ver")):
            return None
        return cls(element.get("node", ""), element.get("ver", ""), element.get("hash", ""))

    def to_element(self) -> Element:
        """The `<c/>`."""
        element = etree.Element(f"{{{NS_CAPS}}}c", nsmap={None: NS_CAPS})  # type: ignore[dict-item]
        for name, text in (("hash", self.algorithm), ("node", self.node), ("ver", self.ver)):
            element.set(name, text)
        return element
