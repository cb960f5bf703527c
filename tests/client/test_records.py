"""Records and blocks, without a stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.client.channels import ChannelBroken, packed, unpacked
from xmppd.client.channels.blocks import Blocks
from xmppd.client.channels.records import Records, framed

RECORDS = st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=120, max_size=300)), max_size=20)


@pytest.mark.parametrize(
    ("record", "wire"),
    [
        (b"", b"\x00"),
        (b"x", b"\x01x"),
        (b"x" * 127, b"\x7f" + b"x" * 127),
        (b"x" * 128, b"\x80\x01" + b"x" * 128),
        (b"x" * 300, b"\xac\x02" + b"x" * 300),
    ],
)
def test_a_record_is_a_varint_length_and_its_bytes(record: bytes, wire: bytes) -> None:
    assert framed(record) == wire
    assert Records().feed(wire) == [record]


@given(RECORDS, st.integers(1, 50))
def test_records_survive_any_block_size(records: list[bytes], size: int) -> None:
    blocks, cut = Blocks(size), Records()
    sent = [block for record in records for block in blocks.add(record)] + blocks.rest()
    assert all(0 < len(block) <= size for block in sent)
    assert len(blocks) == 0
    assert [record for block in sent for record in cut.feed(block)] == records
    assert not cut.partial


def test_half_a_record_is_no_record() -> None:
    records = Records()
    assert records.feed(b"\x05hel") == []
    assert records.partial
    assert records.feed(b"lo\x01!\x03") == [b"hello", b"!"]
    assert records.partial


@pytest.mark.parametrize("head", [b"\xff\xff\xff\xff\xff\xff", b"\x80\x80\x80\x80\x80\x80\x80", b"\x81\x08"])
def test_an_endless_length_is_refused(head: bytes) -> None:
    with pytest.raises(ChannelBroken, match="more than 1024 bytes"):
        Records(1024).feed(head)


def test_objects_come_back_and_bytes_are_left_alone() -> None:
    assert packed(b"\x81\xa1x\x05") == b"\x81\xa1x\x05"
    assert unpacked(packed({"s": "x", "x": 5})) == {"s": "x", "x": 5}
