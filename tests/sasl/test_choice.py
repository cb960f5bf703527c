"""Which mechanisms are offered in which state, and that no other can be begun."""

from __future__ import annotations

import pytest

from tests.sasl.parties import FAKE, HOST, PASSWORD, PLAINTEXT, TLS, plain, scram
from xmppd.sasl import CONDITIONS, MECHANISMS, Context, Keys, Part, Pretence, SASLError, begin, derive, offered
from xmppd.xmpp.jid import JID

ALL = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "EXTERNAL", "ANONYMOUS"]
CERTIFIED = Context(HOST, secure=True, endpoint_binding=b"x", certificate_jids=(JID("alice", HOST),))
OF_ANOTHER_HOST = Context(HOST, secure=True, certificate_jids=(JID("alice", "example.com"),))


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (PLAINTEXT, ["SCRAM-SHA-256", "SCRAM-SHA-1", "ANONYMOUS"]),
        (TLS, ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "ANONYMOUS"]),
        (CERTIFIED, ALL),
        (OF_ANOTHER_HOST, ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "ANONYMOUS"]),
    ],
)
def test_offer(context: Context, expected: list[str]) -> None:
    assert offered(ALL, context) == expected


def test_only_what_is_configured_and_known_is_offered_in_that_order() -> None:
    assert offered(["PLAIN", "DIGEST-MD5", "SCRAM-SHA-1"], TLS) == ["PLAIN", "SCRAM-SHA-1"]


@pytest.mark.parametrize("name", sorted(MECHANISMS))
def test_every_mechanism_can_be_begun(name: str) -> None:
    assert begin(name, CERTIFIED, FAKE, sorted(MECHANISMS)).name == name


@pytest.mark.parametrize("name", ["DIGEST-MD5", "", "scram-sha-1", "SCRAM-SHA-1-PLUS", "EXTERNAL"])
def test_nothing_else_can_be_begun(name: str) -> None:
    with pytest.raises(SASLError, match="invalid-mechanism"):
        begin(name, PLAINTEXT, FAKE)


@pytest.mark.parametrize("name", ["PLAIN", "ANONYMOUS", "SCRAM-SHA-512"])
def test_nothing_can_be_begun_that_was_not_offered(name: str) -> None:
    with pytest.raises(SASLError, match="invalid-mechanism"):
        begin(name, TLS, FAKE, ["SCRAM-SHA-1"])


def test_an_offer_past_the_state_is_no_permission() -> None:
    with pytest.raises(SASLError, match="invalid-mechanism"):
        begin("EXTERNAL", PLAINTEXT, FAKE, ALL)


def test_conditions_are_those_of_rfc_6120() -> None:
    assert len(CONDITIONS) == 11
    with pytest.raises(ValueError, match="no SASL failure"):
        SASLError("nope")


def test_nobody_logs_in_on_pretended_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one who knew a password for them is refused."""

    def guessed(self: Pretence, user: str, part: Part) -> Keys:
        return derive(PASSWORD, part.hash, part.iterations)

    monkeypatch.setattr(Pretence, "_made", guessed)
    with pytest.raises(SASLError, match="not-authorized"):
        scram("SCRAM-SHA-1", PLAINTEXT, user="nobody")
    with pytest.raises(SASLError, match="not-authorized"):
        plain(f"\0nobody\0{PASSWORD}")
