"""Data forms (XEP-0004, 0068, 0122): declared once, then asked, answered, read and checked.

CONFIG = Form("http://jabber.org/protocol/muc#roomconfig", [
    Field("text-single", "muc#roomconfig_roomname", "Name", key="name", limit=200),
    "Who may enter",
    Field("boolean", "muc#roomconfig_membersonly", "Members only", False, key="members_only"),
], title="Configuration")

CONFIG.ask({"name": "Elsinore"})                    # the <x type='form'/>, filled in as far as known
CONFIG.read(x)                                      # {"name": "Helsingor", "members_only": True}
CONFIG.result({"name": "Elsinore"})                 # the <x type='result'/>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from lxml import etree

from . import namespaces as ns
from .errors import StanzaError
from .fields import DATA, NS_VALIDATE, Element, Field

__all__ = ["DATA", "FORM_TYPE", "Element", "Field", "Form", "Submission", "find", "plain", "table"]

FormKind = Literal["form", "submit", "cancel", "result"]
_KINDS: Final[Mapping[str, FormKind]] = {"form": "form", "submit": "submit", "cancel": "cancel", "result": "result"}
FORM_TYPE: Final = "FORM_TYPE"
MOST_FIELDS: Final = 256  # of one submission; the longest form in use, a room's configuration, has some 40
MOST_VALUES: Final = 4096  # of one submission, all fields together


@dataclass(frozen=True)
class Submission:
    """A form as it came, unchecked: the texts of each field by its var."""

    kind: FormKind
    form_type: str
    values: Mapping[str, Sequence[str]]

    @classmethod
    def parse(cls, element: Element) -> Submission:
        """Read an `<x/>` of any kind.

        A field without var says nothing: it is a heading, which some clients send back without its type.
        `StanzaError`: bad-request for an unknown type or a field that comes twice; not-acceptable past `MOST_FIELDS`
        and `MOST_VALUES`.
        """
        kind = _KINDS.get(element.get("type", ""))
        if element.tag != f"{DATA}x" or kind is None:
            raise StanzaError("bad-request", "a data form is an <x xmlns='jabber:x:data'/> of a type that XEP-0004 has")
        values: dict[str, list[str]] = {}
        form_type = ""
        for field in element.iterfind(f"{DATA}field"):
            texts = [value.text or "" for value in field.iterfind(f"{DATA}value")]
            var = field.get("var", "")
            if var in values:
                raise StanzaError("bad-request", f"field {var!r} comes twice")
            if var == FORM_TYPE:
                form_type = _form_type(field, kind, texts) or form_type
            elif var:
                values[var] = texts
        _check_size(values)
        return cls(kind, form_type, values)


class Form:
    """A form as its protocol declares it: fields in order, a str among them is a heading for those that follow.

    Values are a mapping by each field's `key`. `ValueError` where two fields have one var or one key.
    """

    def __init__(
        self, form_type: str, fields: Iterable[Field | str], *, title: str = "", instructions: str = ""
    ) -> None:
        self.form_type, self.title, self.instructions = form_type, title, instructions
        self.fields = tuple(Field("fixed", "", "", field) if isinstance(field, str) else field for field in fields)
        named = [field for field in self.fields if field.var]
        for names in ([field.var for field in named], [field.key for field in named]):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"the form {form_type} declares twice: {', '.join(sorted(twice))}")

    def with_fields(self, *fields: Field | str) -> Form:
        """The same form with these fields; one whose var is there takes the other's place, the rest come last."""
        new = {field.var: field for field in fields if isinstance(field, Field) and field.var}
        kept = [new.get(field.var, field) for field in self.fields]
        added = [field for field in fields if field not in kept]
        return Form(self.form_type, [*kept, *added], title=self.title, instructions=self.instructions)

    def ask(self, values: Mapping[str, Any] | None = None) -> Element:
        """The form to fill in; a value that is not given is the field's default."""
        known = values or {}
        root = self._root("form")
        for field in self.fields:
            field.question(root, known.get(field.key, field.default))
        return root

    def result(self, values: Mapping[str, Any]) -> Element:
        """What a form holds, for the reader: fields without a value, headings and passwords are left out."""
        root = self._root("result")
        for field in self.fields:
            value = values.get(field.key)
            if value is not None and field.kind not in ("fixed", "text-private"):
                field.answer(root, value)
        return root

    def read(self, element: Element) -> dict[str, Any] | None:
        """The values of a submission, by key; None where it is cancelled.

        Only what was submitted is in it; unknown fields are passed over (XEP-0004 3.1). `StanzaError` naming the
        field: bad-request for what is no submission of this form, not-acceptable for a value that cannot be taken.
        """
        submission = Submission.parse(element)
        if submission.kind == "cancel":
            return None
        if submission.kind != "submit":
            raise StanzaError("bad-request", f"a form is submitted with type submit, not {submission.kind}")
        if submission.form_type and self.form_type and submission.form_type != self.form_type:
            raise StanzaError("bad-request", f"FORM_TYPE must be {self.form_type}")
        values: dict[str, Any] = {}
        for field in self.fields:
            texts = submission.values.get(field.var)
            if field.kind == "fixed" or (texts is None and not field.required):
                continue
            value = field.read(texts or ())
            if value is not None:
                values[field.key] = value
        return values

    def _root(self, kind: FormKind) -> Element:
        validated = kind == "form" and any(field.validated for field in self.fields)
        root = _root(kind, self.form_type, self.title, {"xdv": NS_VALIDATE} if validated else {})
        if self.instructions and kind == "form":
            for position, line in enumerate(self.instructions.splitlines(), 1 if self.title else 0):
                element = etree.Element(f"{DATA}instructions")
                element.text = line
                root.insert(position, element)
        return root


