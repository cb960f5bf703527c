"""Clients that come by WebSocket and by BOSH; blocking while they log in, driven by a pump afterwards."""

import contextlib
import os
import re
import socket
from abc import ABC, abstractmethod
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.bench.accounts import HOST
from tests.bench.wire import Wire

_CHUNK = 65536
_TIMEOUT = 60.0
_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
_KEY = b"\x5a\x17\xc3\x88"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_SID = re.compile(rb"""sid=['"]([^'"]+)['"]""")
# What a browser sends along with each request of a page.
_HEADERS = (
    "Connection: keep-alive\r\nContent-Type: text/xml; charset=UTF-8\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
)


def standalone(stanza: bytes) -> bytes:
    """The stanza as it stands where no stream header says its namespace."""
    end = re.match(rb"<\w+", stanza)
    if end is None or b"xmlns=" in stanza[: stanza.find(b">")]:
        return stanza
    return stanza[: end.end()] + b" xmlns='jabber:client'" + stanza[end.end() :]


class WebWire(Wire, ABC):
    """What both have."""

    _end: bytes  # what says that the stream has ended

    def send_with_ping(self, stanza: bytes) -> bytes:
        if stanza:
            self.send(stanza)
        return super().send_with_ping(b"")

    def expect(self, mark: bytes) -> bytes:
        while mark not in self._got:
            if b"<failure" in self._got or self._end in self._got:
                raise ConnectionError(f"waited for {mark!r}, got {self._got!r}")
            self._read()
        return self._cut(mark)

    @abstractmethod
    def _read(self) -> None:
        """Wait for more and add it to what is there."""

    def _cut(self, mark: bytes) -> bytes:
        end = self._got.find(b">", self._got.find(mark) + len(mark) - 1) + 1
        taken, self._got = self._got[:end], self._got[end:]
        return taken


class WebSocketWire(WebWire):
    """RFC 7395; without compression."""

    _end = b"stream:error"

    def __init__(self, port: int, path: str) -> None:
        super().__init__(port)
        self._raw = b""
        key = b64encode(os.urandom(16)).decode()
        self.sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._raw:
            self._raw += self._chunk()
        head, _, self._raw = self._raw.partition(b"\r\n\r\n")
        if b" 101 " not in head:
            raise ConnectionError(f"no WebSocket: {head!r}")

    @staticmethod
    def packed(stanza: bytes) -> bytes:
        """One message as a frame."""
        size = len(stanza)
        head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        keys = (_KEY * (size // 4 + 1))[:size]
        mask = int.from_bytes(stanza, "big") ^ int.from_bytes(keys, "big")
        return head + _KEY + mask.to_bytes(size, "big")

    def send(self, stanza: bytes) -> None:
        self.sock.sendall(self.packed(standalone(stanza)))

    def _read(self) -> None:
        self._raw += self._chunk()
        self._unframe()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.send(f"<close xmlns='{_FRAMING}'/>".encode())
            self.sock.sendall(b"\x88\x82" + _KEY + bytes(a ^ b for a, b in zip(b"\x03\xe8", _KEY, strict=False)))

    def _open(self) -> None:
        self.send(f"<open xmlns='{_FRAMING}' to='{HOST}' version='1.0'/>".encode())
        self.expect(b"</stream:features>")

    def _chunk(self) -> bytes:
        self._acknowledge()
        chunk = self.sock.recv(_CHUNK)
        if not chunk:
            raise ConnectionError(f"the server closed after {self._raw + self._got!r}")
        return chunk

    def _unframe(self) -> None:
        while len(self._raw) >= 4:
            size, at = self._raw[1], 2
            if size == 126:
                size, at = int.from_bytes(self._raw[2:4], "big"), 4
            elif size == 127:
                size, at = int.from_bytes(self._raw[2:10], "big"), 10
            if len(self._raw) < at + size:
                return
            self._got += self._raw[at : at + size]
            self._raw = self._raw[at + size :]


class BoshWire(WebWire):
    """XEP-0124 with one request held; two connections while it logs in, one afterwards."""

    _end = b"terminate"

    def __init__(self, port: int, path: str, wrap: Callable[[socket.socket], Any] = lambda sock: sock) -> None:
        """`wrap` lays something around each connection, as TLS."""
        super().__init__(port)
        self.sock = wrap(self.sock)
        self._head = f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n{_HEADERS}Origin: http://{HOST}:{port}\r\n"
        self._other: socket.socket = wrap(socket.create_connection(("127.0.0.1", port), _TIMEOUT))
        self._other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._free = [self._other, self.sock]
        self._waiting: deque[socket.socket] = deque()
        self._rid = 1573741820
        self._sid = b""

    def request(self, inside: bytes = b"", more: str = "") -> bytes:
        """The next request."""
        self._rid += 1
        sid = f" sid='{self._sid.decode()}'" if self._sid else ""
        body = f"<body rid='{self._rid}'{sid} xmlns='http://jabber.org/protocol/httpbind'{more}>".encode()
        body += inside + b"</body>"
        return f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def send(self, stanza: bytes) -> None:
        self._post(standalone(stanza))

    def _read(self) -> None:
        if not self._waiting:
            self._post(b"")
        self._got += _inside(self._answer())

    def hold(self, inside: bytes = b"") -> None:
        """Send a request, and have it alone under way, on the one connection that is used from now on."""
        self._post(inside)
        while len(self._waiting) > 1:
            self._answer()
        self._other = self.sock if self.sock is not self._waiting[0] else self._other
        self.sock = self._waiting[0]

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.sendall(self.request(more=" type='terminate'"))
            self.sock.shutdown(socket.SHUT_WR)

    def _open(self) -> None:
        if not self._sid:
            begin = " wait='60' hold='1' ver='1.6' xml:lang='en' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"
            self._post(b"", f" to='{HOST}'{begin}")
            found = None
            while found is None:
                answer = self._answer()
                self._got += _inside(answer)
                found = _SID.search(answer)
            self._sid = found[1]
        else:
            self._post(b"", f" to='{HOST}' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'")
        self.expect(b"</stream:features>")

    def _post(self, inside: bytes, more: str = "") -> None:
        if not self._free:
            self._got += _inside(self._answer())
        sock = self._free.pop()
        sock.sendall(self.request(inside, more))
        self._waiting.append(sock)

    def _answer(self) -> bytes:
        sock = self._waiting.popleft()
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0 or len(got) < end + 4 + _length(got[:end]):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            chunk = sock.recv(_CHUNK)
            if not chunk:
                raise ConnectionError(f"the server closed after {got!r}")
            got += chunk
        self._free.append(sock)
        return got[end + 4 :]


def _inside(body: bytes) -> bytes:
    """What a body of BOSH holds; a body that ends the session stays as it is."""
    return body if b"terminate" in body else body[body.find(b">") + 1 :].removesuffix(b"</body>")


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0
