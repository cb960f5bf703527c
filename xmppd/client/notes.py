"""Roster notes for slixmpp: a short private text with each contact, which only its owner sees.

notes = Notes.of(xmpp)
await xmpp.get_roster()                                  # the notes come with it
await notes.set_note("sum9876@pvp.example", "plays only ranked")
print(notes.note("sum9876@pvp.example"))

xmpp.add_event_handler("roster_note", lambda changed: print(changed.contact, changed.text))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

from slixmpp import JID
from slixmpp.plugins.base import register_plugin

from .plugin import Plugin

NS: Final = "urn:xmppd:roster-notes:0"
ROSTER: Final = "{jabber:iq:roster}"


@dataclass(frozen=True, slots=True)
class NoteChanged:
    """What the event `roster_note` carries: a note that is new or another one, or "" for one that is gone."""

    contact: str
    text: str


class Notes(Plugin):
    """The notes of one slixmpp client; `Notes.of(xmpp)`, before the roster is asked for, gives them.

    What another session changes is pushed here too.
    """

    name = "xmppd_notes"
    description = "Roster notes"
    feature = NS

    def plugin_init(self) -> None:
        """Called by slixmpp."""
        self._notes: dict[str, str] = {}
        self.xmpp.add_event_handler("roster_update", self._roster_came)

    def plugin_end(self) -> None:
        """Called by slixmpp."""
        self.xmpp.del_event_handler("roster_update", self._roster_came)

    def note(self, contact: JID | str) -> str:
        """The note on a contact, "" where there is none."""
        return self._notes.get(JID(contact).bare, "")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Every contact with a note, and the note."""
        return iter(list(self._notes.items()))

    async def set_note(self, contact: JID | str, text: str) -> None:
        """Write a note; "" removes it. The contact's name and groups stay as they are.

        `KeyError` for somebody who is not in the roster as this client has it. `slixmpp.exceptions.IqError` where the
        server refuses, with `not-acceptable` for a note that is too long.
        """
        bare = JID(contact).bare
        roster = self.xmpp.client_roster
        if not roster.has_jid(bare):
            raise KeyError(f"{bare} is not in the roster; fetch it with get_roster, or add the contact")
        iq: Any = self.xmpp.make_iq_set()
        iq["roster"]["items"] = {bare: {"name": roster[bare]["name"], "groups": roster[bare]["groups"]}}
        item = iq.xml.find(f"{ROSTER}query/{ROSTER}item")
        ElementTree.SubElement(item, f"{ROSTER}note").text = text
        await iq.send()
        self._keep(bare, text)

    def _roster_came(self, iq: Any) -> None:
        """The whole roster, or a push of what has changed."""
        query = None if iq is None else iq.xml.find(f"{ROSTER}query")
        if query is None:
            return
        said = {JID(item.get("jid")).bare: item.findtext(f"{ROSTER}note") or "" for item in query.iter(f"{ROSTER}item")}
        if iq["type"] == "result":
            said = dict.fromkeys(self._notes, "") | said
        for contact, text in said.items():
            self._keep(contact, text)

    def _keep(self, contact: str, text: str) -> None:
        if text == self._notes.get(contact, ""):
            return
        if text:
            self._notes[contact] = text
        else:
            del self._notes[contact]
        self.xmpp.event("roster_note", NoteChanged(contact, text))


register_plugin(Notes)
