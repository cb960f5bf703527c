"""RFC 6121 8.5: where a stanza to a local account goes, a test for each cell of the table in 8.5.4."""

from typing import Any

import pytest

from xmppd.routing.delivery import Action, choose
from xmppd.routing.hooks import Hooks
from xmppd.routing.sessions import Session
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

BOB = JID.parse("bob@localhost")
ALICE = JID.parse("alice@localhost/phone")
NOWHERE: Any = None


def session(resource: str, priority: int | None) -> Session:
    """A session of bob's; without a priority it is connected and has sent no presence."""
    made = Session(BOB.with_resource(resource), resource, NOWHERE, Hooks(), 0)
    if priority is not None:
        made.presence, made.priority = Stanza("presence"), priority
    return made


# Who bob is: does the account exist, and which resources has it with which priority?
ACCOUNTS: dict[str, tuple[bool, dict[str, int | None]]] = {
    "does not exist": (False, {}),
    "no resource": (True, {}),
    "connected only": (True, {"desk": None}),
    "negative only": (True, {"desk": -1, "lap": -128}),
    "one": (True, {"desk": 0}),
    "one beside others": (True, {"lap": -1, "desk": 5, "new": None}),
    "several": (True, {"desk": 0, "lap": 10, "bot": -5, "new": None}),
}
TYPES = ("normal", "chat", "groupchat", "headline", "error")

# What happens: E bounce, S silence, O kept or bounced, or the resources it is delivered to.
MESSAGES = """
| account           | to   | normal   | chat     | groupchat | headline | error |
| does not exist    | bare | E        | E        | E         | S        | S     |
| does not exist    | desk | E        | E        | E         | E        | S     |
| no resource       | bare | O        | O        | E         | S        | S     |
| no resource       | desk | E        | O        | E         | E        | S     |
| connected only    | bare | O        | O        | E         | S        | S     |
| connected only    | desk | desk     | desk     | desk      | desk     | desk  |
| connected only    | gone | E        | O        | E         | E        | S     |
| negative only     | bare | O        | O        | E         | S        | S     |
| negative only     | desk | desk     | desk     | desk      | desk     | desk  |
| negative only     | gone | E        | O        | E         | E        | S     |
| one               | bare | desk     | desk     | E         | desk     | S     |
| one               | desk | desk     | desk     | desk      | desk     | desk  |
| one               | gone | E        | desk     | E         | E        | S     |
| one beside others | bare | desk     | desk     | E         | desk     | S     |
| one beside others | lap  | lap      | lap      | lap       | lap      | lap   |
| one beside others | new  | new      | new      | new       | new      | new   |
| one beside others | gone | E        | desk     | E         | E        | S     |
| several           | bare | desk lap | desk lap | E         | desk lap | S     |
| several           | desk | desk     | desk     | desk      | desk     | desk  |
| several           | bot  | bot      | bot      | bot       | bot      | bot   |
| several           | gone | E        | desk lap | E         | E        | S     |
"""

# R the roster's business, everybody with a presence gets what is for the bare address (8.5.2.1.2).
PRESENCES = """
| account           | to   | available    | unavailable  | subscribe | subscribed | unsubscribe | probe | error        |
| does not exist    | bare | S            | S            | S         | S          | S           | S     | S            |
| does not exist    | desk | S            | S            | S         | S          | S           | S     | S            |
| no resource       | bare | S            | S            | R         | R          | R           | R     | S            |
| no resource       | desk | S            | S            | R         | R          | R           | R     | S            |
| connected only    | bare | S            | S            | R         | R          | R           | R     | S            |
| connected only    | desk | desk         | desk         | R         | R          | R           | R     | desk         |
| negative only     | bare | desk lap     | desk lap     | R         | R          | R           | R     | desk lap     |
| negative only     | desk | desk         | desk         | R         | R          | R           | R     | desk         |
| one               | bare | desk         | desk         | R         | R          | R           | R     | desk         |
| one               | gone | S            | S            | R         | R          | R           | R     | S            |
| several           | bare | desk lap bot | desk lap bot | R         | R          | R           | R     | desk lap bot |
| several           | lap  | lap          | lap          | R         | R          | R           | R     | lap          |
| several           | gone | S            | S            | R         | R          | R           | R     | S            |
"""

# A the server answers for the account.
REQUESTS = """
| account           | to   | get  | set  | result | error |
| does not exist    | bare | E    | E    | S      | S     |
| does not exist    | desk | E    | E    | S      | S     |
| no resource       | bare | A    | A    | S      | S     |
| no resource       | desk | E    | E    | S      | S     |
| connected only    | bare | A    | A    | S      | S     |
| connected only    | desk | desk | desk | desk   | desk  |
| negative only     | bare | A    | A    | S      | S     |
| negative only     | desk | desk | desk | desk   | desk  |
| one               | bare | A    | A    | S      | S     |
| one               | gone | E    | E    | S      | S     |
| several           | bare | A    | A    | S      | S     |
| several           | bot  | bot  | bot  | bot    | bot   |
| several           | gone | E    | E    | S      | S     |
"""

LETTERS = {
    Action.BOUNCE: "E",
    Action.IGNORE: "S",
    Action.ABSENT: "O",
    Action.SUBSCRIPTION: "R",
    Action.ANSWER: "A",
}


def cells(kind: str, table: str) -> list[Any]:
    """One parameter set for each cell."""
    head, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines())
    return [
        pytest.param(kind, account, to, type, expected, id=f"{kind} {type}, {account}, {to}")
        for account, to, *row in rows
        for type, expected in zip(head[2:], row, strict=True)
    ]


@pytest.mark.parametrize(
    ("kind", "account", "to", "type", "expected"),
    [*cells("message", MESSAGES), *cells("presence", PRESENCES), *cells("iq", REQUESTS)],
)
def test_delivery(kind: str, account: str, to: str, type: str, expected: str) -> None:
    exists, resources = ACCOUNTS[account]
    sessions = [session(resource, priority) for resource, priority in resources.items()]
    address = BOB if to == "bare" else BOB.with_resource(to)
    action, chosen = choose(Stanza(kind, address, ALICE, "" if type == "available" else type), exists, sessions)
    delivered = " ".join(each.jid.resource for each in chosen)
    assert (delivered if action is Action.DELIVER else LETTERS[action]) == expected
    assert bool(chosen) is (action is Action.DELIVER)


@pytest.mark.parametrize("type", ["", "unheard-of"])
@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("to", ["bare", "desk", "gone"])
def test_no_type_and_unknown_types_are_normal(account: str, type: str, to: str) -> None:
    """RFC 6121 5.2.2."""
    exists, resources = ACCOUNTS[account]
    sessions = [session(resource, priority) for resource, priority in resources.items()]
    address = BOB if to == "bare" else BOB.with_resource(to)
    normal = choose(Stanza("message", address, ALICE, "normal"), exists, sessions)
    assert choose(Stanza("message", address, ALICE, type), exists, sessions) == normal


def test_unsubscribed_is_the_rosters_business_too() -> None:
    assert choose(Stanza("presence", BOB, ALICE, "unsubscribed"), True, ())[0] is Action.SUBSCRIPTION
