"""The words of XEP-0045: namespaces, roles, affiliations and status codes."""

from __future__ import annotations

from typing import Final, Literal

Role = Literal["none", "visitor", "participant", "moderator"]
Affiliation = Literal["outcast", "none", "member", "admin", "owner"]


NS_MUC: Final = "http://jabber.org/protocol/muc"
NS_USER: Final = "http://jabber.org/protocol/muc#user"
NS_ADMIN: Final = "http://jabber.org/protocol/muc#admin"
NS_OWNER: Final = "http://jabber.org/protocol/muc#owner"
NS_ROOMINFO: Final = "http://jabber.org/protocol/muc#roominfo"
NS_ROOMCONFIG: Final = "http://jabber.org/protocol/muc#roomconfig"
NS_REQUEST: Final = "http://jabber.org/protocol/muc#request"
NS_OCCUPANT_ID: Final = "urn:xmpp:occupant-id:0"
NS_STABLE_ID: Final = "http://jabber.org/protocol/muc#stable_id"
NS_HATS: Final = "urn:xmpp:hats:0"
NS_SELF_PING: Final = "http://jabber.org/protocol/muc#self-ping-optimization"

# Status codes (XEP-0045 15.6.2).
NON_ANONYMOUS_ROOM: Final = 100  # everybody sees real addresses
CONFIGURED: Final = 104  # something other than privacy changed
SELF: Final = 110
LOGGED: Final = 170
NOT_LOGGED: Final = 171
NON_ANONYMOUS: Final = 172
SEMI_ANONYMOUS: Final = 173
CREATED: Final = 201
BANNED: Final = 301
RENAMED: Final = 303
KICKED: Final = 307
NO_LONGER_MEMBER: Final = 321  # an affiliation change takes them out of a members-only room
NOT_A_MEMBER: Final = 322  # the room has become members-only
SHUTDOWN: Final = 332
BROKEN: Final = 333  # an error came back
