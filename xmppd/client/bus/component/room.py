"""One room: who is in it, and what is said in it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final
from xml.etree.ElementTree import Element

from xmppd.client.bus.invalidation import Invalidation
from xmppd.client.bus.wire import SID, Mark, write_beat, write_invalidate

from .archive import Archive
from .settings import MOST_OCCUPANTS
from .words import ACCEPT, error, letter, presence, stanza

_NO_STORE: Final = "{urn:xmpp:hints}no-store"
_BODY: Final = f"{{{ACCEPT}}}body"
HTTP: Final = "http"  # the origin of what is published without being a member


class Room:
    """`send` takes stanzas, many at once. Occupants are known by their full addresses and by their nicknames."""

    def __init__(self, address: str, send: Callable[[str], None]) -> None:
        self.address = address
        self.archive = Archive()
        self._send = send
        self._nicks: dict[str, str] = {}
        self._occupants: dict[str, tuple[str, str]] = {}  # by nickname: the full address, and what its presence says
        self._epoch = secrets.token_hex(8)
        self._seq = 0

    def __len__(self) -> int:
        return len(self._occupants)

    def enter(self, asked: Element, nick: str) -> None:
        """Somebody enters, or changes his presence."""
        full = asked.get("from", "")
        if self._nicks.get(full, nick) != nick:
            self._send(error(asked, "not-acceptable", "leave before you come under another name"))
        elif nick in self._occupants and self._occupants[nick][0] != full:
            self._send(error(asked, "conflict", "this nickname is in use"))
        elif nick not in self._occupants and len(self) >= MOST_OCCUPANTS:
            self._send(error(asked, "resource-constraint", "the room is full"))
        else:
            self._enters(full, nick, letter(asked, self.address))

    def _enters(self, full: str, nick: str, says: str) -> None:
        """He is told who is there, all are told that he is, and he is told last."""
        own = f"{self.address}/{nick}"
        others = [(other, *entry) for other, entry in self._occupants.items() if other != nick]
        self._nicks[full] = nick
        self._occupants[nick] = full, says
        copies = [presence(f"{self.address}/{other}", full, said) for other, _, said in others]
        copies += [presence(own, to, says) for _, to, _ in others]
        copies.append(presence(own, full, says, "110"))
        copies.append(stanza("message", self.address, full, "<subject/>", type="groupchat"))
        self._send("".join(copies))

    def leave(self, full: str, says: str = "", *codes: str) -> None:
        """He is gone."""
        nick = self._nicks.pop(full, None)
        if nick is None:
            return
        del self._occupants[nick]
        own = f"{self.address}/{nick}"
        copies = [presence(own, to, says, *codes, kind="unavailable") for to, _ in self._occupants.values()]
        self._send("".join([*copies, presence(own, full, says, "110", *codes, kind="unavailable")]))

    def forget(self) -> None:
        """The connection to the server broke, and who knows what got lost: all have to come again."""
        self._nicks.clear()
        self._occupants.clear()

    def say(self, message: Element) -> None:
        """To all."""
        nick = self._nicks.get(message.get("from", ""))
        if nick is None:
            self._send(error(message, "not-acceptable", "enter the room before you talk in it"))
            return
        kept = message.find(_BODY) is not None and message.find(_NO_STORE) is None
        self._pass_on(f"{self.address}/{nick}", letter(message, self.address), message.get("id"), kept=kept)

    def _pass_on(self, sender: str, inside: str, id_: str | None, *, kept: bool) -> None:
        if kept:
            archived = self.archive.add(sender, inside)
            inside += f"<stanza-id xmlns='{SID}' by='{self.address}' id='{archived}'/>"
        copies = [stanza("message", sender, to, inside, type="groupchat", id=id_) for to, _ in self._occupants.values()]
        if copies:
            self._send("".join(copies))

    def whisper(self, message: Element, nick: str) -> None:
        """To one."""
        own = self._nicks.get(message.get("from", ""))
        if own is None:
            self._send(error(message, "not-acceptable", "enter the room before you talk in it"))
        elif nick not in self._occupants:
            self._send(error(message, "item-not-found"))
        else:
            to, kind = self._occupants[nick][0], message.get("type")
            inside = letter(message, self.address) + "<x xmlns='http://jabber.org/protocol/muc#user'/>"
            self._send(stanza("message", f"{self.address}/{own}", to, inside, type=kind, id=message.get("id")))

    def publish(self, what: Invalidation) -> None:
        """The room itself says it, for a program that is no member."""
        for part in what.split():
            self._seq += 1
            self._itself(write_invalidate(self.address, self._mark, part, confirm=False), kept=True)

    def beat(self) -> None:
        """Show what the room itself said last."""
        self._itself(write_beat(self.address, self._mark), kept=False)

    @property
    def _mark(self) -> Mark:
        return Mark(HTTP, self._epoch, self._seq)

    def _itself(self, written: str, *, kept: bool) -> None:
        inside = written[written.index(">") + 1 : written.rindex("<")]
        self._pass_on(self.address, inside, secrets.token_hex(4), kept=kept)

    def is_here(self, full: str, nick: str) -> bool:
        """Whether this address is in the room under this nickname."""
        return self._nicks.get(full) == nick
