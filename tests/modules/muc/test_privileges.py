"""The tables of XEP-0045 section 5, cell by cell."""

import pytest

from xmppd.modules.muc import privileges as may
from xmppd.modules.muc.settings import AFFILIATIONS, ROLES, Settings
from xmppd.modules.muc.words import Affiliation, Role
from xmppd.xmpp.errors import StanzaError

OPEN = Settings()
STRICT = Settings(
    members_only=True, moderated=True, allowpm="none", allow_visitor_nickchange=False, allow_visitor_status=False
)


# 5.1.1: privileges of roles; a cell each for none, visitor, participant, moderator


@pytest.mark.parametrize(
    ("privilege", "cells", "strict"),
    [
        (lambda role, _: may.may_speak(role), "NNYY", "NNYY"),
        (may.may_send_private, "NYYY", "NNNN"),
        (may.may_change_subject, "NNNY", "NNNY"),
        (may.may_change_nick, "NYYY", "NNYY"),
        (may.may_show_status, "NYYY", "NNYY"),
        (lambda role, settings: may.may_invite(role, "none", settings), "NYYY", "NNNN"),
    ],
    ids=["speak", "private", "subject", "nick", "status", "invite"],
)
def test_what_a_role_may_do(privilege: object, cells: str, strict: str) -> None:
    for settings, row in ((OPEN, cells), (STRICT, strict)):
        assert "".join("NY"[privilege(role, settings)] for role in ROLES) == row  # type: ignore[operator]


@pytest.mark.parametrize(
    ("allowpm", "cells"), [("anyone", "NYYY"), ("participants", "NNYY"), ("moderators", "NNNY"), ("none", "NNNN")]
)
def test_who_may_send_private_messages(allowpm: str, cells: str) -> None:
    settings = Settings(allowpm=allowpm)  # type: ignore[arg-type]
    assert "".join("NY"[may.may_send_private(role, settings)] for role in ROLES) == cells


def test_a_room_may_let_everybody_change_the_subject() -> None:
    settings = Settings(allow_change_subj=True)
    assert [may.may_change_subject(role, settings) for role in ROLES] == [False, True, True, True]


def test_members_may_invite_into_a_members_only_room_where_it_says_so() -> None:
    settings = Settings(members_only=True, allow_user_invites=True)
    invites = [may.may_invite("participant", affiliation, settings) for affiliation in AFFILIATIONS]
    assert invites == [False, False, True, True, True]
    assert not may.may_invite("none", "member", settings), "only who is there"
    assert may.may_invite("none", "admin", settings)


# 5.1.2: default roles; a cell each for outcast, none, member, admin, owner


@pytest.mark.parametrize(
    ("settings", "cells"),
    [
        (Settings(moderated=True), "-vpmm"),
        (Settings(), "-ppmm"),
        (Settings(members_only=True), "--pmm"),
        (Settings(members_only=True, moderated=True), "--pmm"),
    ],
    ids=["moderated", "open", "members-only", "both"],
)
def test_default_roles(settings: Settings, cells: str) -> None:
    roles = {"-": "none", "v": "visitor", "p": "participant", "m": "moderator"}
    assert [may.default_role(affiliation, settings) for affiliation in AFFILIATIONS] == [roles[cell] for cell in cells]


# 5.2.1: privileges of affiliations


def test_who_may_register() -> None:
    assert [may.may_register(affiliation) for affiliation in AFFILIATIONS] == [False, True, False, False, False]


@pytest.mark.parametrize(
    ("anonymous", "role", "cells"),
    [
        (True, "participant", "NNNYY"),
        (False, "none", "NNYYY"),
        (False, "visitor", "NNYYY"),
        (False, "moderator", "YYYYY"),
    ],
)
def test_who_may_retrieve_the_member_list(anonymous: bool, role: Role, cells: str) -> None:
    settings = Settings(anonymous=anonymous)
    assert "".join("NY"[may.may_see_members(role, affiliation, settings)] for affiliation in AFFILIATIONS) == cells


@pytest.mark.parametrize(("listed", "cells"), [("outcast", "NNNYY"), ("admin", "NNNNY"), ("owner", "NNNNY")])
def test_who_may_retrieve_the_other_lists(listed: Affiliation, cells: str) -> None:
    seen = [may.may_see_affiliations(listed, "moderator", affiliation, OPEN) for affiliation in AFFILIATIONS]
    assert "".join("NY"[each] for each in seen) == cells
    assert may.may_see_affiliations("member", "participant", "none", Settings(anonymous=False))


