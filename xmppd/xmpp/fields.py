"""One field of a data form (XEP-0004 3.2), declared as data: its texts on the wire and the value they stand for.

Field("boolean", "muc#roomconfig_persistentroom", "Keep the room when it is empty", key="persistent")
Field("list-single", "muc#roomconfig_whois", "Who sees addresses", options={"moderators": "", "anyone": ""})
Field("text-single", "muc#maxhistoryfetch", "Lines of history", datatype="xs:integer", least=0, greatest=100)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal

from lxml import etree

from . import namespaces as ns
from .errors import StanzaError
from .jid import JID
from .timestamps import format_date, format_datetime, parse_date, parse_datetime

NS_VALIDATE: Final = "http://jabber.org/protocol/xdata-validate"
DATA: Final = f"{{{ns.DATA_FORMS}}}"

Element = etree._Element
Kind = Literal[
    "boolean", "fixed", "hidden", "jid-multi", "jid-single",
    "list-multi", "list-single", "text-multi", "text-private", "text-single",
]  # fmt: skip
Datatype = Literal["xs:string", "xs:integer", "xs:date", "xs:dateTime"]

_MULTI: Final = frozenset({"jid-multi", "list-multi", "text-multi"})
_TEXT: Final = frozenset({"hidden", "text-multi", "text-private", "text-single"})
_BOOLEANS: Final = {"1": True, "true": True, "0": False, "false": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_VALIDATE: Final = f"{{{NS_VALIDATE}}}"


@dataclass(frozen=True, eq=False)
class Field:
    """A field as its form declares it.

    Its value is a bool (boolean), a `JID` (jid-single), a list of `JID` or str (jid-multi, list-multi), a str with line
    feeds (text-multi), or a str; with a datatype an int, a date or a datetime in UTC takes the str's place.

    `key` names the value among a form's values (the var, if empty). `options` maps what may be chosen to its label;
    with `open` anything else may be given too. `least` and `greatest` bound a value that has a datatype, `fewest` and
    `most` the number of values of a multi field, `limit` the characters of all its values together.
    """

    kind: Kind
    var: str
    label: str = ""
    default: Any = None
    _: KW_ONLY
    key: str = ""
    required: bool = False
    desc: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    open: bool = False
    datatype: Datatype = "xs:string"
    least: int | date | datetime | None = None
    greatest: int | date | datetime | None = None
    fewest: int = 0
    most: int = 100
    limit: int = 4096

    def __post_init__(self) -> None:
        if not self.var and self.kind != "fixed":
            raise ValueError(f"the {self.kind} field {self.label!r} needs a var (XEP-0004 3.2)")
        if not self.key:
            object.__setattr__(self, "key", self.var)

    def read(self, texts: Sequence[str]) -> Any:
        """The value of what was submitted; None where nothing was, unless an empty text or list is a value too.

        `StanzaError` naming the field: bad-request for many values where one belongs, else not-acceptable.
        """
        if self.kind in ("jid-multi", "list-multi"):
            texts = [
                text for text in texts if text or text in self.options
            ]  # some clients end a list with an empty line
        if not any(texts) and not (texts and "" in self.options):
            return self._nothing()
        if len(texts) > 1 and self.kind not in _MULTI:
            raise StanzaError("bad-request", f"field {self.var!r} has more than one value")
        if sum(map(len, texts)) > self.limit:
            raise self.refusal(f"is longer than {self.limit} characters")
        if self.kind == "text-multi" and self.datatype == "xs:string":
            return "\n".join(texts)
        values = list(dict.fromkeys(self._read_one(text) for text in texts))
        if self.kind not in _MULTI:
            return values[0]
        return self._counted(values)

    def _nothing(self) -> Any:
        if self.required or self.fewest:
            raise self.refusal("is required")
        if self.kind in ("jid-multi", "list-multi"):
            return []
        return "" if self.kind in _TEXT and self.datatype == "xs:string" else None

    def _counted(self, values: list[Any]) -> list[Any]:
        if not self.fewest <= len(values) <= self.most:
            raise self.refusal(f"takes {self.fewest} to {self.most} values, not {len(values)}")
        return values

    def _read_one(self, text: str) -> Any:
        if self.kind == "boolean":
            if text not in _BOOLEANS:
                raise self.refusal("is neither true (1) nor false (0)")
            return _BOOLEANS[text]
        if self.kind in ("jid-single", "jid-multi"):
            return self._address(text)
        if self.options and not self.open and text not in self.options:
            raise self.refusal(f"is none of: {', '.join(list(self.options)[:20])}")
        return self._typed(text)

    def _address(self, text: str) -> JID:
        try:
            return JID.parse(text)
        except StanzaError as error:
            raise self.refusal(f"holds no address: {error.text}") from None

    def _typed(self, text: str) -> Any:
        try:
            value = _PARSERS[self.datatype](text)
        except ValueError as error:
            raise self.refusal(str(error)) from None
        if self.least is not None and value < self.least:
            raise self.refusal(f"may not be under {_text(self.least)}")
        if self.greatest is not None and value > self.greatest:
            raise self.refusal(f"may not be over {_text(self.greatest)}")
        return value

    def refusal(self, reason: str) -> StanzaError:
        """The error for a value that cannot be taken; the value itself, which may be a secret, is not in it."""
        name = f"{self.label} ({self.var})" if self.label else self.var
        return StanzaError("not-acceptable", f"field {name}: {reason}")

    def texts(self, value: Any) -> list[str]:
        """The value as it stands in `<value/>` elements; the inverse of `read`."""
        if value is None:
            return []
        if self.kind == "text-multi" and isinstance(value, str):
            return value.split("\n")
        return [_text(one) for one in value] if self.kind in _MULTI and not isinstance(value, str) else [_text(value)]

    def question(self, parent: Element, value: Any) -> None:
        """Append the field as an empty form asks for it, with the value it has so far."""
        element = self._append(parent)
        if self.desc:
            etree.SubElement(element, f"{DATA}desc").text = self.desc
        if self.required:
            etree.SubElement(element, f"{DATA}required")
        self._validation(element)
        _values(element, self.texts(value))
        for option, label in self.options.items():
            choice = etree.SubElement(element, f"{DATA}option", {"label": label or option})
            _values(choice, [option])

    def answer(self, parent: Element, value: Any) -> None:
        """Append the field as a result shows it."""
        _values(self._append(parent), self.texts(value))

    def heading(self, parent: Element) -> None:
        """Append the field as the head of a column (XEP-0004 3.4)."""
        self._append(parent)

    def cell(self, parent: Element, value: Any) -> None:
        """Append the field as one item's value in a column (XEP-0004 3.4)."""
        _values(etree.SubElement(parent, f"{DATA}field", {"var": self.var}), self.texts(value) or [""])

    def _append(self, parent: Element) -> Element:
        attributes = {"type": self.kind, "var": self.var, "label": self.label}
        return etree.SubElement(parent, f"{DATA}field", {name: text for name, text in attributes.items() if text})

    @property
    def validated(self) -> bool:
        """Whether the field says more than XEP-0004 can, so that a `<validate/>` of XEP-0122 stands in it."""
        return self.datatype != "xs:string" or self.open or (self.kind == "list-multi" and self.fewest > 0)

    def _validation(self, element: Element) -> None:
        if not self.validated:
            return
        validate = etree.SubElement(element, f"{_VALIDATE}validate", {"datatype": str(self.datatype)})
        bounds = {"min": self.least, "max": self.greatest}
        limits = {name: _text(bound) for name, bound in bounds.items() if bound is not None}
        method = "open" if self.open else "range" if limits else "basic"
        etree.SubElement(validate, f"{_VALIDATE}{method}", limits if method == "range" else {})
        if self.kind == "list-multi" and self.fewest:
            etree.SubElement(validate, f"{_VALIDATE}list-range", {"min": str(self.fewest), "max": str(self.most)})


def _values(parent: Element, texts: Sequence[str]) -> None:
    for text in texts:
        etree.SubElement(parent, f"{DATA}value").text = text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return format_datetime(value)
    return format_date(value) if isinstance(value, date) else str(value)


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise ValueError("is no whole number")
    return int(text)


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "xs:string": str,
    "xs:integer": _integer,
    "xs:date": parse_date,
    "xs:dateTime": parse_datetime,
}
