"""Answers XEP-0313 queries from a room's archive."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from .archive import Archive, Kept
from .words import error, result, stanza

MAM: Final = "urn:xmpp:mam:2"
_RSM: Final = "http://jabber.org/protocol/rsm"
_FORM: Final = "jabber:x:data"
MOST_ON_PAGE: Final = 250
_LONGEST_NUMBER: Final = 9


def answers(iq: Element, query: Element, archive: Archive) -> list[str]:
    """The results and the end, or an error. No filters: `feature-not-implemented`."""
    if iq.get("type") == "get":
        field = f"<field var='FORM_TYPE' type='hidden'><value>{MAM}</value></field>"
        return [result(iq, f"<query xmlns='{MAM}'><x xmlns='{_FORM}' type='form'>{field}</x></query>")]
    asked = [field.get("var") for field in query.iterfind(f"{{{_FORM}}}x/{{{_FORM}}}field")]
    if set(asked) - {"FORM_TYPE"}:
        return [error(iq, "feature-not-implemented", "this archive knows no filters")]
    try:
        page, complete = _page(query.find(f"{{{_RSM}}}set"), archive)
    except KeyError:
        return [error(iq, "item-not-found")]
    except ValueError:
        return [error(iq, "bad-request", "max is a number")]
    room, queryid = iq.get("to", ""), query.get("queryid", "")
    found = [_found(room, iq.get("from", ""), queryid, kept) for kept in page]
    return [*found, result(iq, _fin(page, complete, len(archive)))]


def _page(rsm: Element | None, archive: Archive) -> tuple[list[Kept], bool]:
    if rsm is None:
        return archive.after("", MOST_ON_PAGE)
    text = rsm.findtext(f"{{{_RSM}}}max") or str(MOST_ON_PAGE)
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise ValueError(text)
    most = min(int(text), MOST_ON_PAGE)
    before = rsm.find(f"{{{_RSM}}}before")
    if before is not None:
        return archive.before(before.text or "", most)
    return archive.after(rsm.findtext(f"{{{_RSM}}}after") or "", most)


def _found(room: str, asker: str, queryid: str, kept: Kept) -> str:
    message = f"<message xmlns='jabber:client' type='groupchat' from={quoteattr(kept.sender)}>{kept.letter}</message>"
    delay = f"<delay xmlns='urn:xmpp:delay' stamp='{kept.at}'/>"
    forwarded = f"<forwarded xmlns='urn:xmpp:forward:0'>{delay}{message}</forwarded>"
    inside = f"<result xmlns='{MAM}' queryid={quoteattr(queryid)} id='{kept.id}'>{forwarded}</result>"
    return stanza("message", room, asker, inside)


def _fin(page: list[Kept], complete: bool, count: int) -> str:
    ends = f"<first>{escape(page[0].id)}</first><last>{escape(page[-1].id)}</last>" if page else ""
    all_ = " complete='true'" if complete else ""
    return f"<fin xmlns='{MAM}'{all_}><set xmlns='{_RSM}'>{ends}<count>{count}</count></set></fin>"
