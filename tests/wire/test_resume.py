"""What is kept until it is acknowledged, against a model that never forgets anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from xmppd.wire.resume import MODULUS, Ledger, number
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza


def message(number: int) -> Stanza:
    return Stanza("message", id=str(number), letter=b"<body>hi</body>")


class Model(RuleBasedStateMachine):
    """Everything that was sent, in order; how much of it is acknowledged; where the counters began."""

    @initialize(start=st.sampled_from([0, 1, MODULUS - 3, MODULUS // 2 - 2]), handled=st.sampled_from([0, MODULUS - 2]))
    def begin(self, start: int, handled: int) -> None:
        self.ledger = Ledger()
        self.ledger.acknowledged, self.ledger.handled = start, handled
        self.start, self.began = start, handled
        self.sent: list[Stanza] = []
        self.sure = 0
        self.came = 0
        self.marks: list[tuple[int, int]] = []

    @rule()
    def send(self) -> None:
        self.sent.append(message(len(self.sent)))
        self.ledger.push(self.sent[-1], float(len(self.sent)))

    @rule()
    def mark(self) -> None:
        self.marks.append((self.ledger.sent, len(self.sent)))

    @rule()
    def handle(self) -> None:
        self.ledger.handle()
        self.came += 1

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        upto = data.draw(st.integers(self.sure, len(self.sent)))
        assert self.ledger.acknowledge((self.start + upto) % MODULUS) == upto - self.sure
        self.sure = upto

    @rule(more=st.integers(1, MODULUS // 2))
    def acknowledge_too_much(self, more: int) -> None:
        h, sent = (self.start + len(self.sent) + more) % MODULUS, self.ledger.sent
        with pytest.raises(StreamError) as caught:
            self.ledger.acknowledge(h)
        assert caught.value.condition == "undefined-condition"
        assert f"h='{h}' send-count='{sent}'" in caught.value.application

    @precondition(lambda self: self.sure > 0)
    @rule(data=st.data())
    def take_an_acknowledgement_back(self, data: st.DataObject) -> None:
        less = data.draw(st.integers(1, self.sure))
        with pytest.raises(StreamError):
            self.ledger.acknowledge((self.start + self.sure - less) % MODULUS)

    @rule()
    def give_up(self) -> None:
        assert self.ledger.take() == self.kept()
        self.start, self.sent, self.marks, self.sure = self.ledger.acknowledged, [], [], 0

    def kept(self) -> list[tuple[Stanza, float]]:
        return [(stanza, float(at)) for at, stanza in enumerate(self.sent[self.sure :], self.sure + 1)]

    @invariant()
    def it_keeps_what_is_not_sure(self) -> None:
        if not hasattr(self, "ledger"):
            return
        assert list(self.ledger) == self.kept()
        assert len(self.ledger) == len(self.sent) - self.sure
        assert self.ledger.size == sum(len(stanza.data) for stanza in self.sent[self.sure :])
        assert self.ledger.sent == (self.start + len(self.sent)) % MODULUS
        assert self.ledger.handled == (self.began + self.came) % MODULUS
        assert all(self.ledger.reached(mark) == (at <= self.sure) for mark, at in self.marks)


TestLedger = Model.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_two_ledgers_share_nothing() -> None:
    one, other = Ledger(), Ledger()
    one.push(message(1), 0)
    assert (len(one), len(other)) == (1, 0)


@given(st.integers(0, MODULUS - 1))
def test_a_count_is_an_unsigned_int(value: int) -> None:
    assert number(str(value)) == value


@pytest.mark.parametrize("text", [None, "", "-1", "+1", "1.0", "4294967296", "99999999999", "one", "\u0661", " 1"])
def test_nothing_else_is_a_count(text: str | None) -> None:
    assert number(text) is None
