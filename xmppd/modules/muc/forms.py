"""The data forms of XEP-0045: configuration, voice requests and registration, each way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.fields import Field
from xmppd.xmpp.forms import Form, Submission, plain
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

from .settings import NAMES, Settings, from_mapping
from .words import NS_REQUEST, NS_ROOMCONFIG

NS_REGISTER_FORM: Final = "http://jabber.org/protocol/muc#register"
CONFIG: Final = "muc#roomconfig_"
OWN: Final = "{urn:xmppd:muc:0}"  # XEP-0068 3.4: fields that nobody has registered are named in Clark's notation

LONGEST_TITLE: Final = 200
LONGEST_DESCRIPTION: Final = 2000
LONGEST_PASSWORD: Final = 256
LONGEST_LANG: Final = 35  # BCP 47 4.4.1: implementations should take as many
LONGEST_URI: Final = 1000
LONGEST_NICK: Final = 1023  # bytes of a resourcepart (RFC 7622 3.4), and never fewer characters
MOST_ADDRESSES: Final = 1000  # admins or owners named in one form; a longer list is not in it and stays as it is
ADDRESS: Final = 3071  # bytes of the longest one

_ROLES: Final = {"moderator": "Moderators", "participant": "Participants", "visitor": "Visitors"}
_SHAPES: Final = {
    "lang": re.compile(r"([A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*)?"),  # BCP 47 2.1
    "pubsub": re.compile(r"(xmpp:\S+)?"),
}
_SHAPED: Final = {"lang": "is no tag of a language, such as en or pt-BR", "pubsub": "is no XMPP URI: xmpp:..."}
_NUMBERS: Final = ("10", "20", "30", "50", "100", "200", "500", "1000")


def _switch(var: str, label: str, key: str) -> Field:
    return Field("boolean", var, label, key=key)


def _text(var: str, label: str, key: str, limit: int) -> Field:
    return Field("text-single", var, label, key=key, limit=limit)


def _addresses(var: str, label: str, key: str) -> Field:
    return Field("jid-multi", var, label, key=key, most=MOST_ADDRESSES, limit=MOST_ADDRESSES * ADDRESS)


@dataclass(frozen=True, slots=True)
class Configured:
    """What a configuration form says: the room's settings, and who is admin and owner, None where it does not say."""

    settings: Settings
    admins: Sequence[JID] | None
    owners: Sequence[JID] | None


class Configuration:
    """The form `muc#roomconfig` of one service, which allows `most_users` in a room and keeps `most_history` lines."""

    def __init__(self, most_users: int, most_history: int) -> None:
        self.most_users = most_users
        self.most_history = most_history
        self._form = Form(NS_ROOMCONFIG, _config_fields(most_users, most_history), title="Configuration of a room")

    def ask(self, room: JID, settings: Settings, admins: Sequence[JID], owners: Sequence[JID]) -> Element:
        """The form to fill in, as the room is set now (10.1.3, 10.2)."""
        lists = {"admins": list(admins), "owners": list(owners)}
        fields = [field for field in self._form.fields if len(lists.get(field.key, ())) <= MOST_ADDRESSES]
        return Form(NS_ROOMCONFIG, fields, title=f"Configuration of {room}").ask(_shown(settings) | lists)

    def read(self, element: Element, settings: Settings) -> Configured | None:
        """The settings that a submission makes of these; None where it is cancelled.

        What it leaves out stays. `StanzaError` naming the field: bad-request for what is no submission of this form,
        not-acceptable for a value that cannot be taken.
        """
        values = self._form.read(element)
        if values is None:
            return None
        admins, owners = values.pop("admins", None), values.pop("owners", None)
        return Configured(self._settings(values, settings), _bare(admins), _bare(owners))

    def change(self, settings: Settings, options: Mapping[str, str]) -> Settings:
        """The settings with these changed, each by its name and as text; errors are those of `read`.

        A bool is true or false; of several values one comes after the other, with blanks, commas or semicolons between.
        """
        fields = {field.key: field for field in self._form.fields}
        submitted: dict[str, list[str]] = {}
        for name, text in options.items():
            if name not in NAMES:
                raise StanzaError("not-acceptable", f"there is no option {name!r}; there are {', '.join(NAMES)}")
            submitted[fields[name].var] = _texts(fields[name], text)
        configured = self.read(plain("submit", NS_ROOMCONFIG, submitted), settings)
        assert configured is not None
        return configured.settings

    def _settings(self, values: dict[str, Any], settings: Settings) -> Settings:
        if "max_users" in values:
            values["max_users"] = _max_users(values["max_users"], self.most_users)
        if "anonymous" in values:
            values["anonymous"] = values["anonymous"] == "moderators"
        for name, shape in _SHAPES.items():
            if not shape.fullmatch(values.get(name, "")):
                raise StanzaError("not-acceptable", f"field {CONFIG}{name}: {_SHAPED[name]}")
        made = from_mapping({name: value for name, value in values.items() if name in NAMES}, settings)
        if made.password_protected and not made.password:
            raise StanzaError(
                "not-acceptable", f"field Password ({CONFIG}roomsecret): is needed where a password is asked for"
            )
        return made