def test_who_may_retrieve_lists_of_roles() -> None:
    assert [may.may_see_roles("participant", role, "none") for role in ROLES] == [False, False, False, True]
    assert [may.may_see_roles("visitor", role, "none") for role in ROLES] == [False, False, False, True]
    seen = [may.may_see_roles("moderator", "moderator", affiliation) for affiliation in AFFILIATIONS]
    assert seen == [False, False, False, True, True]


# 5.1.3: changing roles


def change_role(actor: tuple[Role, Affiliation], target: tuple[Role, Affiliation], new: Role) -> str:
    try:
        may.check_role_change(actor, target, new)
    except StanzaError as error:
        return error.condition
    return ""


@pytest.mark.parametrize("role", ["none", "visitor", "participant"])
@pytest.mark.parametrize("new", ROLES)
def test_who_is_no_moderator_changes_no_role(role: Role, new: Role) -> None:
    assert change_role((role, "member"), ("visitor", "none"), new) == "forbidden"


@pytest.mark.parametrize(
    ("old", "new", "cells"),
    # by a moderator who is none, member, admin, owner; the target has no affiliation
    [
        ("visitor", "none", "YYYY"),
        ("visitor", "participant", "YYYY"),
        ("visitor", "moderator", "FFYY"),
        ("participant", "none", "YYYY"),
        ("participant", "visitor", "YYYY"),
        ("participant", "moderator", "FFYY"),
        ("moderator", "none", "AAYY"),
        ("moderator", "visitor", "FFYY"),
        ("moderator", "participant", "FFYY"),
        ("moderator", "moderator", "YYYY"),
    ],
)
def test_who_changes_which_role(old: Role, new: Role, cells: str) -> None:
    said = {"Y": "", "F": "forbidden", "A": "not-allowed"}
    done = [change_role(("moderator", affiliation), (old, "none"), new) for affiliation in AFFILIATIONS[1:]]
    assert done == [said[cell] for cell in cells]


@pytest.mark.parametrize(
    ("target", "cells"),
    # kicked by a moderator who is none, member, admin, owner
    [("none", "YYYY"), ("member", "AYYY"), ("admin", "AAYY"), ("owner", "AAAY")],
)
def test_nobody_kicks_those_above(target: Affiliation, cells: str) -> None:
    kicks = [change_role(("moderator", each), ("participant", target), "none") for each in AFFILIATIONS[1:]]
    assert kicks == [{"Y": "", "A": "not-allowed"}[cell] for cell in cells]


@pytest.mark.parametrize(
    ("target", "cells"), [("none", "YYYY"), ("member", "AAYY"), ("admin", "AAAA"), ("owner", "AAAA")]
)
def test_who_takes_voice_from_whom(target: Affiliation, cells: str) -> None:
    taken = [change_role(("moderator", each), ("participant", target), "visitor") for each in AFFILIATIONS[1:]]
    assert taken == [{"Y": "", "A": "not-allowed"}[cell] for cell in cells]


@pytest.mark.parametrize("actor", ["admin", "owner"])
@pytest.mark.parametrize("target", ["admin", "owner"])
def test_nobody_takes_moderator_status_from_admins_and_owners(actor: Affiliation, target: Affiliation) -> None:
    assert change_role(("moderator", actor), ("moderator", target), "participant") == "not-allowed"


# 5.2.2: changing affiliations


@pytest.mark.parametrize(
    ("actor", "rows"),
    # the target's old affiliation down, the new one across: outcast, none, member, admin, owner
    [
        ("none", ["FFFFF"] * 5),
        ("member", ["FFFFF"] * 5),
        ("admin", ["YYYFF", "YYYFF", "YYYFF", "AFFYF", "AFFFY"]),
        ("owner", ["YYYYY"] * 5),
    ],
)
def test_who_changes_which_affiliation(actor: Affiliation, rows: list[str]) -> None:
    said = {"": "Y", "forbidden": "F", "not-allowed": "A"}
    for target, row in zip(AFFILIATIONS, rows, strict=True):
        assert "".join(said[change_affiliation(actor, target, new)] for new in AFFILIATIONS) == row, target


def change_affiliation(actor: Affiliation, target: Affiliation, new: Affiliation, *, oneself: bool = False) -> str:
    try:
        may.check_affiliation_change(actor, target, new, oneself=oneself)
    except StanzaError as error:
        return error.condition
    return ""


@pytest.mark.parametrize("actor", ["admin", "owner"])
def test_nobody_bans_themselves(actor: Affiliation) -> None:
    assert change_affiliation(actor, actor, "outcast", oneself=True) == "conflict"
