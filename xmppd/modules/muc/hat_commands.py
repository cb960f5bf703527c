"""The ad-hoc commands of XEP-0317, by which admins make hats and give them to people (XEP-0050 sent to the room)."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from xmppd.api import IQ
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.fields import Field
from xmppd.xmpp.forms import Form, find, table
from xmppd.xmpp.stanza import Element

from .aspect import Aspect, Request
from .hats import LONGEST_TITLE, LONGEST_URI, Hats
from .privileges import at_least
from .store import Hat

if TYPE_CHECKING:
    from .module import Muc
    from .room import Room

NS_COMMANDS: Final = "http://jabber.org/protocol/commands"
COMMANDS: Final = "urn:xmpp:hats:commands"
COMMAND: Final = f"{{{NS_COMMANDS}}}command"

TITLE: Final = Field("text-single", "hats#title", "Title", key="title", required=True, limit=LONGEST_TITLE)
URI: Final = Field("text-single", "hats#uri", "URI", key="uri", required=True, limit=LONGEST_URI)
HUE: Final = Field("text-single", "hats#hue", "Hue", "", key="hue", limit=20)
WEARER: Final = Field("jid-single", "hats#jid", "User Address", key="jid", required=True, limit=3071)

Act = Callable[["Room", dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command with a form: its fields, and what it does with them."""

    title: str
    fields: tuple[Field, ...]
    act: Act


class HatCommands(Aspect):
    """Answers `urn:xmpp:hats:commands:*`. It keeps no session: one form is all there is to fill in."""

    def __init__(self, muc: Muc, hats: Hats) -> None:
        super().__init__(muc)
        self._hats = hats
        self._commands: Mapping[str, Command] = {
            "create": Command("Creating a Hat", (TITLE, URI, HUE), self._create),
            "destroy": Command("Destroying a Hat", (URI,), self._destroy),
            "assign": Command("Assigning a Hat", (WEARER, URI), self._assign),
            "unassign": Command("Removing a Hat", (WEARER, URI), self._unassign),
        }

    def requests(self) -> Mapping[tuple[str, str], Request]:
        """Commands are set."""
        return {("set", f"{NS_COMMANDS} command"): self.run}

    async def run(self, room: Room, iq: IQ) -> Element:
        """Give the form, or do what it says."""
        node = iq.payload.get("node", "")
        name = node.removeprefix(f"{COMMANDS}:")
        if name == node or name not in (*self._commands, "list", "list-assigned"):
            raise StanzaError("item-not-found", "this room has no such command")
        self._check(room, iq, name)
        session = (iq.payload.get("sessionid") or secrets.token_hex(8))[:64]
        if iq.payload.get("action") == "cancel":
            return _reply(node, session, "canceled")
        if name in ("list", "list-assigned"):
            return _reply(node, session, "completed", self._list(room) if name == "list" else self._assigned(room))
        return await self._step(room, self._commands[name], find(iq.payload), node, session)

    async def _step(self, room: Room, command: Command, given: Element | None, node: str, session: str) -> Element:
        if given is None:
            return _reply(node, session, "executing", _form(room, command).ask())
        values = _form(room, command).read(given)
        if values is None:
            return _reply(node, session, "canceled")
        await command.act(room, values)
        return _reply(node, session, "completed")

    def _check(self, room: Room, iq: IQ, name: str) -> None:
        affiliation = room.affiliation_of(iq.sender)
        if at_least(affiliation, "admin"):
            return
        inside = bool(room.occupants.of(iq.sender.bare)) or at_least(affiliation, "member")
        if not (inside and (name == "list" or (name == "list-assigned" and not room.settings.anonymous))):
            raise StanzaError("forbidden", "only admins and owners of the room do this")

    def _list(self, room: Room) -> Element:
        rows = [{"title": hat.title, "uri": hat.uri, "hue": hat.hue} for _, hat in sorted(room.hats.items())]
        return table((TITLE, URI, HUE), rows, title="Hats List")

    def _assigned(self, room: Room) -> Element:
        rows = [
            {"jid": account, "uri": uri, "title": room.hats[uri].title, "hue": room.hats[uri].hue}
            for account, worn in sorted(room.worn.items())
            for uri in sorted(worn)
            if uri in room.hats
        ]
        return table((WEARER, URI, TITLE, HUE), rows, title="Assigned Hats List")

    async def _create(self, room: Room, values: dict[str, Any]) -> None:
        await self._hats.create(room, Hat(values["uri"], values["title"], values.get("hue", "")))

    async def _destroy(self, room: Room, values: dict[str, Any]) -> None:
        await self._hats.destroy(room, values["uri"])

    async def _assign(self, room: Room, values: dict[str, Any]) -> None:
        await self._hats.assign(room, values["jid"].bare, values["uri"])

    async def _unassign(self, room: Room, values: dict[str, Any]) -> None:
        await self._hats.unassign(room, values["jid"].bare, values["uri"])


def _form(room: Room, command: Command) -> Form:
    """The form; where a hat is chosen, from those that the room has."""
    options = {uri: hat.title for uri, hat in sorted(room.hats.items())}
    choice = Field("list-single", URI.var, "The hat", key="uri", required=True, options=options, open=True)
    fields = [choice if field is URI and TITLE not in command.fields else field for field in command.fields]
    return Form(COMMANDS, fields, title=command.title)


def _reply(node: str, session: str, status: str, form: Element | None = None) -> Element:
    reply = etree.Element(COMMAND, {"node": node, "sessionid": session, "status": status}, {None: NS_COMMANDS})  # type: ignore[dict-item]
    if form is not None:
        reply.append(form)
    return reply
