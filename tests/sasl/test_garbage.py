"""Whatever is sent, nothing but SASLError comes out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sasl.parties import FAKE, HOST, serve
from xmppd.sasl import MECHANISMS, Challenge, Context, SASLError, Success, begin
from xmppd.xmpp.jid import JID

CONTEXT = Context(HOST, secure=True, endpoint_binding=b"x", certificate_jids=(JID("alice", HOST), JID("bob", HOST)))
WORDS = ["n", "y", "p=tls-server-end-point", ",", ",,", "a=", "n=", "r=", "c=", "p=", "biws", "=", "=2C", "\0", "alice"]
SALAD = st.lists(st.sampled_from([*WORDS, "@", "example.org", "/", "\u00ad"]) | st.text(max_size=5), max_size=14).map(
    lambda parts: "".join(parts).encode(errors="replace")
)
FIRST = st.builds(
    "{},{},n={},r={}".format, st.sampled_from(["n", "y", "p=tls-server-end-point"]), st.text(), st.text(), st.text()
)
PAYLOADS = st.binary(max_size=200) | SALAD | FIRST.map(lambda text: text.encode(errors="replace"))


@pytest.mark.parametrize("name", sorted(MECHANISMS - {"ANONYMOUS"}))
@settings(deadline=None)
@given(payloads=st.lists(PAYLOADS, max_size=3))
def test_garbage_from_the_first_byte(name: str, payloads: list[bytes]) -> None:
    mechanism = begin(name, CONTEXT, FAKE)
    with suppress(SASLError):
        for payload in payloads:
            outcome = serve(mechanism, mechanism.receive(payload))
            assert isinstance(outcome, Challenge) or name == "EXTERNAL"


@pytest.mark.parametrize("flag", ["n", "p=tls-server-end-point"])
@settings(deadline=None)
@given(payload=PAYLOADS, nonce=st.text(max_size=8))
def test_garbage_after_a_good_beginning(flag: str, payload: bytes, nonce: str) -> None:
    mechanism = begin("SCRAM-SHA-1" if flag == "n" else "SCRAM-SHA-1-PLUS", CONTEXT, FAKE)
    challenge = serve(mechanism, mechanism.receive(f"{flag},,n=alice,r=abc".encode()))
    assert isinstance(challenge, Challenge)
    proper = challenge.payload.split(b",")[0]
    for message in (payload, b"c=biws," + proper + b",p=" + payload, b"c=" + payload + b"," + proper + b",p=AAAA"):
        with pytest.raises(SASLError):
            mechanism.receive(message)


@settings(deadline=None)
@given(st.text())
def test_any_text_as_user_and_password(text: str) -> None:
    message = f"\0{text}\0{text}".encode(errors="replace")
    mechanism = begin("PLAIN", CONTEXT, FAKE)
    with pytest.raises(SASLError):
        assert not isinstance(serve(mechanism, mechanism.receive(message)), Success)
