"""The form muc#roomconfig, each way: every field, and every wrong value."""

import pytest

from xmppd.modules.muc.forms import APPROVAL, REGISTRATION, VOICE, Configuration, form_type
from xmppd.modules.muc.settings import NAMES, Settings, from_json, to_json
from xmppd.modules.muc.words import NS_ROOMCONFIG
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.forms import Submission, plain
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element

ROOM = JID.parse("coven@conference.localhost")
CRONE, HECATE = JID.parse("crone1@localhost"), JID.parse("hecate@localhost")
FORM = Configuration(most_users=200, most_history=100)
CONFIG = "muc#roomconfig_"

# What XEP-0045 15.5.3 registers, with a value that is not the default and what it makes of the settings.
REGISTERED: list[tuple[str, str | list[str], dict[str, object]]] = [
    ("muc#maxhistoryfetch", "7", {"maxhistoryfetch": 7}),
    ("muc#roomconfig_allowpm", "moderators", {"allowpm": "moderators"}),
    ("muc#roomconfig_allowinvites", "1", {"allow_user_invites": True}),
    ("muc#roomconfig_changesubject", "1", {"allow_change_subj": True}),
    ("muc#roomconfig_enablelogging", "true", {"logging": True}),
    ("muc#roomconfig_getmemberlist", ["moderator"], {"getmemberlist": frozenset({"moderator"})}),
    ("muc#roomconfig_lang", "en-GB", {"lang": "en-GB"}),
    ("muc#roomconfig_pubsub", "xmpp:pubsub.localhost?;node=coven", {"pubsub": "xmpp:pubsub.localhost?;node=coven"}),
    ("muc#roomconfig_maxusers", "20", {"max_users": 20}),
    ("muc#roomconfig_membersonly", "1", {"members_only": True}),
    ("muc#roomconfig_moderatedroom", "1", {"moderated": True}),
    ("muc#roomconfig_persistentroom", "1", {"persistent": True}),
    ("muc#roomconfig_presencebroadcast", ["moderator", "participant"], {
        "presence_broadcast": frozenset({"moderator", "participant"})
    }),
    ("muc#roomconfig_publicroom", "0", {"public": False}),
    ("muc#roomconfig_roomdesc", ["A place", "for witches"], {"description": "A place\nfor witches"}),
    ("muc#roomconfig_roomname", "A Dark Cave", {"title": "A Dark Cave"}),
    ("muc#roomconfig_roomsecret", "cauldronburn", {"password": "cauldronburn"}),
    ("muc#roomconfig_whois", "anyone", {"anonymous": False}),
    ("muc#roomconfig_enablearchiving", "0", {"mam": False}),
    ("muc#roomconfig_allowvoicerequests", "0", {"allow_voice_requests": False}),
    ("muc#roomconfig_voicerequestmininterval", "5", {"voice_request_min_interval": 5}),
    ("muc#roomconfig_allowvisitorstatus", "0", {"allow_visitor_status": False}),
    ("muc#roomconfig_allowvisitornickchange", "0", {"allow_visitor_nickchange": False}),
    ("allow_query_users", "0", {"allow_query_users": False}),
    ("public_list", "1", {"public_list": True}),
    ("{urn:xmppd:muc:0}registration", "open", {"registration": "open"}),
]  # fmt: skip


def submit(**values: str | list[str]) -> Element:
    return plain("submit", NS_ROOMCONFIG, values)


DEFAULTS = Settings()


def read(element: Element, settings: Settings = DEFAULTS) -> Settings:
    configured = FORM.read(element, settings)
    assert configured is not None
    return configured.settings


def refused(**values: str | list[str]) -> tuple[str, str]:
    with pytest.raises(StanzaError) as caught:
        FORM.read(submit(**values), Settings())
    return caught.value.condition, caught.value.text


@pytest.mark.parametrize(("var", "value", "expected"), REGISTERED, ids=[row[0] for row in REGISTERED])
def test_each_field(var: str, value: str | list[str], expected: dict[str, object]) -> None:
    settings = read(submit(**{var: value}))
    changed = {name: getattr(settings, name) for name in NAMES if getattr(settings, name) != getattr(Settings(), name)}
    assert changed == expected
    assert from_json(to_json(settings)) == settings
    asked = Submission.parse(FORM.ask(ROOM, settings, [], [])).values[var]
    shown = [value] if isinstance(value, str) else value
    assert asked == [{"true": "1"}.get(text, text) for text in shown]


def test_a_password_is_asked_for_where_one_is_given() -> None:
    settings = read(submit(**{f"{CONFIG}passwordprotectedroom": "1", f"{CONFIG}roomsecret": "cauldronburn"}))
    assert settings.secret == settings.password != ""
    assert read(submit(**{f"{CONFIG}passwordprotectedroom": "0"}), settings).secret == ""
    condition, text = refused(**{f"{CONFIG}passwordprotectedroom": "1"})
    assert condition == "not-acceptable"
    assert "muc#roomconfig_roomsecret" in text


def test_what_is_left_out_stays() -> None:
    settings = Settings(title="A Dark Cave", moderated=True, presence_broadcast=frozenset({"moderator"}))
    assert read(submit(), settings) == settings
    assert read(submit(**{f"{CONFIG}roomname": ""}), settings).title == ""


