"""Objects as records: msgpack, where it is installed."""

from __future__ import annotations

from typing import Any


def packed(record: Any) -> bytes:
    """Bytes as they are, anything else as msgpack. `TypeError` for what msgpack has no form for."""
    if isinstance(record, bytes | bytearray | memoryview):
        return bytes(record)
    return bytes(_msgpack().packb(record))


def unpacked(record: bytes) -> Any:
    """The object that `packed` was given. `ValueError` for bytes that are no msgpack."""
    return _msgpack().unpackb(record)


def _msgpack() -> Any:
    try:
        import msgpack
    except ImportError:
        raise ImportError("objects travel as msgpack: pip install xmppd[channels], or yield bytes") from None
    return msgpack
