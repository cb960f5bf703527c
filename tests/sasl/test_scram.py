"""SCRAM against a client nobody here wrote, against the RFCs' own examples, and against liars."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

import pytest
from scramp import ScramClient

from tests.sasl.parties import BINDING, FAKE, PLAINTEXT, TLS, scram, serve
from xmppd.sasl import Challenge, Lookup, SASLError, Success, begin, derive
from xmppd.sasl.scram import Scram

HASHES = ["SHA-1", "SHA-256", "SHA-512"]
END_POINT = ("tls-server-end-point", BINDING)


@pytest.mark.parametrize("hash", HASHES)
def test_login(hash: str) -> None:
    assert scram(f"SCRAM-{hash}", PLAINTEXT).user == "alice"


@pytest.mark.parametrize("hash", HASHES)
def test_login_bound_to_the_channel(hash: str) -> None:
    assert scram(f"SCRAM-{hash}-PLUS", TLS, binding=END_POINT).user == "alice"


def test_user_name_is_prepared() -> None:
    assert scram("SCRAM-SHA-1", TLS, user="ALICE").user == "alice"


def test_wrong_password_is_refused() -> None:
    with pytest.raises(SASLError, match="not-authorized"):
        scram("SCRAM-SHA-256", TLS, password="wrong")  # noqa: S106


def test_another_channel_is_refused() -> None:
    with pytest.raises(SASLError, match="not-authorized"):
        scram("SCRAM-SHA-256-PLUS", TLS, binding=("tls-server-end-point", b"a man in the middle"))


@pytest.mark.parametrize(
    ("name", "password", "nonce", "salt", "exchange"),
    [
        (
            "SCRAM-SHA-1",
            "pencil",
            "3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            [
                "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ],
        ),
        (
            "SCRAM-SHA-256",
            "pencil",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            [
                "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ],
        ),
    ],
)
def test_examples_of_rfc_5802_and_7677(name: str, password: str, nonce: str, salt: str, exchange: list[str]) -> None:
    hash = name.removeprefix("SCRAM-")
    keys = derive(password, hash, 4096, b64decode(salt))
    mechanism = Scram(name, PLAINTEXT, FAKE, plus_offered=False, nonce=nonce)
    assert mechanism.receive(exchange[0].encode()) == Lookup("user")
    assert mechanism.found({hash: keys}) == Challenge(exchange[1].encode())
    assert mechanism.receive(exchange[2].encode()) == Success("user", exchange[3].encode())


def test_without_initial_response_the_client_is_asked_for_it_once() -> None:
    mechanism = begin("SCRAM-SHA-1", PLAINTEXT, FAKE)
    assert mechanism.receive(b"") == Challenge(b"")
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.receive(b"")


@pytest.mark.parametrize("user", ["nobody", "alice"])
def test_unknown_user_and_wrong_password_get_the_same_answers(user: str) -> None:
    client = ScramClient(["SCRAM-SHA-256"], user, "wrong")
    mechanism = begin("SCRAM-SHA-256", TLS, FAKE, ["SCRAM-SHA-256"])
    first = serve(mechanism, mechanism.receive(client.get_client_first().encode()))
    assert isinstance(first, Challenge)
    challenge = first.payload.decode()
    assert re.fullmatch(r"r=[0-9a-f]{64}[A-Za-z0-9_-]{24},s=[A-Za-z0-9+/]{22}==,i=4096", challenge), challenge
    client.set_server_first(challenge)
    with pytest.raises(SASLError) as refusal:
        mechanism.receive(client.get_client_final().encode())
    assert (refusal.value.condition, refusal.value.text) == ("not-authorized", "unknown user or wrong password")


def test_unknown_user_has_the_same_salt_each_time_and_another_for_each_hash() -> None:
    def salt(name: str, user: str) -> str:
        mechanism = begin(name, PLAINTEXT, FAKE)
        challenge = serve(mechanism, mechanism.receive(f"n,,n={user},r=abc".encode()))
        assert isinstance(challenge, Challenge)
        return challenge.payload.decode().split(",")[1]

    assert salt("SCRAM-SHA-1", "nobody") == salt("SCRAM-SHA-1", "nobody")
    assert len({salt("SCRAM-SHA-1", "nobody"), salt("SCRAM-SHA-256", "nobody"), salt("SCRAM-SHA-1", "noone")}) == 3


def test_user_without_keys_for_this_hash_looks_like_an_unknown_one() -> None:
    client = ScramClient(["SCRAM-SHA-512"], "alice", "x")
    mechanism = begin("SCRAM-SHA-512", PLAINTEXT, FAKE)
    mechanism.receive(client.get_client_first().encode())
    challenge = mechanism.found({"SHA-1": derive("x", "SHA-1")})
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.payload.decode())
    with pytest.raises(SASLError, match="not-authorized"):
        mechanism.receive(client.get_client_final().encode())


@pytest.mark.parametrize(
    ("name", "first", "condition", "text"),
    [
        ("SCRAM-SHA-1", "y,,n=alice,r=abc", "not-authorized", "server-does-support-channel-binding"),
        ("SCRAM-SHA-1", "p=tls-server-end-point,,n=alice,r=abc", "malformed-request", "-PLUS"),
        ("SCRAM-SHA-1-PLUS", "n,,n=alice,r=abc", "malformed-request", "channel binding"),
        ("SCRAM-SHA-1-PLUS", "y,,n=alice,r=abc", "malformed-request", "channel binding"),
        ("SCRAM-SHA-1-PLUS", "p=tls-unique,,n=alice,r=abc", "not-authorized", "unsupported-channel-binding-type"),
        ("SCRAM-SHA-1-PLUS", "p=tls-exporter,,n=alice,r=abc", "not-authorized", "unsupported-channel-binding-type"),
    ],
)
def test_downgrade_is_refused_before_anybody_is_looked_up(name: str, first: str, condition: str, text: str) -> None:
    with pytest.raises(SASLError) as refusal:
        begin(name, TLS, FAKE).receive(first.encode())
    assert refusal.value.condition == condition
    assert text in refusal.value.text


def test_client_that_could_bind_may_log_in_where_no_plus_was_offered() -> None:
    success = scram("SCRAM-SHA-1", TLS, binding=("tls-server-end-point", BINDING), offer=["SCRAM-SHA-1"])
    assert success.user == "alice"


def login_for(authzid: str) -> Success:
    """The client of the library sends no authzid, so its header is changed on the way, in both places."""
    client = ScramClient(["SCRAM-SHA-1"], "user", "pencil", c_nonce="abc")
    escaped = authzid.replace("=", "=3D").replace(",", "=2C")
    header = f"n,a={escaped},"
    client.gs2_header = type("Header", (), {"make_cbind_input": lambda self, binding: header.encode()})()
    mechanism = begin("SCRAM-SHA-1", PLAINTEXT, FAKE)
    mechanism.receive(f"{header}n=user,r=abc".encode())
    client.stage, client.client_first_bare = 1, "n=user,r=abc"
    challenge = mechanism.found({"SHA-1": derive("pencil", "SHA-1")})
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.payload.decode())
    success = mechanism.receive(client.get_client_final().encode())
    assert isinstance(success, Success)
    return success


def test_authzid_of_oneself_is_granted() -> None:
    assert login_for("user@example.org").authzid == "user@example.org"
    assert login_for("User@EXAMPLE.org").authzid == "user@example.org"


@pytest.mark.parametrize("authzid", ["bob@example.org", "user@example.com", "user", "user@example.org/home", "@", "=,"])
def test_authzid_of_another_is_refused(authzid: str) -> None:
    with pytest.raises(SASLError, match="invalid-authzid"):
        login_for(authzid)


def test_header_that_differs_from_the_one_bound_is_refused() -> None:
    """An attacker who takes the authzid out of the first message does not get through."""
    client = ScramClient(["SCRAM-SHA-1"], "alice", "correct horse", c_nonce="abc")
    client.get_client_first()
    mechanism = begin("SCRAM-SHA-1", PLAINTEXT, FAKE)
    challenge = serve(mechanism, mechanism.receive(b"n,a=alice@example.org,n=alice,r=abc"))
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.payload.decode())
    with pytest.raises(SASLError, match="not-authorized"):
        mechanism.receive(client.get_client_final().encode())


@pytest.mark.parametrize(
    "first",
    [
        "n,,r=abc",
        "n,,n=alice",
        "n,,n=alice,r=",
        "n,,n=al=ice,r=abc",
        "n,,m=x,n=alice,r=abc",
        "n,,n=alice,m=x,r=abc",
        "x,,n=alice,r=abc",
        "n,n=alice,r=abc",
        "n,,n=alice,r=ab\x00c",
        "n,,n=alice,r=abc,r=def",
        "n,,n=alice,r=" + "a" * 4096,
    ],
)
def test_malformed_first_message(first: str) -> None:
    mechanism = begin("SCRAM-SHA-1", PLAINTEXT, FAKE)
    with pytest.raises(SASLError, match="malformed-request"):
        serve(mechanism, mechanism.receive(first.encode()))


def test_name_that_nobody_can_have_is_no_different_from_an_unknown_one() -> None:
    with pytest.raises(SASLError, match="unknown user or wrong password"):
        begin("SCRAM-SHA-1", PLAINTEXT, FAKE).receive(b"n,,n=al@ice,r=abc")


@pytest.mark.parametrize("change", ["nonce", "proof", "short proof", "no proof"])
def test_final_message_that_was_changed(change: str) -> None:
    client = ScramClient(["SCRAM-SHA-1"], "alice", "correct horse")
    mechanism = begin("SCRAM-SHA-1", PLAINTEXT, FAKE)
    challenge = serve(mechanism, mechanism.receive(client.get_client_first().encode()))
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.payload.decode())
    binding, nonce, proof = client.get_client_final().split(",")
    finals = {
        "nonce": f"{binding},{nonce}x,{proof}",
        "proof": f"{binding},{nonce},p={b64encode(bytes(20)).decode()}",
        "short proof": f"{binding},{nonce},p=AAAA",
        "no proof": f"{binding},{nonce}",
    }
    with pytest.raises(SASLError, match=r"not-authorized|malformed-request"):
        mechanism.receive(finals[change].encode())


def test_an_exchange_is_not_used_twice() -> None:
    client = ScramClient(["SCRAM-SHA-1"], "alice", "correct horse")
    mechanism = begin("SCRAM-SHA-1", PLAINTEXT, FAKE)
    challenge = serve(mechanism, mechanism.receive(client.get_client_first().encode()))
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.payload.decode())
    final = client.get_client_final().encode()
    assert isinstance(mechanism.receive(final), Success)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.receive(final)


def test_steps_out_of_turn() -> None:
    mechanism = begin("SCRAM-SHA-1", PLAINTEXT, FAKE)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.found(None)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.computed(True)
    assert mechanism.receive(b"n,,n=alice,r=abc") == Lookup("alice")
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.receive(b"n,,n=bob,r=abc")
    mechanism.found(None)
    with pytest.raises(SASLError, match="malformed-request"):
        mechanism.found({"SHA-1": derive("pencil", "SHA-1")})
