"""The host a client names, out of its first bytes."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.listeners.tls_client import TLS12, TLS13, TLSClient, trusting_context
from xmppd.listeners.hello import MAX_HELLO, Hello
from xmppd.listeners.tls import TLSEngine


def hello(name: str | None, version: ssl.TLSVersion = TLS13) -> bytes:
    unused = TLSEngine(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    return TLSClient(unused, trusting_context(version), name).step()


def server_name(received: bytes) -> str | None:
    """What `Hello` says of all that a client has sent so far."""
    return Hello().feed(received)


def in_records(message: bytes, size: int) -> bytes:
    """The message of one record, cut into records of so many bytes."""
    body = message[5:]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(message[:3] + len(piece).to_bytes(2, "big") + piece for piece in pieces)


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])
def test_the_name_is_found(version: ssl.TLSVersion) -> None:
    assert server_name(hello("example.org", version)) == "example.org"


def test_no_name_is_none() -> None:
    assert server_name(hello(None)) == ""


def test_more_is_needed_until_the_last_byte() -> None:
    whole = hello("example.org")
    assert {server_name(whole[:cut]) for cut in range(len(whole))} == {None}
    assert server_name(whole + b"what follows") == "example.org"


@pytest.mark.parametrize("size", [1, 3, 4, 5, 100])
def test_a_hello_in_many_records(size: int) -> None:
    assert server_name(in_records(hello("example.org"), size)) == "example.org"


def test_a_hello_in_pieces_is_read_once() -> None:
    """A byte at a time in records of a byte each: what was read is not read again, or a stranger could buy seconds."""
    begun, whole = Hello(), in_records(hello("example.org"), 1)
    most = 0
    for at in range(len(whole) - 1):
        assert begun.feed(whole[at : at + 1]) is None
        most = max(most, len(begun._rest))
    assert begun.feed(whole[-1:]) == "example.org"
    assert most == 5


def test_a_name_that_is_not_ascii_is_some_other_name() -> None:
    assert server_name(hello("example.org").replace(b"example.org", b"\xff\xfe.org.orgs")) == "\ufffd\ufffd.org.orgs"


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1", b"<stream:stream", bytes(MAX_HELLO + 1), b"\x15\x03\x01\x00\x02"])
def test_noise_has_no_name(noise: bytes) -> None:
    assert server_name(noise) == ""


def test_another_message_has_no_name() -> None:
    assert server_name(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00") == ""


@given(st.binary(max_size=300))
def test_a_broken_hello_breaks_nothing(body: bytes) -> None:
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    assert isinstance(server_name(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message), str)


@given(st.integers(0, 250), st.binary(min_size=1, max_size=4))
def test_a_hello_changed_anywhere_breaks_nothing(at: int, change: bytes) -> None:
    whole = hello("example.org")
    server_name(whole[:at] + change + whole[at + len(change) :])
