"""Configures a room that came into being because this member entered it (XEP-0045 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement

if TYPE_CHECKING:
    from .link import Link

_OWNER: Final = "http://jabber.org/protocol/muc#owner"
_FORM: Final = "jabber:x:data"
_WANTED: Final = {
    "muc#roomconfig_persistentroom": "1",
    "muc#roomconfig_enablearchiving": "1",
    "muc#roomconfig_mam": "1",
    "mam": "1",
    "muc#roomconfig_historylength": "0",
    "muc#roomconfig_publicroom": "0",
    "muc#roomconfig_moderatedroom": "0",
    "muc#roomconfig_allowpm": "anyone",
    "allow_private_messages": "1",
}
"""What a bus needs of a room, in the words of the servers that are known; a field that a form has not is left out."""


async def configure(link: Link, room: str) -> None:
    """Ask for the form, fill in what the bus needs and leave the rest as it is; failing that, take the defaults."""
    asked = link.make_iq_get(ito=room)
    asked.append(Element(f"{{{_OWNER}}}query"))
    answer = await link.ask(asked)
    form = None if answer is None else answer.xml.find(f"{{{_OWNER}}}query/{{{_FORM}}}x")
    if form is None or not await _submit(link, room, _filled(form)):
        await _submit(link, room, _empty())


async def _submit(link: Link, room: str, form: Element) -> bool:
    iq = link.make_iq_set(ito=room)
    query = Element(f"{{{_OWNER}}}query")
    query.append(form)
    iq.append(query)
    return await link.ask(iq) is not None


def _empty() -> Element:
    return Element(f"{{{_FORM}}}x", {"type": "submit"})


def _filled(form: Element) -> Element:
    filled = _empty()
    for field in form.iterfind(f"{{{_FORM}}}field"):
        name = field.get("var")
        if not name or field.get("type") == "fixed":
            continue
        values = [_WANTED[name]] if name in _WANTED else [v.text or "" for v in field.iterfind(f"{{{_FORM}}}value")]
        answer = SubElement(filled, f"{{{_FORM}}}field", {"var": name})
        for value in values:
            SubElement(answer, f"{{{_FORM}}}value").text = value
    return filled
