"""HTTP requests, cut anywhere and wrong in every way."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.http.reading import MAX_HEAD, Bounds, Reader, Readers, Refused

POST = b"POST /bind?a=b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def reader(body: int = 1000) -> Reader:
    return Reader(Bounds(body))


def test_a_request_is_read() -> None:
    (request,) = reader().feed(POST)
    assert (request.method, request.target, request.body) == (b"POST", b"/bind?a=b", b"hello")
    assert (request.headers[b"host"], request.headers[b"x-a"]) == (b"h", b"1, 2")
    assert request.keep_alive


@pytest.mark.parametrize(
    ("asked", "target", "host"),
    [
        (b"http://localhost/index.html?a=b", b"/index.html?a=b", b"localhost"),
        (b"HTTPS://Localhost:5280", b"/", b"Localhost:5280"),
        (b"http://[::1]:5280?a=/", b"/?a=/", b"[::1]:5280"),
        (b"/http://localhost/", b"/http://localhost/", b"elsewhere"),
        (b"ftp://localhost/", b"ftp://localhost/", b"elsewhere"),
    ],
)
def test_of_an_absolute_target_the_path_is_left(asked: bytes, target: bytes, host: bytes) -> None:
    (request,) = reader().feed(b"GET %b HTTP/1.1\r\nHost: elsewhere\r\n\r\n" % asked)
    assert (request.target, request.headers[b"host"]) == (target, host)


def test_cut_at_every_byte_it_is_the_same() -> None:
    whole = POST + CHUNKED + POST
    for cut in range(len(whole)):
        one = reader()
        found = one.feed(whole[:cut]) + one.feed(whole[cut:])
        assert [request.body for request in found] == [b"hello"] * 3
        assert one.idle


def test_the_rest_behind_an_upgrade_is_kept_apart() -> None:
    one = reader()
    (request,) = one.feed(UPGRADE + b"\x81\x80")
    assert (request.upgrade, one.rest) == (True, b"\x81\x80")


def test_an_upgrade_that_is_not_known_is_a_request_like_others() -> None:
    sent = POST.replace(b"X-A: 1", b"Connection: Upgrade\r\nUpgrade: h2c")
    assert [(each.upgrade, each.body) for each in reader().feed(sent + POST)] == [(False, b"hello")] * 2


@pytest.mark.parametrize(
    "sent",
    [
        POST.replace(b"X-A: 1", b"Connection: Upgrade\r\nUpgrade: websocket"),
        CHUNKED.replace(b"POST", b"GET").replace(b"\r\nT", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nT"),
    ],
)
def test_what_has_a_body_asks_for_no_websocket(sent: bytes) -> None:
    assert [(each.upgrade, each.body) for each in reader().feed(sent + POST)] == [(False, b"hello")] * 2


@pytest.mark.parametrize(
    "sent",
    [UPGRADE.replace(b": Upgrade", b": Upgrade, close"), UPGRADE.replace(b"1.1", b"1.0")],
)
def test_a_connection_that_will_not_stay_becomes_no_websocket(sent: bytes) -> None:
    (request,) = reader().feed(sent)
    assert (request.upgrade, request.keep_alive) == (False, False)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST.replace(b"Content-Length: 5", b"Content-Length: 1001"), 413),
        (CHUNKED.partition(b"3\r\n")[0] + b"3e9\r\n" + b"a" * 1001, 413),
        (b"GET /" + b"a" * MAX_HEAD, 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 102, 431),
        (b"GET / HTTP/1.1\r\na: " + b"b" * MAX_HEAD, 431),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (POST.replace(b"X-A", b"Content-Length"), 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 501),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_no_request_is_refused(sent: bytes, status: int, whole: bool) -> None:
    assert refused_after(reader(), [sent] if whole else [bytes([byte]) for byte in sent]) == status


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"1.1\r\nHost: a\r\n", None),
        (b"1.1\r\nHost:\r\n", None),
        (b"1.0\r\n", None),
        (b"1.1\r\n", 400),
        (b"1.1\r\nHost: a\r\nHost: b\r\n", 400),
        (b"1.1\r\nHost: a\r\nHost: a\r\n", 400),
        (b"1.1\r\nHost: a b\r\n", 400),
        (b"1.0\r\nHost: a\r\nHost: b\r\n", 400),
    ],
)
@pytest.mark.parametrize("target", [b"/", b"http://a/"])
def test_rfc_9112_3_2_a_request_has_one_host(lines: bytes, status: int | None, target: bytes) -> None:
    assert refused_after(reader(), [b"GET %b HTTP/%b\r\n" % (target, lines)]) == status


def refused_after(one: Reader, pieces: list[bytes]) -> int | None:
    """The status with which a piece is refused; None where none is."""
    for piece in pieces:
        try:
            one.feed(piece)
        except Refused as refused:
            return refused.status
    return None


def test_a_head_byte_by_byte_has_its_limit() -> None:
    assert refused_after(reader(), [b"G", b"E", b"T", b" ", b"/"] + [b"a"] * MAX_HEAD) == 431


def test_a_body_in_tiny_chunks_takes_no_more_memory_than_it_has_bytes() -> None:
    size = 200_000
    one = reader(size)
    one.feed(CHUNKED.partition(b"3\r\n")[0])
    tracemalloc.start()
    for _ in range(size // 2000):
        one.feed(b"2\r\nab\r\n" * 1000)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2 * size
    (request,) = one.feed(b"0\r\n\r\n")
    assert request.body == b"ab" * (size // 2)


def test_fields_behind_the_body_are_no_headers() -> None:
    trailed = CHUNKED.replace(b"0\r\n\r\n", b"0\r\nX-Forwarded-For: 192.0.2.1\r\nHost: evil\r\nX-Last: 1\r\n\r\n")
    found = reader().feed(trailed + POST)
    assert [request.body for request in found] == [b"hello"] * 2
    assert found[0].headers == {b"host": b"h", b"transfer-encoding": b"chunked"}


def test_fields_behind_the_body_have_a_limit() -> None:
    endless = [CHUNKED.removesuffix(b"\r\n") + b"a: b", *[b"b" * 100] * 200]
    assert refused_after(reader(), endless) == 431


def test_a_head_behind_many_requests_is_not_too_long() -> None:
    one = reader()
    assert len(one.feed(POST * 300 + POST[:40])) == 300
    assert len(one.feed(POST[40:])) == 1


def test_those_before_a_bad_one_are_not_lost() -> None:
    one = reader()
    with pytest.raises(Refused):
        one.feed(POST + b"nonsense\r\n\r\n")
    assert [request.body for request in one.taken()] == [b"hello"]


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_garbage_is_refused_or_waited_for(pieces: list[bytes]) -> None:
    assert refused_after(reader(), pieces) in (None, 400, 413, 431)


def test_one_reader_serves_many_in_turn() -> None:
    readers = Readers(Bounds(1000))
    first = readers.take()
    first.feed(POST)
    readers.give(first)
    assert readers.take() is first
    (request,) = first.feed(b"GET / HTTP/1.1\r\nHost: i\r\n\r\n")
    assert (request.headers, request.body) == ({b"host": b"i"}, b"")