def test_admins_and_owners_are_lists_of_bare_addresses() -> None:
    element = submit(**{f"{CONFIG}roomadmins": [f"{CRONE}/desk", str(CRONE)], f"{CONFIG}roomowners": [str(HECATE)]})
    configured = FORM.read(element, Settings())
    assert configured is not None
    assert (configured.admins, configured.owners) == ([CRONE], [HECATE])
    silent = FORM.read(submit(), Settings())
    assert silent is not None
    assert (silent.admins, silent.owners) == (None, None)
    asked = Submission.parse(FORM.ask(ROOM, Settings(), [CRONE], [HECATE])).values
    assert asked[f"{CONFIG}roomadmins"] == [CRONE]
    assert asked[f"{CONFIG}roomowners"] == [HECATE]


def test_a_list_too_long_for_a_form_is_left_out_and_stays() -> None:
    many = [JID.parse(f"u{number}@localhost") for number in range(1001)]
    asked = Submission.parse(FORM.ask(ROOM, Settings(), many, [HECATE])).values
    assert f"{CONFIG}roomadmins" not in asked
    assert asked[f"{CONFIG}roomowners"] == [HECATE]


def test_a_form_is_cancelled() -> None:
    assert FORM.read(plain("cancel", NS_ROOMCONFIG, {}), Settings()) is None


@pytest.mark.parametrize("number", ["none", "", "0"])
def test_no_number_of_users_is_as_many_as_the_service_allows(number: str) -> None:
    assert read(submit(**{f"{CONFIG}maxusers": number}), Settings(max_users=10)).max_users in (0, 10)
    assert read(submit(**{f"{CONFIG}maxusers": "none"}), Settings(max_users=10)).max_users == 0


SWITCHES = (
    *("changesubject", "enablelogging", "enablearchiving", "allowinvites", "membersonly", "moderatedroom"),
    *("passwordprotectedroom", "persistentroom", "publicroom", "allowvoicerequests"),
)
WRONG: list[tuple[str, str | list[str]]] = [
    *((CONFIG + name, "perhaps") for name in SWITCHES),
    (f"{CONFIG}roomname", "x" * 201),
    (f"{CONFIG}roomdesc", "x" * 2001),
    (f"{CONFIG}lang", "x" * 36),
    (f"{CONFIG}lang", "plain English"),
    (f"{CONFIG}pubsub", "xmpp:" + "x" * 1000),
    (f"{CONFIG}pubsub", "http://localhost/"),
    (f"{CONFIG}roomsecret", "x" * 257),
    (f"{CONFIG}maxusers", "201"),
    (f"{CONFIG}maxusers", "-1"),
    (f"{CONFIG}maxusers", "9" * 5000),
    (f"{CONFIG}maxusers", "many"),
    (f"{CONFIG}maxusers", "²"),
    ("muc#maxhistoryfetch", "101"),
    ("muc#maxhistoryfetch", "-1"),
    ("muc#maxhistoryfetch", "all"),
    (f"{CONFIG}voicerequestmininterval", "86401"),
    (f"{CONFIG}allowpm", "friends"),
    (f"{CONFIG}whois", "none"),
    (f"{CONFIG}presencebroadcast", ["moderator", "king"]),
    (f"{CONFIG}getmemberlist", ["king"]),
    (f"{CONFIG}roomadmins", ["a@b@c"]),
    (f"{CONFIG}roomowners", ["@"]),
    (f"{CONFIG}roomowners", [f"u{number}@localhost" for number in range(1001)]),
    ("{urn:xmppd:muc:0}registration", "maybe"),
]


@pytest.mark.parametrize(("var", "value"), WRONG, ids=[f"{var}-{number}" for number, (var, _) in enumerate(WRONG)])
def test_each_wrong_value_names_its_field(var: str, value: str | list[str]) -> None:
    condition, text = refused(**{var: value})
    assert condition == "not-acceptable"
    assert var in text


@pytest.mark.parametrize("var", ["muc#roomconfig_roomname", "muc#roomconfig_membersonly", "muc#maxhistoryfetch"])
def test_two_values_where_one_belongs(var: str) -> None:
    condition, text = refused(**{var: ["1", "0"]})
    assert condition == "bad-request"
    assert var in text


def test_what_is_no_submission_of_this_form() -> None:
    for element in (plain("submit", "urn:example:other", {}), plain("form", NS_ROOMCONFIG, {})):
        with pytest.raises(StanzaError, match="bad-request"):
            FORM.read(element, Settings())


def test_fields_that_nobody_knows_are_passed_over() -> None:
    assert read(submit(**{"muc#roomconfig_clearance": "5"})) == Settings()


def test_settings_of_a_newer_version_are_read() -> None:
    assert from_json('{"title": "A Dark Cave", "smell": "sulphur"}') == Settings(title="A Dark Cave")


def test_the_other_forms_name_themselves() -> None:
    assert form_type(VOICE.ask()) == "http://jabber.org/protocol/muc#request"
    assert form_type(REGISTRATION.ask()) == form_type(APPROVAL.ask()) == "http://jabber.org/protocol/muc#register"
