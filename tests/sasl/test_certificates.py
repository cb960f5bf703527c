"""EXTERNAL by client certificate (XEP-0178), and ANONYMOUS (XEP-0175)."""

from __future__ import annotations

import pytest

from tests.sasl.parties import FAKE, HOST, PLAINTEXT, TLS, serve
from xmppd.sasl import Context, SASLError, Success, begin
from xmppd.xmpp.jid import JID

ALICE, BOB = JID("alice", HOST), JID("bob", HOST)


def login(authzid: str, *jids: JID) -> object:
    mechanism = begin("EXTERNAL", Context(HOST, secure=True, certificate_jids=jids), FAKE)
    return serve(mechanism, mechanism.receive(authzid.encode()))


def test_one_address_in_the_certificate_needs_no_authzid() -> None:
    assert login("", ALICE) == Success("alice")


def test_addresses_of_other_hosts_and_resources_do_not_count() -> None:
    assert login("", JID("alice", "example.com"), JID("", HOST), ALICE, ALICE.with_resource("phone")) == Success(
        "alice"
    )


def test_of_several_one_must_be_named() -> None:
    with pytest.raises(SASLError, match="invalid-authzid"):
        login("", ALICE, BOB)
    assert login("Alice@example.org", ALICE, BOB) == Success("alice", authzid="alice@example.org")


@pytest.mark.parametrize("authzid", ["bob@example.org", "alice@example.org/phone", "@", "alice"])
def test_an_address_that_the_certificate_does_not_name(authzid: str) -> None:
    with pytest.raises(SASLError, match="invalid-authzid"):
        login(authzid, ALICE)


def test_account_must_exist() -> None:
    with pytest.raises(SASLError, match="not-authorized"):
        login("", BOB)


def test_steps_out_of_turn() -> None:
    mechanism = begin("EXTERNAL", Context(HOST, secure=True, certificate_jids=(ALICE,)), FAKE)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.found({})
    mechanism.receive(b"")
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.receive(b"")


def test_anonymous_users_get_a_name_of_their_own() -> None:
    names = set()
    for trace in (b"", b"guest@somewhere"):
        success = begin("ANONYMOUS", PLAINTEXT, FAKE).receive(trace)
        assert isinstance(success, Success)
        assert success.anonymous
        names.add(success.user)
    assert len(names) == 2


def test_anonymous_takes_no_further_step() -> None:
    with pytest.raises(SASLError, match="malformed-request"):
        begin("ANONYMOUS", TLS, FAKE).found(None)
