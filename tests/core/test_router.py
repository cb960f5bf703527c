"""Which domain a stanza goes to, and the way back for an error (RFC 6120 8.3.1, 10.4)."""

import asyncio

import pytest

from xmppd.routing.event import Event
from xmppd.routing.hooks import Hooks
from xmppd.routing.router import Router
from xmppd.routing.sessions import MOST_HELD, Session
from xmppd.storage import Commit
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

from .test_sessions import Wall

ALICE = JID.parse("alice@here/phone")
BOB = JID.parse("bob@there")


class Place:
    """A domain that remembers what it takes, and refuses it where told to."""

    def __init__(self, error: StanzaError | None = None) -> None:
        self.taken: list[Stanza] = []
        self.error = error

    async def handle(self, event: Event) -> None:
        self.taken.append(event.stanza)
        if self.error is not None:
            raise self.error


@pytest.fixture
def router() -> Router:
    return Router()


@pytest.fixture
def here(router: Router) -> Place:
    here = Place()
    router.add("here", here)
    return here


async def test_a_stanza_goes_to_its_domain(router: Router, here: Place) -> None:
    there = Place()
    router.add("there", there)
    await router.send(Stanza("message", BOB, ALICE))
    assert (len(there.taken), len(here.taken)) == (1, 0)


def test_a_domain_is_served_once(router: Router, here: Place) -> None:
    with pytest.raises(ValueError, match="here is served twice"):
        router.add("here", Place())
    router.remove("here")
    router.add("here", Place())


@pytest.mark.parametrize(("kind", "type"), [("message", "chat"), ("message", ""), ("iq", "get"), ("iq", "set")])
async def test_a_domain_that_nobody_serves(router: Router, here: Place, kind: str, type: str) -> None:
    await router.send(Stanza(kind, BOB, ALICE, type, "1"))
    (error,) = here.taken
    assert (error.type, error.id, error.to, error.sender) == ("error", "1", ALICE, BOB)
    assert b"<remote-server-not-found" in error.letter


@pytest.mark.parametrize("type", ["", "subscribe"])
async def test_presence_to_a_domain_that_nobody_serves(router: Router, here: Place, type: str) -> None:
    await router.send(Stanza("presence", BOB, ALICE, type))
    assert [stanza.type for stanza in here.taken] == ["error"]


@pytest.mark.parametrize(
    ("kind", "type"),
    [
        ("message", "error"),
        ("presence", "error"),
        ("iq", "error"),
        ("iq", "result"),
        ("presence", "unavailable"),
        ("presence", "probe"),
    ],
)
async def test_no_error_for_what_could_go_round_in_circles(router: Router, here: Place, kind: str, type: str) -> None:
    await router.send(Stanza(kind, BOB, ALICE, type, "1"))
    assert here.taken == []


async def test_an_error_that_is_refused_itself_ends_there(router: Router) -> None:
    here, there = Place(StanzaError("forbidden")), Place(StanzaError("forbidden"))
    router.add("here", here)
    router.add("there", there)
    await router.send(Stanza("message", BOB, ALICE))
    assert [stanza.type for stanza in here.taken] == ["error"]
    assert len(there.taken) == 1


async def test_a_local_session_is_answered_directly(router: Router, here: Place) -> None:
    wall = Wall()
    alice = Session(ALICE, "id", wall, Hooks(), 0)
    await router.route(Event(Stanza("message", BOB, ALICE, "chat", "1"), alice))
    assert [(stanza.type, stanza.to) for stanza in wall.sent] == [("error", ALICE)]
    assert here.taken == []


async def test_what_came_with_a_flaw_is_answered_and_not_routed(router: Router, here: Place) -> None:
    stanza = Stanza("message", JID.parse("bob@here"), ALICE, "chat", "1")
    stanza.flaw = StanzaError("jid-malformed")
    await router.send(stanza)
    (error,) = here.taken
    assert b"<jid-malformed" in error.letter


async def test_a_stanza_without_an_address(router: Router, here: Place) -> None:
    await router.send(Stanza("message", None, ALICE))
    (error,) = here.taken
    assert b"<bad-request" in error.letter


async def test_who_writes_to_himself_where_nobody_is_gets_no_answer_from_himself(router: Router) -> None:
    await router.send(Stanza("message", ALICE, ALICE))


async def test_refusals_wait_too_where_many_answers_are_held(router: Router) -> None:
    """A flood of stanzas that are refused must not fill the memory while the disk is slow."""
    wall, commit = Wall(), Commit()
    alice = Session(ALICE, "id", wall, Hooks(), 0)
    alice.owe(commit)

    async def flood() -> None:
        for _ in range(MOST_HELD + 500):
            await router.route(Event(Stanza("message", BOB, ALICE, "chat"), alice))

    flooding = asyncio.create_task(flood())
    await asyncio.sleep(0)
    assert alice._held == MOST_HELD
    commit.resolve([])
    await flooding
    assert len(wall.sent) == MOST_HELD + 500
