"""Records in a stream of bytes: a length as a varint (seven bits a byte, the lowest first), then so many bytes."""

from __future__ import annotations

from typing import Final

from .errors import ChannelBroken

MOST_RECORD: Final = 1 << 20  # bytes; a length beyond it is taken for garbage, before a byte of it is kept


def framed(record: bytes) -> bytes:
    """The record with its length before it."""
    length, head = len(record), bytearray()
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + record


class Records:
    """Cuts what comes in back into records, however it was cut on the way."""

    def __init__(self, most: int = MOST_RECORD) -> None:
        self._most = most
        self._rest = b""

    @property
    def partial(self) -> bool:
        """Whether a record has begun and its end is missing."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The records that are whole now. `ChannelBroken` for one longer than allowed."""
        data = self._rest + data
        found, at = [], 0
        while (cut := self._cut(data, at)) is not None:
            begin, at = cut
            found.append(data[begin:at])
        self._rest = data[at:]
        return found

    def _cut(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Where the next record begins and ends, None while that cannot be known or its end is not here."""
        length = shift = 0
        for place in range(at, len(data)):
            length |= (data[place] & 0x7F) << shift
            if length > self._most or shift > 28:
                raise ChannelBroken(f"a record of more than {self._most} bytes was announced")
            if data[place] < 0x80:
                end = place + 1 + length
                return (place + 1, end) if end <= len(data) else None
            shift += 7
        return None
