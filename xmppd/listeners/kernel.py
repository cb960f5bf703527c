"""What the kernel knows of a TCP connection."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios


def unacknowledged(transport: asyncio.Transport) -> int:
    """Bytes that were written and that the peer's TCP has not acknowledged; on systems that do not tell, those here."""
    waiting = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    if connection is None:
        return waiting
    try:
        # Linux: SIOCOUTQ, which has the number of TIOCOUTQ, counts for a TCP socket until the acknowledgement.
        answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return waiting
    unsent: int = struct.unpack("i", answer)[0]
    return waiting + unsent
