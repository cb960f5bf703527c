"""What the administrator chooses: the rooms, who may enter them, and who may publish over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from xmppd.api import ModuleOptions, Secret, option
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID, nodeprep

SHORTEST_TOKEN: Final = 16  # characters; a shorter one can be guessed


def _is_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("a token is a text; put it between quotes")
    return value


def _is_token(value: str) -> str:
    if len(value) < SHORTEST_TOKEN or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"a token has {SHORTEST_TOKEN} characters at least, of ASCII and without blanks")
    return value


Token = Annotated[Secret, BeforeValidator(_is_text), AfterValidator(_is_token)]
"""A secret that may be written `$NAME` or `file:PATH`; no error shows it."""


class RoomOptions(ModuleOptions):
    """One room."""

    members: tuple[str, ...] = option((), "Accounts or domains that may enter; none: everybody may")
    tokens: tuple[Token, ...] = Field(
        default=(), description="Who may publish over HTTP: texts, $NAME or file:PATH", repr=False
    )

    @field_validator("members")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_bare(member) for member in value)


class BusOptions(ModuleOptions):
    """What the administrator can choose."""

    rooms: dict[str, RoomOptions] = option({}, "Localpart -> {members: [...], tokens: [...]}")
    rate: float = option(100, "Requests of one token a second, and twice as many at once; 0 for any", least=0)
    max_waiting: int = option(200, "Requests that wait for members at once", least=1)
    max_timeout: float = option(30, "The longest that a request may wait for members, in seconds", least=0)
    lease: float = option(10, "The longest lease of members, in seconds; for so long after a start some may be missed")

    @field_validator("rooms")
    @classmethod
    def _are_localparts(cls, value: dict[str, RoomOptions]) -> dict[str, RoomOptions]:
        try:
            return {nodeprep(name): room for name, room in value.items()}
        except StanzaError as error:
            raise ValueError(f"a room has a name that cannot be one: {error.text}") from None


def _bare(member: str) -> str:
    try:
        jid = JID.parse(member)
    except StanzaError as error:
        raise ValueError(f"{member!r} is no address: {error.text}") from None
    if jid.resource:
        raise ValueError(f"{member!r} has a resource; write {jid.bare}")
    return str(jid)