def _config_fields(most_users: int, most_history: int) -> list[Field | str]:
    return [*_about(most_users, most_history), *_access(), *_speech(), *_seen()]


def _about(most_users: int, most_history: int) -> list[Field | str]:
    counts = {number: number for number in _NUMBERS if int(number) <= most_users}
    return [
        _text(f"{CONFIG}roomname", "Name of the room", "title", LONGEST_TITLE),
        Field("text-multi", f"{CONFIG}roomdesc", "Description", key="description", limit=LONGEST_DESCRIPTION),
        _text(f"{CONFIG}lang", "Language of the discussion", "lang", LONGEST_LANG),
        _text(f"{CONFIG}pubsub", "Address of an associated publish-subscribe node", "pubsub", LONGEST_URI),
        _switch(f"{CONFIG}publicroom", "List the room in public", "public"),
        _switch(f"{CONFIG}persistentroom", "Keep the room when the last one leaves", "persistent"),
        Field(
            "list-single",
            f"{CONFIG}maxusers",
            "Most occupants",
            key="max_users",
            options=counts | {"none": f"As the service allows: {most_users}"},
            open=True,
            limit=10,
        ),
        Field(
            "text-single",
            "muc#maxhistoryfetch",
            "Most messages of history for a newcomer",
            key="maxhistoryfetch",
            datatype="xs:integer",
            least=0,
            greatest=most_history,
        ),
        _switch(f"{CONFIG}enablelogging", "Log conversations in public", "logging"),
        _switch(f"{CONFIG}enablearchiving", "Keep an archive for the occupants", "mam"),
    ]


def _access() -> list[Field | str]:
    return [
        "Who may enter",
        _switch(f"{CONFIG}membersonly", "Members only", "members_only"),
        _switch(f"{CONFIG}passwordprotectedroom", "Ask for a password", "password_protected"),
        Field("text-private", f"{CONFIG}roomsecret", "Password", key="password", limit=LONGEST_PASSWORD),
        _switch(f"{CONFIG}allowinvites", "Members may invite others", "allow_user_invites"),
        Field(
            "list-single",
            f"{OWN}registration",
            "Requests to become a member are",
            key="registration",
            options={"open": "Granted", "approval": "Put before the admins", "closed": "Refused"},
        ),
        _addresses(f"{CONFIG}roomadmins", "Admins", "admins"),
        _addresses(f"{CONFIG}roomowners", "Owners", "owners"),
    ]


def _speech() -> list[Field | str]:
    return [
        "Who may speak",
        _switch(f"{CONFIG}moderatedroom", "Only who has voice", "moderated"),
        _switch(f"{CONFIG}allowvoicerequests", "Visitors may ask for voice", "allow_voice_requests"),
        Field(
            "text-single",
            f"{CONFIG}voicerequestmininterval",
            "Seconds between two requests for voice",
            key="voice_request_min_interval",
            datatype="xs:integer",
            least=0,
            greatest=86_400,
        ),
        _switch(f"{CONFIG}changesubject", "Occupants may change the subject", "allow_change_subj"),
        Field(
            "list-single",
            f"{CONFIG}allowpm",
            "Who may send private messages",
            key="allowpm",
            options={
                "anyone": "Anyone",
                "participants": "Who has voice",
                "moderators": "Moderators",
                "none": "Nobody",
            },
        ),
        _switch("allow_query_users", "Occupants may send requests to each other", "allow_query_users"),
    ]


