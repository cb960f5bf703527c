"""Which sessions an account has, and what a session owes."""

from typing import Any

import pytest

from xmppd.routing.event import Event
from xmppd.routing.hooks import STOP, Hooks, Stage, Verdict
from xmppd.routing.sessions import Session, Sessions
from xmppd.storage import Commit, StorageError
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

BOB = JID.parse("bob@localhost")


class Wall:
    """A door that remembers."""

    detached = False

    def __init__(self) -> None:
        self.sent: list[Stanza] = []
        self.closed: list[StreamError | None] = []

    def send(self, stanza: Stanza) -> None:
        self.sent.append(stanza)

    def send_copy(self, stanza: Stanza, to: JID) -> None:
        self.send(stanza.addressed(to))

    def close(self, error: StreamError | None = None) -> None:
        self.closed.append(error)

    def describe(self) -> dict[str, object]:
        return {}

    def checkpoint(self) -> Any:
        return lambda: True

    def tells(self) -> bool:
        return False

    def lacks(self, holders: Any) -> bool:
        return False

    def abandon(self) -> list[Any]:
        return []


def session(address: str, hooks: Hooks | None = None) -> tuple[Session, Wall]:
    wall = Wall()
    return Session(JID.parse(address), "id", wall, hooks or Hooks(), 0), wall


def test_sessions_are_found_by_account_and_by_address() -> None:
    sessions = Sessions(20)
    one, _ = session("bob@localhost/one")
    two, _ = session("bob@localhost/two")
    other, _ = session("alice@localhost/one")
    for each in (one, two, other):
        sessions.add(each)
    assert sessions.of(BOB) == (one, two)
    assert sessions.find(JID.parse("bob@localhost/two")) is two
    assert sessions.find(JID.parse("bob@localhost/three")) is None
    assert sessions.of(JID.parse("carol@localhost")) == ()
    assert list(sessions) == [one, two, other]
    assert len(sessions) == 3
    assert sessions.accounts() == [BOB, other.jid.bare]


def test_a_session_is_taken_out_once() -> None:
    sessions = Sessions(20)
    one, _ = session("bob@localhost/one")
    sessions.add(one)
    assert sessions.remove(one)
    assert not sessions.remove(one)
    assert len(sessions) == 0
    assert sessions.accounts() == []


def test_another_session_with_the_same_address_is_not_mistaken() -> None:
    sessions = Sessions(20)
    old, _ = session("bob@localhost/one")
    new, _ = session("bob@localhost/one")
    sessions.add(new)
    assert not sessions.remove(old)
    assert sessions.find(new.jid) is new


def test_an_account_has_so_many_sessions_and_no_more() -> None:
    sessions = Sessions(2)
    for name in ("one", "two"):
        sessions.add(session(f"bob@localhost/{name}")[0])
    with pytest.raises(StanzaError, match="2 sessions at most") as refused:
        sessions.add(session("bob@localhost/three")[0])
    assert (refused.value.condition, refused.value.kind) == ("resource-constraint", "wait")
    sessions.add(session("alice@localhost/one")[0])
    assert len(sessions) == 3


async def test_a_copy_passes_the_chain_with_its_target_and_reaches_the_door() -> None:
    hooks = Hooks()
    bob, wall = session("bob@localhost/one", hooks)
    targets: list[Session | None] = []

    def stamp(event: Event) -> None:
        targets.append(event.target)
        event.stanza = event.stanza.with_child("<x xmlns='urn:x'/>", "urn:x x")

    hooks.session_receive.add(stamp, Stage.STAMP)
    await bob.deliver(Stanza("message", BOB))
    assert targets == [bob]
    assert [stanza.names for stanza in wall.sent] == [("urn:x x",)]


async def test_a_copy_that_is_stopped_or_refused_reaches_nobody() -> None:
    hooks = Hooks()
    bob, wall = session("bob@localhost/one", hooks)

    def judge(event: Event) -> Verdict:
        if event.stanza.type == "headline":
            raise StanzaError("not-acceptable")
        return STOP

    hooks.session_receive.add(judge, Stage.FILTER)
    await bob.deliver(Stanza("message", BOB))
    with pytest.raises(StanzaError, match="not-acceptable"):
        await bob.deliver(Stanza("message", BOB, type="headline"))
    assert wall.sent == []
    bob.reply(Stanza("iq", bob.jid, BOB, "result", "1"))
    assert len(wall.sent) == 1, "what it asked for meets no filter"


async def test_what_is_owed_is_waited_for() -> None:
    bob, _ = session("bob@localhost/one")
    assert not bob.owes
    first, second = Commit(), Commit()
    bob.owe(first)
    bob.owe(second)
    assert bob.owes
    first.resolve([])
    second.resolve([])
    await bob.settled()
    assert not bob.owes


async def test_a_write_that_failed_is_owed_no_more() -> None:
    bob, _ = session("bob@localhost/one")
    commit = Commit()
    bob.owe(commit)
    commit.resolve(StorageError("the disk is full"))
    await bob.settled()
    assert not bob.owes


async def test_an_event_without_a_local_sender_owes_nobody() -> None:
    Event(Stanza("message", BOB)).owe(Commit())


def test_modules_keep_their_things_with_a_session() -> None:
    bob, _ = session("bob@localhost/one")
    assert bob.state("carbons") is None
    bob.keep("carbons", True)
    bob.keep("csi", "inactive")
    assert (bob.state("carbons"), bob.state("csi"), bob.state("other")) == (True, "inactive", None)
