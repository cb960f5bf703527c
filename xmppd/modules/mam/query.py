"""What a query asks for: the form of XEP-0313 4.1 and the page of XEP-0059."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from xmppd.xmpp import paging
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import Field, Form, Submission, find
from xmppd.xmpp.jid import JID
from xmppd.xmpp.namespaces import MAM
from xmppd.xmpp.paging import PageRequest
from xmppd.xmpp.stanza import Element
from xmppd.xmpp.timestamps import parse_datetime

from .ids import EVER, ORDER, key_at, key_of

FULLTEXT: Final = "{urn:xmpp:fulltext:0}fulltext"
MOST_IDS: Final = 100
LONGEST_QUERYID: Final = 1024
FORM: Final = Form(
    MAM,
    [
        Field("jid-single", "with"),
        Field("text-single", "start"),
        Field("text-single", "end"),
        Field("text-single", "before-id"),
        Field("text-single", "after-id"),
        Field("list-multi", "ids", open=True),
        Field("boolean", "include-groupchat"),
    ],
)
SEARCHABLE: Final = FORM.with_fields(Field("text-single", FULLTEXT))


@dataclass(frozen=True, slots=True)
class Query:
    """Which messages, and which page of them.

    Keys of messages lie between `above` and `below`, neither included. It goes on from the message with the key
    `behind`, 0 where it names none. `ids` are named one by one; `named` are all ids that must be in the archive.
    """

    page: PageRequest
    queryid: str = ""
    with_: JID | None = None
    above: int = 0
    below: int = EVER
    behind: int = 0
    ids: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    text: str = ""
    flip: bool = False

    @property
    def whole(self) -> bool:
        """Whether it asks for all that lies between two moments, and not for something special."""
        return self.with_ is None and not self.ids and not self.text and self.page.max > 0

    @classmethod
    def parse(cls, element: Element, *, most: int, searchable: bool) -> Query:
        """Read a `<query/>`; a page has `most` messages at most.

        `StanzaError`: feature-not-implemented for fields that are not in the form, for a node (XEP-0442) and for pages
        by index; bad-request, jid-malformed or policy-violation for values that cannot be taken.
        """
        if element.get("node") is not None:
            raise StanzaError("feature-not-implemented", "there are no archives of nodes here")
        queryid = element.get("queryid", "")
        if len(queryid) > LONGEST_QUERYID:
            raise StanzaError("policy-violation", f"a queryid has at most {LONGEST_QUERYID} characters")
        page = PageRequest.find(element, most) or PageRequest(most)
        if page.index is not None:
            raise StanzaError("feature-not-implemented", "pages are found by <after/> and <before/>")
        form = find(element)
        values = _values(form, searchable) if form is not None else {}
        return _read(values, page, queryid, flip=element.find(f"{{{MAM}}}flip-page") is not None)


def _values(form: Element, searchable: bool) -> dict[str, list[str]]:
    submission = Submission.parse(form)
    if submission.kind != "submit" or submission.form_type != MAM:
        raise StanzaError("bad-request", f"a query's form is submitted, with the FORM_TYPE {MAM}")
    known = {field.var for field in (SEARCHABLE if searchable else FORM).fields}
    for var in submission.values:
        if var not in known:
            raise StanzaError("feature-not-implemented", f"there is no field {var[:64]!r}; ask for the form first")
    return {var: [text for text in texts if text] for var, texts in submission.values.items()}


def _read(values: dict[str, list[str]], page: PageRequest, queryid: str, *, flip: bool) -> Query:
    with_, after, before = _one(values, "with"), _one(values, "after-id"), _one(values, "before-id")
    ids = tuple(dict.fromkeys(values.get("ids", ())))
    if len(ids) > MOST_IDS:
        raise StanzaError("policy-violation", f"ask for at most {MOST_IDS} ids at once")
    behind = max(key_of(after), key_of(page.after or ""))
    above = max(_start(_one(values, "start")), behind)
    below = min(_end(_one(values, "end")), key_of(before) or EVER, key_of(page.before or "") or EVER)
    named = tuple(id for id in (after, before, page.after, page.before, *ids) if id)
    text = _one(values, FULLTEXT)
    if len(text) > paging.LONGEST_ID:
        raise StanzaError("policy-violation", "search for less")
    return Query(page, queryid, JID.parse(with_) if with_ else None, above, below, behind, ids, named, text, flip)


def _one(values: dict[str, list[str]], var: str) -> str:
    texts = values.get(var) or [""]
    if len(texts) > 1:
        raise StanzaError("bad-request", f"field {var!r} has more than one value")
    return texts[0]


def _start(text: str) -> int:
    return max(0, _key(text) - 1) if text else 0


def _end(text: str) -> int:
    return min(EVER, _key(text) + (1 << ORDER)) if text else EVER


def _key(text: str) -> int:
    try:
        return key_at(parse_datetime(text).timestamp())
    except ValueError as error:
        raise StanzaError("bad-request", str(error)) from None
