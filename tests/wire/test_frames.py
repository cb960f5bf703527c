"""WebSocket frames: cut anywhere, wrong in every way, compressed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kit.websocket import masked, packed
from xmppd.wire.frames import (
    BINARY,
    CLOSE,
    MOST_FRAGMENTS,
    PING,
    PONG,
    TEXT,
    Frames,
    close_frame,
    deflated,
    frame,
    inflate,
)

SIZES = (0, 1, 125, 126, 127, 65535, 65536, 70000)


@pytest.mark.parametrize("size", SIZES)
def test_a_message_of_any_size_is_read(size: int) -> None:
    text = bytes(97 + at % 26 for at in range(size))
    assert Frames(100_000).receive(masked(TEXT, text)) == [(TEXT, text)]


@pytest.mark.parametrize("size", SIZES)
def test_a_message_of_any_size_is_written(size: int) -> None:
    text = b"a" * size
    sent = frame(TEXT, text)
    head = len(sent) - size
    assert sent[0] == 0x81
    assert head == (2 if size < 126 else 4 if size < 65536 else 10)
    assert sent[head:] == text


def test_cut_at_every_byte_it_is_the_same() -> None:
    text = "grün".encode() * 40
    whole = masked(TEXT, text) + masked(PING, b"x") + masked(TEXT, b"a", 0) + masked(0, b"b")
    expected = [(TEXT, text), (PING, b"x"), (TEXT, b"ab")]
    for cut in range(len(whole)):
        frames = Frames(1000)
        assert frames.receive(whole[:cut]) + frames.receive(whole[cut:]) == expected
    frames = Frames(1000)
    assert [message for at in range(len(whole)) for message in frames.receive(whole[at : at + 1])] == expected


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=300)), max_size=5), st.data())
def test_messages_in_fragments_and_pieces_come_whole(messages: list[tuple[int, bytes]], data: st.DataObject) -> None:
    sent = b""
    for opcode, payload in messages:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        pieces = [payload[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for number, piece in enumerate(pieces):
            sent += masked(0 if number else opcode, piece, 0x80 if number == len(pieces) - 1 else 0)
    frames, got = Frames(1000), []
    at = 0
    while at < len(sent):
        step = data.draw(st.integers(1, 200))
        got += frames.receive(sent[at : at + step])
        at += step
    expected = []
    for opcode, payload in messages:  # text that is no UTF-8 ends it
        try:
            payload.decode()
        except UnicodeDecodeError:
            if opcode == TEXT:
                break
        expected.append((opcode, payload))
    assert got == expected


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_garbage_breaks_it_and_nothing_else(pieces: list[bytes]) -> None:
    frames = Frames(1000, deflate=True)
    for piece in pieces:
        frames.receive(piece)
    if frames.broken is not None:
        assert frames.broken.code in (1002, 1007, 1008, 1009)
        assert frames.receive(masked(TEXT, b"more")) == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"not masked"), 1002),
        (masked(TEXT, b"a", 0xC0), 1002),
        (masked(TEXT, b"a", 0xA0), 1002),
        (masked(TEXT, b"a", 0x90), 1002),
        (masked(3, b""), 1002),
        (masked(11, b""), 1002),
        (masked(0, b""), 1002),
        (masked(TEXT, b"", 0) + masked(BINARY, b""), 1002),
        (masked(CLOSE, b"", 0), 1002),
        (masked(PING, b"a" * 126), 1002),
        (masked(TEXT, b"\xff"), 1007),
        (masked(TEXT, b"a" * 1001), 1009),
        (masked(TEXT, b"a" * 600, 0) + masked(0, b"a" * 401), 1009),
        (b"\x81\xff" + b"\xff" * 8, 1009),
        (masked(TEXT, b"", 0) + masked(0, b"", 0) * MOST_FRAGMENTS, 1008),
    ],
)
def test_what_breaks_the_protocol(sent: bytes, code: int) -> None:
    frames = Frames(1000)
    frames.receive(masked(PONG, b"") + sent)
    assert frames.broken is not None
    assert frames.broken.code == code


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999])
@pytest.mark.parametrize("reason", ["", "grün", "x" * 123])
def test_rfc_6455_7_4_a_code_that_may_be_sent_closes(code: int, reason: str) -> None:
    payload = code.to_bytes(2, "big") + reason.encode()
    assert Frames(1000).receive(masked(CLOSE, payload)) == [(CLOSE, payload)]


def test_rfc_6455_5_5_1_a_close_frame_need_not_say_why() -> None:
    assert Frames(1000).receive(masked(CLOSE, b"")) == [(CLOSE, b"")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_rfc_6455_7_4_a_code_that_may_not_be_sent_breaks_the_protocol(code: int) -> None:
    frames = Frames(1000)
    assert frames.receive(masked(CLOSE, code.to_bytes(2, "big") + b"bye")) == []
    assert frames.broken is not None
    assert frames.broken.code == 1002


@pytest.mark.parametrize(("payload", "code"), [(b"\x03", 1002), (b"\x03\xe8\xff", 1007)])
def test_rfc_6455_5_5_1_half_a_code_or_a_reason_that_is_no_text_breaks_it(payload: bytes, code: int) -> None:
    frames = Frames(1000)
    assert frames.receive(masked(CLOSE, payload)) == []
    assert frames.broken is not None
    assert frames.broken.code == code


def test_what_came_before_is_not_lost() -> None:
    frames = Frames(1000)
    assert frames.receive(masked(TEXT, b"hello") + frame(TEXT, b"not masked")) == [(TEXT, b"hello")]


def test_a_message_is_too_long_before_it_is_there() -> None:
    frames = Frames(1000)
    frames.receive(masked(TEXT, b"a" * 2000)[:8])
    assert frames.broken is not None


@given(st.text(max_size=3000))
def test_compressed_text_comes_back(text: str) -> None:
    sent = deflated(text.encode())
    assert sent[0] == 0xC1
    size = sent[1]
    begin = 2 if size < 126 else 4
    assert inflate(sent[begin:], 20_000) == text.encode()
    assert Frames(20_000, deflate=True).receive(masked(TEXT, sent[begin:], 0xC0)) == [(TEXT, text.encode())]


@pytest.mark.parametrize(
    ("payload", "code"), [(packed(b" " * 10_000_000), 1009), (b"\xff\xff\xff", 1007), (packed(b"a" * 1001), 1009)]
)
def test_a_bomb_is_not_unpacked(payload: bytes, code: int) -> None:
    frames = Frames(20_000, deflate=True)
    frames.limit = 1000 if len(payload) < 1000 else 20_000
    frames.receive(masked(TEXT, payload, 0xC0))
    assert frames.broken is not None
    assert frames.broken.code == code


def test_a_close_frame_has_a_code_and_fits() -> None:
    closing = close_frame(1009, "x" * 200)
    assert closing[:4] == bytes([0x88, 125]) + (1009).to_bytes(2, "big")
    assert len(closing) == 127