def find(parent: Element) -> Element | None:
    """The data form that a query carries; None where it has none."""
    return parent.find(f"{DATA}x")


def plain(kind: FormKind, form_type: str, values: Mapping[str, str | Sequence[str]]) -> Element:
    """A form of bare texts, without types and labels: a submission, or the extension of an answer (XEP-0128)."""
    root = _root(kind, form_type)
    for var, texts in values.items():
        field = etree.SubElement(root, f"{DATA}field", {"var": var})
        for text in [texts] if isinstance(texts, str) else texts:
            etree.SubElement(field, f"{DATA}value").text = text
    return root


def table(
    columns: Sequence[Field], rows: Iterable[Mapping[str, Any]], *, form_type: str = "", title: str = ""
) -> Element:
    """A result of many items, such as a search gives (XEP-0004 3.4): the columns first, then a row of values each."""
    root = _root("result", form_type, title)
    reported = etree.SubElement(root, f"{DATA}reported")
    for column in columns:
        column.heading(reported)
    for row in rows:
        item = etree.SubElement(root, f"{DATA}item")
        for column in columns:
            column.cell(item, row.get(column.key, column.default))
    return root


def _root(kind: FormKind, form_type: str, title: str = "", prefixes: Mapping[str, str] | None = None) -> Element:
    root = etree.Element(f"{DATA}x", {"type": str(kind)}, {None: ns.DATA_FORMS, **(prefixes or {})})  # type: ignore[dict-item]
    if title:
        etree.SubElement(root, f"{DATA}title").text = title
    if form_type:
        Field("hidden", FORM_TYPE).answer(root, form_type)
    return root


def _form_type(field: Element, kind: str, texts: Sequence[str]) -> str:
    """The form type a FORM_TYPE field names; none where it is not hidden in a form or a result (XEP-0068 4.3)."""
    hidden = field.get("type") == "hidden" or kind in ("submit", "cancel")
    return texts[0] if hidden and texts else ""


def _check_size(values: Mapping[str, Sequence[str]]) -> None:
    if len(values) > MOST_FIELDS or sum(map(len, values.values())) > MOST_VALUES:
        raise StanzaError("not-acceptable", f"a form has at most {MOST_FIELDS} fields and {MOST_VALUES} values")
