"""Proxies, origins, encodings, the handshake and the wheel."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from xmppd.clock import Clock
from xmppd.http.answers import Dates, compressed, encoding
from xmppd.http.handshake import AGREED, BadHandshake, accept, deflate
from xmppd.http.origins import allowed, cors
from xmppd.http.peers import is_loopback, through_proxies
from xmppd.http.wheel import Wheel

PROXIES = [ip_network("10.0.0.0/8"), ip_network("127.0.0.1")]


@pytest.mark.parametrize(
    ("peer", "hops", "scheme", "seen"),
    [
        ("192.0.2.9", "203.0.113.5", "https", ("192.0.2.9", False)),
        ("10.0.0.1", "203.0.113.5", "https", ("203.0.113.5", True)),
        ("10.0.0.1", "203.0.113.5", "http", ("203.0.113.5", False)),
        ("10.0.0.1", "1.2.3.4, 203.0.113.5, 10.0.0.2", "https", ("203.0.113.5", True)),
        ("10.0.0.1", "nonsense", "https", ("10.0.0.1", True)),
        ("10.0.0.1", "1.2.3.4, nonsense, 10.0.0.2", "https", ("10.0.0.2", True)),
        ("10.0.0.1", "", "", ("10.0.0.1", False)),
        ("10.0.0.1", "203.0.113.5", "https, http", ("203.0.113.5", False)),
    ],
)
def test_the_client_behind_proxies(peer: str, hops: str, scheme: str, seen: tuple[str, bool]) -> None:
    headers = {b"x-forwarded-for": hops.encode(), b"x-forwarded-proto": scheme.encode()}
    assert through_proxies(peer, headers, PROXIES) == seen


def test_loopback() -> None:
    assert is_loopback("127.0.0.5")
    assert is_loopback("::1")
    assert not is_loopback("192.0.2.1")
    assert not is_loopback("")


@pytest.mark.parametrize(
    ("origin", "origins", "may"),
    [
        (b"", [], True),
        (b"https://chat.example", [], True),
        (b"https://chat.example:81", [], False),
        (b"https://evil.example", [], False),
        (b"https://evil.example", ["*"], True),
        (b"HTTPS://App.Example", ["https://app.example"], True),
        (b"null", [], False),
    ],
)
def test_origins(origin: bytes, origins: list[str], may: bool) -> None:
    assert allowed(origin, b"chat.example", origins) is may


def test_an_origin_is_named_unless_all_may() -> None:
    assert cors(b"https://a.example", ["*"]) == b"Access-Control-Allow-Origin: *\r\n"
    assert cors(b"https://a.example", []).startswith(b"Access-Control-Allow-Origin: https://a.example\r\n")
    assert cors(b"", ["*"]) == b""


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (b"", ""),
        (b"gzip, deflate", "gzip"),
        (b"gzip, zstd", "zstd"),
        (b"GZIP;q=1.0", "gzip"),
        (b"gzip;q=0, zstd;q=0.0", ""),
        (b"br, *", "zstd"),
        (b"zstd;q=0, *;q=0.5", "gzip"),
        (b"identity", ""),
    ],
)
def test_encodings(accepted: bytes, chosen: str) -> None:
    assert encoding(accepted) == chosen


def test_compressed_is_shorter() -> None:
    assert all(len(compressed(b"na " * 1000, how)) < 200 for how in ("gzip", "zstd"))


@pytest.mark.parametrize(
    ("offer", "agreed"),
    [
        (b"", ""),
        (b"permessage-deflate", AGREED),
        (b"permessage-deflate; client_max_window_bits", AGREED),
        (b"permessage-deflate; server_max_window_bits=12", f"{AGREED}; server_max_window_bits=12"),
        (b"permessage-deflate; server_max_window_bits=8", ""),
        (b"permessage-deflate; server_max_window_bits=8, permessage-deflate", AGREED),
        (b"permessage-deflate; unknown", ""),
        (b"permessage-deflate; client_max_window_bits=16", ""),
        (b"x-webkit-deflate-frame", ""),
    ],
)
def test_deflate_is_agreed_upon(offer: bytes, agreed: str) -> None:
    assert deflate(offer) == agreed


def test_the_handshake_of_rfc_6455_1_3() -> None:
    headers = {
        b"sec-websocket-version": b"13",
        b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
        b"sec-websocket-protocol": b"chat, xmpp",
    }
    assert accept(b"GET", headers, upgrade=True) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    with pytest.raises(BadHandshake):
        accept(b"GET", headers, upgrade=False)


def test_the_date_is_that_of_the_clock() -> None:
    class Still(Clock):
        def time(self) -> float:
            return 784111777.5

    assert Dates(Still()).now() == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


def test_the_wheel_looks_when_it_is_time_and_no_more_often() -> None:
    class Looked:
        def __init__(self) -> None:
            self.at: list[float] = []

        def look(self, now: float) -> float | None:
            self.at.append(now)
            return now + 30 if len(self.at) < 3 else None

    wheel, what = Wheel(), Looked()
    wheel.add(10, what)
    for second in range(200):
        wheel.turn(float(second))
    assert what.at == [10, 40, 70]
