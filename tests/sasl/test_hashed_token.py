"""HT-SHA-256: one message, one proof (draft-schmaus-kitten-sasl-ht)."""

import hmac

import pytest

from tests.sasl.parties import BINDING, PLAINTEXT, TLS
from xmppd.sasl import Context, SASLError
from xmppd.sasl.hashed_token import answer, claim, offered, proves

TOKEN = "a token"  # noqa: S105


def proof(token: str = TOKEN, binding: bytes = b"") -> bytes:
    return hmac.digest(token.encode(), b"Initiator" + binding, "sha256")


def test_they_are_offered_over_tls_alone() -> None:
    assert offered(PLAINTEXT) == []
    assert offered(TLS) == ["HT-SHA-256-ENDP", "HT-SHA-256-NONE"]
    assert offered(Context("example.org", secure=True)) == ["HT-SHA-256-NONE"]


def test_a_claim_names_a_user_in_prepared_form() -> None:
    assert claim(b"ALICE\0" + proof()) == ("alice", proof())


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (b"", "malformed-request"),
        (b"alice", "malformed-request"),
        (b"\0" + b"p" * 32, "malformed-request"),
        (b"alice\0" + b"p" * 31, "malformed-request"),
        (b"alice\0" + b"p" * 33, "malformed-request"),
        (b"\xff\0" + b"p" * 32, "malformed-request"),
        (b"a" * 5000 + b"\0" + b"p" * 32, "malformed-request"),
        (b"a b\0" + b"p" * 32, "not-authorized"),
    ],
)
def test_what_is_no_claim_fails(message: bytes, condition: str) -> None:
    with pytest.raises(SASLError) as failure:
        claim(message)
    assert failure.value.condition == condition


def test_a_proof_is_good_for_its_token_and_channel() -> None:
    assert proves(TOKEN, proof(), b"")
    assert proves(TOKEN, proof(binding=BINDING), BINDING)
    assert not proves(TOKEN, proof("another"), b"")
    assert not proves(TOKEN, proof(), BINDING)
    assert not proves(TOKEN, b"", b"")


def test_the_answer_is_no_proof() -> None:
    assert answer(TOKEN, BINDING) == hmac.digest(TOKEN.encode(), b"Responder" + BINDING, "sha256")
    assert not proves(TOKEN, answer(TOKEN, b""), b"")
