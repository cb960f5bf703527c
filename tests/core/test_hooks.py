"""Chains and notices: order, STOP, and what a handler that fails does."""

import logging
from collections.abc import Awaitable, Callable

import pytest

from xmppd.routing.event import Event
from xmppd.routing.hooks import STOP, Chain, Hooks, Notice, Stage, Verdict
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza

Handler = Callable[[Event], Awaitable[Verdict] | Verdict]


def a_message() -> Event:
    return Event(Stanza("message", JID.parse("bob@localhost"), JID.parse("alice@localhost/x"), "chat", "m1"))


class Steps:
    """Handlers that write down that they ran."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def plain(self, name: str, verdict: Verdict = None) -> Handler:
        def handler(event: Event) -> Verdict:
            self.seen.append(name)
            return verdict

        return handler

    def waiting(self, name: str, verdict: Verdict = None) -> Handler:
        async def handler(event: Event) -> Verdict:
            self.seen.append(name)
            return verdict

        return handler

    def failing(self, name: str, error: Exception) -> Handler:
        def handler(event: Event) -> Verdict:
            self.seen.append(name)
            raise error

        return handler


@pytest.fixture
def steps() -> Steps:
    return Steps()


async def test_handlers_run_by_stage_and_within_one_in_order(steps: Steps) -> None:
    chain: Chain[Event] = Chain("test")
    for stage in reversed(Stage):
        chain.add(steps.plain(f"{stage.name} first"), stage)
        chain.add(steps.waiting(f"{stage.name} second"), stage)
    assert await chain.run(a_message()) is None
    assert steps.seen == [f"{stage.name} {which}" for stage in Stage for which in ("first", "second")]


def test_the_stages_are_those_of_the_design() -> None:
    assert [stage.name for stage in sorted(Stage)] == ["FILTER", "STAMP", "ARCHIVE", "COPY", "DELIVER"]


@pytest.mark.parametrize("waits", [False, True])
async def test_stop_ends_the_chain(steps: Steps, waits: bool) -> None:
    chain: Chain[Event] = Chain("test")
    chain.add((steps.waiting if waits else steps.plain)("stops", STOP), Stage.COPY)
    chain.add(steps.plain("never"), Stage.DELIVER)
    assert await chain.run(a_message()) is STOP
    assert steps.seen == ["stops"]


async def test_a_replaced_stanza_is_what_the_next_one_sees() -> None:
    chain: Chain[Event] = Chain("test")
    seen: list[str] = []

    def stamp(event: Event) -> None:
        event.stanza = event.stanza.with_child("<x xmlns='urn:x'/>", "urn:x x")

    chain.add(lambda event: seen.extend(event.stanza.names))
    chain.add(stamp, Stage.STAMP)
    await chain.run(a_message())
    assert seen == ["urn:x x"]


@pytest.mark.parametrize("stage", Stage)
async def test_a_stanza_error_is_the_senders_answer_at_every_stage(steps: Steps, stage: Stage) -> None:
    chain: Chain[Event] = Chain("test")
    chain.add(steps.failing("refuses", StanzaError("forbidden", "not you")), stage)
    chain.add(steps.plain("never"), Stage.DELIVER)
    with pytest.raises(StanzaError, match="forbidden: not you"):
        await chain.run(a_message())
    assert steps.seen == ["refuses"]


async def test_a_filter_that_crashes_fails_closed(steps: Steps, caplog: pytest.LogCaptureFixture) -> None:
    chain: Chain[Event] = Chain("test")
    chain.add(steps.failing("crashes", ZeroDivisionError("secret")), Stage.FILTER)
    chain.add(steps.plain("never"))
    with caplog.at_level(logging.ERROR), pytest.raises(StanzaError) as refused:
        await chain.run(a_message())
    assert refused.value.condition == "internal-server-error"
    assert "secret" not in refused.value.to_xml()
    assert steps.seen == ["crashes"]
    (record,) = caplog.records
    assert "'m1'" in record.getMessage(), "the log names the stanza"


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.FILTER])
async def test_any_other_crash_is_logged_and_skipped(
    steps: Steps, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    chain: Chain[Event] = Chain("test")
    chain.add(steps.failing("crashes", ZeroDivisionError()), stage)
    chain.add(steps.plain("goes on"), Stage.DELIVER)
    with caplog.at_level(logging.ERROR):
        assert await chain.run(a_message()) is None
    assert steps.seen == ["crashes", "goes on"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_handler_that_crashes_after_a_wait_is_treated_alike(caplog: pytest.LogCaptureFixture) -> None:
    chain: Chain[Event] = Chain("test")

    async def crash(event: Event) -> Verdict:
        raise ZeroDivisionError

    chain.add(crash, Stage.FILTER)
    with caplog.at_level(logging.ERROR), pytest.raises(StanzaError):
        await chain.run(a_message())


async def test_what_is_removed_runs_no_more(steps: Steps) -> None:
    chain: Chain[Event] = Chain("test")
    stays, goes = steps.plain("stays"), steps.plain("goes")
    chain.add(stays)
    chain.add(goes, Stage.FILTER)
    chain.remove(goes)
    await chain.run(a_message())
    assert steps.seen == ["stays"]
    chain.remove(stays)
    assert chain.handlers == ()


async def test_a_handler_may_detach_itself_while_the_chain_runs(steps: Steps) -> None:
    chain: Chain[Event] = Chain("test")

    def once(event: Event) -> None:
        chain.remove(once)

    chain.add(once)
    chain.add(steps.plain("next"))
    await chain.run(a_message())
    assert steps.seen == ["next"]
    assert len(chain.handlers) == 1


async def test_a_notice_reaches_all_whoever_crashes(caplog: pytest.LogCaptureFixture) -> None:
    notice: Notice[str] = Notice("fact")
    heard: list[str] = []

    def crash(fact: str) -> None:
        raise ZeroDivisionError

    async def waits(fact: str) -> None:
        heard.append(f"waits {fact}")

    notice.add(crash)
    notice.add(lambda fact: heard.append(f"plain {fact}"))
    notice.add(waits)
    with caplog.at_level(logging.ERROR):
        await notice.tell("it rains")
    assert heard == ["plain it rains", "waits it rains"]
    assert len(caplog.records) == 1
    notice.remove(waits)
    notice.remove(crash)
    await notice.tell("again")
    assert heard[2:] == ["plain again"]


def test_hooks_of_two_hosts_are_apart() -> None:
    one, other = Hooks(), Hooks()
    one.session_send.add(lambda event: None)
    assert other.session_send.handlers == ()
    assert one.account_receive.handlers == ()


def test_the_decorator_says_hook_and_stage() -> None:
    @Hooks.session_send.at(Stage.STAMP)
    @Hooks.account_receive
    def method() -> None: ...

    assert {(mark.hook, mark.stage) for mark in method.__marks__} == {  # type: ignore[attr-defined]
        ("account_receive", Stage.DELIVER),
        ("session_send", Stage.STAMP),
    }


@pytest.mark.parametrize("name", [name for name in vars(Hooks) if not name.startswith("_")])
def test_each_hook_is_a_chain_or_a_notice_of_its_name(name: str) -> None:
    hook = getattr(Hooks(), name)
    assert isinstance(hook, Chain | Notice)
    assert hook.name == name
