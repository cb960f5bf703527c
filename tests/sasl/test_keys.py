"""Keys: made as RFC 5802 says, kept as RFC 5803 says, refused where no client could use them."""

from __future__ import annotations

from base64 import b64decode

import pytest
from scramp import ScramMechanism

from xmppd.sasl.keys import HASHES, Keys, check, derive, derive_all, dump, load, matches, saslprep


@pytest.mark.parametrize("hash", HASHES)
@pytest.mark.parametrize("password", ["pencil", "Fran\u00e7ais \u2168", "\u0627\u0628"])
def test_keys_are_those_another_implementation_makes(hash: str, password: str) -> None:
    salt, stored, server, iterations = ScramMechanism(f"SCRAM-{hash}").make_auth_info(
        password, 4096, b"sixteen bytes ok"
    )
    assert derive(password, hash, 4096, b"sixteen bytes ok") == Keys(salt, iterations, stored, server)


def test_salts_differ() -> None:
    credentials = derive_all("pencil")
    assert len({keys.salt for keys in credentials.values()}) == 3
    assert derive("pencil", "SHA-1").salt != credentials["SHA-1"].salt


@pytest.mark.parametrize("hash", HASHES)
def test_a_password_matches_its_keys_of_any_hash(hash: str) -> None:
    credentials = {hash: derive("pencil", hash)}
    assert matches("pencil", credentials)
    assert not matches("pen", credentials)
    assert not matches("", credentials)


def test_nothing_matches_no_keys() -> None:
    assert not matches("pencil", {})


@pytest.mark.parametrize(
    ("raw", "prepared"),
    [
        ("user", "user"),
        ("USER", "USER"),
        ("I\u00adX", "IX"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a b", "a b"),
        ("a\u00a0b", "a b"),
    ],
)
def test_preparation_by_rfc_4013(raw: str, prepared: str) -> None:
    assert saslprep(raw) == prepared


@pytest.mark.parametrize("raw", ["", "\u00ad", "\u0007", "\u0627\u0031", "\ud800", "\ue000", "x" * 1024, "é" * 512])
def test_what_is_no_password(raw: str) -> None:
    with pytest.raises(ValueError, match="not a password"):
        saslprep(raw)


def test_text_form_of_rfc_5803() -> None:
    keys = derive("pencil", "SHA-1", 4096, b64decode("QSXCR+Q6sek8bf92"))
    text = "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE="
    assert dump("SHA-1", keys) == text
    assert load(text) == ("SHA-1", keys)


@pytest.mark.parametrize("text", ["", "secret", "SCRAM-SHA-1$4096:AAAA", "SCRAM-SHA-1$x:AAAA$AAAA:AAAA", "a$1:!$A:A"])
def test_text_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not SCRAM keys"):
        load(text)


@pytest.mark.parametrize(
    ("hash", "keys", "reason"),
    [
        ("MD5", Keys(bytes(16), 4096, bytes(16), bytes(16)), "not a hash"),
        ("SHA-1", Keys(bytes(16), 4095, bytes(20), bytes(20)), "iterations"),
        ("SHA-1", Keys(bytes(16), 10**9, bytes(20), bytes(20)), "iterations"),
        ("SHA-1", Keys(bytes(11), 4096, bytes(20), bytes(20)), "salt"),
        ("SHA-1", Keys(bytes(16), 4096, bytes(19), bytes(20)), "20 bytes"),
        ("SHA-512", Keys(bytes(16), 4096, bytes(64), bytes(20)), "64 bytes"),
    ],
)
def test_keys_from_elsewhere_are_checked(hash: str, keys: Keys, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check(hash, keys)
