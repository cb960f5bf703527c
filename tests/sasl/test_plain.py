"""PLAIN: a password in the clear against stored keys."""

from __future__ import annotations

import pytest

from tests.sasl.parties import FAKE, PLAINTEXT, TLS, plain, serve
from xmppd.sasl import Challenge, Compute, Lookup, SASLError, Success, begin, derive


def test_login() -> None:
    assert plain("\0alice\0correct horse") == Success("alice")


def test_names_and_passwords_are_prepared() -> None:
    """RFC 4013: a no-break space is a space, a soft hyphen is nothing."""
    assert plain("\0Alice\0cor\u00adrect\u00a0horse").user == "alice"


def test_authzid_of_oneself() -> None:
    assert plain("alice@example.org\0alice\0correct horse").authzid == "alice@example.org"


def test_authzid_of_another() -> None:
    with pytest.raises(SASLError, match="invalid-authzid"):
        plain("bob@example.org\0alice\0correct horse")


@pytest.mark.parametrize("user", ["alice", "nobody"])
def test_unknown_user_and_wrong_password_take_the_same_steps_to_the_same_end(user: str) -> None:
    mechanism = begin("PLAIN", TLS, FAKE)
    assert mechanism.receive(f"\0{user}\0wrong".encode()) == Lookup(user)
    keys = {"SHA-256": derive("correct horse", "SHA-256")} if user == "alice" else None
    step = mechanism.found(keys)
    assert isinstance(step, Compute)
    result = step.work()
    assert result is False
    with pytest.raises(SASLError) as refusal:
        mechanism.computed(result)
    assert (refusal.value.condition, refusal.value.text) == ("not-authorized", "unknown user or wrong password")


def test_an_unknown_user_costs_one_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[int] = []

    def counted(name: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        costs.append(iterations)
        return bytes(32)

    monkeypatch.setattr("hashlib.pbkdf2_hmac", counted)
    for user in ("alice", "nobody"):
        with pytest.raises(SASLError, match="not-authorized"):
            plain(f"\0{user}\0wrong")
    assert costs == [4096, 4096]


def test_account_without_a_password_cannot_log_in() -> None:
    mechanism = begin("PLAIN", TLS, FAKE)
    mechanism.receive(b"\0alice\0anything")
    step = mechanism.found({})
    assert isinstance(step, Compute)
    with pytest.raises(SASLError, match="not-authorized"):
        mechanism.computed(step.work())


def test_password_that_cannot_be_prepared_is_wrong() -> None:
    with pytest.raises(SASLError, match="not-authorized"):
        plain("\0alice\0\u200e\ue000")


@pytest.mark.parametrize("message", ["alice", "alice\0secret", "\0alice\0", "\0\0secret", "a\0b\0c\0d"])
def test_malformed(message: str) -> None:
    mechanism = begin("PLAIN", TLS, FAKE)
    with pytest.raises(SASLError, match="malformed-request"):
        serve(mechanism, mechanism.receive(message.encode()))


def test_text_is_utf_8() -> None:
    with pytest.raises(SASLError, match="malformed-request"):
        begin("PLAIN", TLS, FAKE).receive(b"\0alice\0\xff")


def test_without_initial_response_the_client_is_asked_for_it() -> None:
    mechanism = begin("PLAIN", TLS, FAKE)
    assert mechanism.receive(b"") == Challenge(b"")
    assert serve(mechanism, mechanism.receive(b"\0alice\0correct horse")) == Success("alice")


def test_never_in_the_clear() -> None:
    with pytest.raises(SASLError, match="encryption-required"):
        begin("PLAIN", PLAINTEXT, FAKE)


def test_steps_out_of_turn() -> None:
    mechanism = begin("PLAIN", TLS, FAKE)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.computed(True)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.found(None)
    mechanism.receive(b"\0alice\0wrong")
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.computed(True)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.receive(b"\0alice\0wrong")
