"""Result set management (XEP-0059): which part of a long answer is wanted, and which part was given."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from .errors import StanzaError

NS_RSM: Final = "http://jabber.org/protocol/rsm"
MOST: Final = 100  # items of one page unless the caller says otherwise
LONGEST_ID: Final = 3071  # bytes, those of the longest address: the longest id that any protocol here gives out

Element = etree._Element
_TAG: Final = f"{{{NS_RSM}}}"
_NUMBER: Final = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True)
class PageRequest:
    """What a `<set/>` asks for.

    `max` is the most items to give, nought for the count alone. At most one of the others is set: `after` an item,
    `before` an item (the empty string: the last page), from an `index` on. None of them: the first page.
    """

    max: int = MOST
    after: str | None = None
    before: str | None = None
    index: int | None = None

    @property
    def backwards(self) -> bool:
        """Whether the page is counted from its end."""
        return self.before is not None

    @classmethod
    def find(cls, parent: Element, most: int = MOST) -> PageRequest | None:
        """The request inside a query, None where it asks for no page. Limits and errors are those of `parse`."""
        element = parent.find(f"{_TAG}set")
        return None if element is None else cls.parse(element, most)

    @classmethod
    def parse(cls, element: Element, most: int = MOST) -> PageRequest:
        """Read a `<set/>`; who wants more than `most` items on a page gets `most`.

        `StanzaError("bad-request")` for a number that is none and for two places at once.
        """
        wanted, index = _number(element, "max"), _number(element, "index")
        # Some clients ask for the first page with an empty <after/>.
        after, before = _id(element, "after") or None, _id(element, "before")
        if sum(place is not None for place in (after, before, index)) > 1:
            raise StanzaError("bad-request", "ask for a page with one of <after/>, <before/> and <index/>")
        return cls(most if wanted is None else min(wanted, most), after, before, index)


@dataclass(frozen=True)
class Page:
    """Part of a result set: the ids on it in order, the size of the whole and the place of the first id in it."""

    ids: Sequence[str]
    count: int | None = None
    index: int | None = None

    def to_element(self) -> Element:
        """The `<set/>` that goes with the items (XEP-0059 2.2)."""
        element = etree.Element(f"{_TAG}set", nsmap={None: NS_RSM})  # type: ignore[dict-item]  # the stubs forget the default namespace
        if self.ids:
            first = etree.SubElement(element, f"{_TAG}first")
            first.text = self.ids[0]
            if self.index is not None:
                first.set("index", str(self.index))
            etree.SubElement(element, f"{_TAG}last").text = self.ids[-1]
        if self.count is not None:
            etree.SubElement(element, f"{_TAG}count").text = str(self.count)
        return element


def cut(ids: Sequence[str], request: PageRequest, *, ascending: bool = False) -> Page:
    """The page of an ordered set, kept in memory, that a request asks for.

    `ascending` says that the ids are sorted as strings: then an id that is gone still has its place, and paging goes
    on. Otherwise such an id is `StanzaError("item-not-found")` (XEP-0059 2.4). An index past the end gives an empty
    page (2.6).
    """
    start, stop = _bounds(ids, request, ascending)
    if request.backwards:
        start = max(start, stop - request.max)
    chosen = ids[start : min(stop, start + request.max)]
    return Page(chosen, len(ids), start if chosen else None)


def _bounds(ids: Sequence[str], request: PageRequest, ascending: bool) -> tuple[int, int]:
    if request.after is not None:
        return (bisect_right(ids, request.after) if ascending else _place(ids, request.after) + 1), len(ids)
    if request.before:
        return 0, (bisect_left(ids, request.before) if ascending else _place(ids, request.before))
    return request.index or 0, len(ids)


def _place(ids: Sequence[str], wanted: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise StanzaError("item-not-found", "the item to go on from is gone; begin again with the first page") from None


def _number(element: Element, name: str) -> int | None:
    text = element.findtext(f"{_TAG}{name}")
    if text is None:
        return None
    if not _NUMBER.fullmatch(text.strip()):
        raise StanzaError("bad-request", f"<{name}/> needs a whole number that is not negative")
    return int(text)


def _id(element: Element, name: str) -> str | None:
    text = element.findtext(f"{_TAG}{name}")
    if text is not None and len(text.encode()) > LONGEST_ID:
        raise StanzaError("bad-request", f"<{name}/> is longer than any id given out here")
    return text
