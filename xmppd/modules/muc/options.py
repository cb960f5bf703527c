"""What the administrator chooses for a service of rooms. The words are ejabberd's where it has them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, field_validator

from xmppd.api import ModuleOptions, option

from .settings import NAMES, Settings


class ServiceOptions(ModuleOptions):
    """What the administrator can choose."""

    host: str = option("conference.@HOST@", "The domain of the rooms; @HOST@ is the host's name")
    name: str = option("Chatrooms", "The service's name in service discovery")
    access: str = option("all", "Who may use the service: an access rule")
    access_create: str = option("all", "Who may make rooms: an access rule")
    access_persistent: str = option("all", "Who may make rooms that outlive their occupants: an access rule")
    access_admin: str = option("admin", "Who is an owner of every room: an access rule")
    max_rooms: int = option(100_000, "Rooms of the service; an empty one takes 4 KB of memory", least=0)
    max_users: int = option(1000, "Occupants of one room; owners may choose less", least=1)
    max_user_conferences: int = option(100, "Rooms that one account may be in; 0 for any number", least=0)
    max_user_sessions: int = option(20, "Resources of one account in one room", least=1)
    max_room_id: int = option(255, "Characters of a room's localpart", least=1)
    max_nick: int = option(100, "Characters of a nick", least=1)
    history_size: int = option(20, "Messages of history that a room keeps", least=0, most=1000)
    history_bytes: int = option(262_144, "Bytes of the messages that a room keeps; the oldest go first", least=0)
    max_message: int = option(65_536, "Bytes of a message to a room", least=1024)
    max_subject: int = option(8192, "Bytes of a room's subject", least=256)
    max_presence: int = option(
        3072, "Bytes of an occupant's presence; who enters is sent all, and `max_queue` holds a thousand", least=256
    )
    default_room_options: dict[str, Any] = option({}, "What new rooms are set to, such as {persistent: true}")
    room_locking: bool = option(True, "A new room admits nobody else until its owner has configured it (10.1.2)")
    min_message_interval: float = option(0, "Seconds between two messages of one occupant", least=0)
    min_presence_interval: float = option(0, "Seconds between two presences of one occupant", least=0)
    user_presence_rate: float = option(
        1, "Presences of one account in one room a second, 20 times as many at once; 0 for any", least=0
    )
    user_message_rate: float = option(
        10, "Messages of one account in one room a second, five times as many at once; 0 for any", least=0
    )
    room_message_rate: float = option(0, "Messages a second in one room, and as many at once; 0 for any", least=0)
    room_presence_rate: float = option(
        0, "Occupants a second whose coming and change is told in one room; more are told later; 0 for any", least=0
    )
    crowd_size: int = option(0, "Past so many occupants a room shows moderators only; 0 for never", least=0)
    hibernation_timeout: int = option(3600, "Seconds after which an empty stored room leaves memory", least=1)

    @field_validator("default_room_options")
    @classmethod
    def _are_settings(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name not in NAMES:
                near = get_close_matches(name, NAMES, 1)
                raise ValueError(f"there is no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        TypeAdapter(Settings).validate_python(value)
        return value
