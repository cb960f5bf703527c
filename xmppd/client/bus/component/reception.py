"""Looks at each stanza that comes to the component's domain and brings it to its room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.etree.ElementTree import Element

from xmppd.client.bus.wire import MUC

from .discovery import discovered
from .querying import MAM, answers
from .room import Room
from .settings import MOST_ROOMS, ComponentSettings
from .words import ACCEPT, error, letter, result

MESSAGE: Final = f"{{{ACCEPT}}}message"
PRESENCE: Final = f"{{{ACCEPT}}}presence"
IQ: Final = f"{{{ACCEPT}}}iq"
_OVER: Final = frozenset({"result", "error"})


class Reception:
    """All rooms. `send` takes stanzas, many at once."""

    def __init__(self, settings: ComponentSettings, send: Callable[[str], None]) -> None:
        self.settings = settings
        self.rooms: dict[str, Room] = {}
        self._send = send

    def take(self, xml: Element) -> None:
        """A stanza came."""
        name, _, rest = xml.get("to", "").partition("@")
        nick = rest.partition("/")[2]
        name = name if rest else ""
        if xml.get("type") == "error":
            self._bounced(xml, name)
        elif not self.settings.allowed(xml.get("from", "").partition("/")[0]):
            if xml.get("type") not in _OVER:
                self._send(error(xml, "forbidden", "this component is not for you"))
        elif xml.tag == IQ:
            self._asked(xml, name, nick)
        elif xml.tag == PRESENCE:
            self._present(xml, name, nick)
        else:
            self._said(xml, name, nick)

    def room(self, name: str) -> Room | None:
        """The room of this name, made if it may be. Where there are too many, one that nobody is in makes way."""
        room = self.rooms.get(name)
        if room is None and self.settings.room_allowed(name) and self._has_place():
            room = self.rooms[name] = Room(f"{name}@{self.settings.domain}", self._send)
        return room

    def _has_place(self) -> bool:
        if len(self.rooms) < MOST_ROOMS:
            return True
        empty = next((name for name, room in self.rooms.items() if not len(room)), None)
        if empty is not None:
            del self.rooms[empty]
        return empty is not None

    def _bounced(self, xml: Element, name: str) -> None:
        """What was sent to an occupant came back: he is not there any more (XEP-0045 9.10, status 333)."""
        if xml.tag != IQ and name in self.rooms:
            self.rooms[name].leave(xml.get("from", ""), "", "333")

    def _present(self, xml: Element, name: str, nick: str) -> None:
        kind = xml.get("type")
        room = self.rooms.get(name) if kind else self.room(name)
        if room is None:
            if not kind:
                self._send(error(xml, "item-not-found", "there is no such room"))
        elif kind == "unavailable":
            room.leave(xml.get("from", ""), letter(xml, room.address))
        elif kind is None and not nick:
            self._send(error(xml, "jid-malformed", "choose a nickname"))
        elif kind is None:
            self._enter(room, xml, nick)

    def _enter(self, room: Room, xml: Element, nick: str) -> None:
        """Presence of one who is not in the room counts only if it asks to enter."""
        if room.is_here(xml.get("from", ""), nick) or xml.find(f"{{{MUC}}}x") is not None:
            room.enter(xml, nick)
        else:
            self._send(error(xml, "not-acceptable", "enter the room first"))

    def _said(self, xml: Element, name: str, nick: str) -> None:
        room = self.rooms.get(name)
        if room is None:
            self._send(error(xml, "item-not-found", "there is no such room"))
        elif nick:
            room.whisper(xml, nick)
        elif xml.get("type") == "groupchat":
            room.say(xml)
        else:
            self._send(error(xml, "bad-request", "say it to all, as groupchat, or to one"))

    def _asked(self, iq: Element, name: str, nick: str) -> None:
        if iq.get("type") not in ("get", "set"):
            return
        room = self.rooms.get(name)
        if nick:
            self._send(_pinged(iq, room, nick))
            return
        query = iq.find(f"{{{MAM}}}query")
        if query is not None and room is not None:
            self._send("".join(answers(iq, query, room.archive)))
        else:
            self._send(discovered(iq, name, room, self.rooms.values()))


def _pinged(iq: Element, room: Room | None, nick: str) -> str:
    """XEP-0410: only the occupant himself is told that he is here; requests are not passed on."""
    if room is None or not room.is_here(iq.get("from", ""), nick):
        return error(iq, "not-acceptable")
    return result(iq) if iq.find("{urn:xmpp:ping}ping") is not None else error(iq, "service-unavailable")