def _seen() -> list[Field | str]:
    return [
        "Who sees what",
        Field(
            "list-single",
            f"{CONFIG}whois",
            "Who sees the occupants' real addresses",
            key="anonymous",
            options={"moderators": "Moderators", "anyone": "Anyone"},
        ),
        Field(
            "list-multi",
            f"{CONFIG}presencebroadcast",
            "Whose presence is shown",
            key="presence_broadcast",
            options=_ROLES,
        ),
        Field(
            "list-multi",
            f"{CONFIG}getmemberlist",
            "Who may retrieve the list of members",
            key="getmemberlist",
            options=_ROLES,
        ),
        _switch("public_list", "Show the list of occupants to everybody", "public_list"),
        _switch(f"{CONFIG}allowvisitorstatus", "Show status texts of visitors", "allow_visitor_status"),
        _switch(f"{CONFIG}allowvisitornickchange", "Visitors may change their nickname", "allow_visitor_nickchange"),
    ]


def _shown(settings: Settings) -> dict[str, Any]:
    shown = asdict(settings)
    shown["anonymous"] = "moderators" if settings.anonymous else "anyone"
    shown["max_users"] = str(settings.max_users or "none")
    for name in ("presence_broadcast", "getmemberlist"):
        shown[name] = [role for role in _ROLES if role in shown[name]]
    return shown


def _texts(field: Field, text: str) -> list[str]:
    if field.key == "anonymous":
        return [{"true": "moderators", "false": "anyone"}.get(text, text)]
    return re.split(r"[\s,;]+", text.strip()) if field.kind == "list-multi" else text.split("\n")


def shown_option(value: object) -> str:
    """A setting as `Configuration.change` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _max_users(text: str, most: int) -> int:
    if text in ("", "none", "0"):
        return 0
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise StanzaError("not-acceptable", f"field Most occupants ({CONFIG}maxusers): 1 to {most}, or none")
    return int(text)


def _bare(addresses: Sequence[JID] | None) -> Sequence[JID] | None:
    return None if addresses is None else list(dict.fromkeys(address.bare for address in addresses))


# Voice requests (7.13, 8.6)

VOICE: Final = Form(
    NS_REQUEST,
    [
        Field("list-single", "muc#role", "Requested role", key="role", options={"participant": "", "visitor": ""}),
        Field("jid-single", "muc#jid", "User ID", key="jid", limit=ADDRESS),
        Field("text-single", "muc#roomnick", "Room Nickname", key="nick", limit=LONGEST_NICK),
        Field("boolean", "muc#request_allow", "Grant voice to this person?", False, key="allow"),
    ],
    title="Voice request",
    instructions="To give this person voice, tick the box and send the form. To pass the request over, cancel it.",
)

# Registration (7.10, 9.9)

REGISTRATION: Final = Form(
    NS_REGISTER_FORM,
    [
        Field(
            "text-single",
            "muc#register_roomnick",
            "Desired Nickname",
            key="nick",
            required=True,
            limit=LONGEST_NICK,
        ),
        Field("text-single", "muc#register_first", "Given Name", key="first", limit=200),
        Field("text-single", "muc#register_last", "Family Name", key="last", limit=200),
        Field("text-single", "muc#register_url", "Your URL", key="url", limit=LONGEST_URI),
        Field("text-single", "muc#register_email", "Email Address", key="email", limit=320),
        Field("text-multi", "muc#register_faqentry", "FAQ Entry", key="faq", limit=LONGEST_DESCRIPTION),
    ],
    title="Registration with this room",
    instructions="Choose the nickname that is to be yours in this room. The rest is for those who run it.",
)
APPROVAL: Final = Form(
    NS_REGISTER_FORM,
    [
        Field("jid-single", "muc#register_jid", "User ID", key="jid", required=True, limit=ADDRESS),
        *REGISTRATION.fields,
        Field("boolean", "muc#register_allow", "Allow this person to register with the room?", False, key="allow"),
    ],
    title="Registration request",
    instructions="To make this person a member, tick the box and send the form. To pass the request over, cancel it.",
)


def form_type(element: Element) -> str:
    """Which of these forms a submission or its cancellation belongs to; "" where it does not say."""
    return Submission.parse(element).form_type
