"""Reads HTTP/1 requests (RFC 9112): bytes in, whole requests out, within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import httptools

MAX_HEAD: Final = 16384  # bytes of the request line and the headers; browsers send up to some 4 KiB
MAX_HEADERS: Final = 100
ABSOLUTE: Final = re.compile(rb"https?://([^/?#]+)([^#]*)", re.IGNORECASE)


class Refused(Exception):
    """A request that is not served; the connection ends with this answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Arrived:
    """One whole request. Names of headers are in lower case; one that came several times is joined by commas.

    `target` begins with the path, also where the client sent scheme and authority before it.
    """

    __slots__ = ("body", "headers", "keep_alive", "method", "target", "upgrade", "version")

    def __init__(self, method: bytes, target: bytes, version: str, headers: dict[bytes, bytes], body: bytes) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = body
        self.keep_alive = self.upgrade = False
        if target[:1] != b"/" and (found := ABSOLUTE.fullmatch(target)) is not None:
            self._drop_authority(*found.groups())

    def _drop_authority(self, authority: bytes, path: bytes) -> None:
        """What the client says in its target counts, whatever its Host says (RFC 9112 3.2.2)."""
        self.headers[b"host"] = authority
        self.target = path if path[:1] == b"/" else b"/" + path

    @property
    def is_handshake(self) -> bool:
        """Whether it asks for a protocol that is spoken here: WebSocket, without a body (RFC 6455 4.2.1)."""
        headers = self.headers
        return (
            (self.method, self.version, self.keep_alive) == (b"GET", "1.1", True)
            and headers.get(b"upgrade", b"").lower() == b"websocket"
            and headers.get(b"content-length", b"0") == b"0"
            and b"transfer-encoding" not in headers
        )

    def without_upgrade(self) -> bytes:
        """Its head as one that asks for no other protocol: those that are not spoken here are passed over."""
        kept = [(name, value) for name, value in self.headers.items() if name not in (b"upgrade", b"connection")]
        if not self.keep_alive:
            kept.append((b"connection", b"close"))
        lines = b"".join(b"%b: %b\r\n" % header for header in kept)
        return b"%b %b HTTP/%b\r\n%b\r\n" % (self.method, self.target, self.version.encode(), lines)


@dataclass(slots=True)
class Bounds:
    """The most that the body of one request may have, in bytes."""

    body: int


class Reader:
    """A parser. Between two requests it remembers nothing, so it serves many connections in turn.

    `rest` is what came behind a request to change the protocol. `waiting` says that the client wants to be asked for
    the body (RFC 9110 10.1.1).
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._done: list[Arrived] = []
        self._begin()
        self._fed = 0
        self._parser: Any = httptools.HttpRequestParser(self)
        self.rest = b""

    @property
    def idle(self) -> bool:
        """Whether it stands between two requests."""
        return not self._begun

    def feed(self, data: bytes) -> list[Arrived]:
        """Take bytes; return the requests that they finish. Raises `Refused`; `taken` has those before it."""
        while True:
            size = self._size
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._parser = httptools.HttpRequestParser(self)
                data = self._pass_over(data[upgrade.args[0] :])
                if data:
                    continue
            except httptools.HttpParserCallbackError as error:
                if isinstance(error.__context__, Refused):
                    raise error.__context__ from None
                raise
            except httptools.HttpParserError as error:
                raise Refused(400, f"the request cannot be read: {error}") from None
            if self._begun and not self._done and self._size == size:  # no other request's, and of no body
                self._fed += len(data)
                self._check_head(self._fed)
            return self.taken()

    def _pass_over(self, behind: bytes) -> bytes:
        """The last request as one that asks for no other protocol, and what stands behind it; b"" where it may ask."""
        if self._done[-1].upgrade:
            self.rest = behind
            return b""
        request = self._done.pop()
        if request.method == b"CONNECT":  # it asks whatever its headers say, so without them it would ask again
            raise Refused(501, "nothing is tunnelled here")
        return request.without_upgrade() + behind

    def taken(self) -> list[Arrived]:
        """The requests that are finished, taken out."""
        done, self._done = self._done, []
        return done

    @property
    def waiting(self) -> bool:
        """Whether the client waits to be told that it may send the body."""
        return self._headed and self._head.get(b"expect", b"").lower() == b"100-continue" and not self._body

    def _begin(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._head = self._headers
        self._body: bytes | bytearray = b""
        self._begun = self._headed = False
        self._long = self._size = self._count = self._fed = 0

    # What httptools calls

    def on_message_begin(self) -> None:
        self._begun = True

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._check_head(len(self._target))

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        headers = self._headers
        self._long += len(name) + len(value)
        self._count += 1
        if self._long > MAX_HEAD or self._count > MAX_HEADERS:
            raise Refused(431, "the headers are too long or too many")
        headers[name] = b"%b, %b" % (headers[name], value) if name in headers else value

    def on_headers_complete(self) -> None:
        self._headed = True
        self._head, self._headers = self._headers, {}  # fields behind the body are no headers (RFC 9110 6.5.1)
        length = self._head.get(b"content-length", b"0")
        if int(length) > self._bounds.body:
            raise Refused(413, f"the body may have {self._bounds.body} bytes at most")
        self._check_host(self._head.get(b"host"))

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._bounds.body:
            raise Refused(413, f"the body may have {self._bounds.body} bytes at most")
        if self._size == len(body):  # as a rule it comes in one piece
            self._body = body
        else:
            self._add(body)

    def on_message_complete(self) -> None:
        parser = self._parser
        arrived = Arrived(parser.get_method(), self._target, parser.get_http_version(), self._head, bytes(self._body))
        arrived.keep_alive = parser.should_keep_alive()
        arrived.upgrade = parser.should_upgrade() and arrived.is_handshake
        self._done.append(arrived)
        self._begin()

    def _add(self, body: bytes) -> None:
        """One more piece; they are not kept one by one, for a chunk of two bytes takes forty so."""
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += body

    def _check_host(self, host: bytes | None) -> None:
        """There is one, and no name in it has spaces; only HTTP/1.0 did without (RFC 9112 3.2)."""
        if b" " in host if host is not None else self._parser.get_http_version() > "1.0":
            raise Refused(400, "say in one Host header which host you want")

    def _check_head(self, size: int) -> None:
        if size > MAX_HEAD:
            raise Refused(431, "the request line or the headers are too long")


class Readers:
    """Readers that stand between two requests, for all connections of a listener."""

    KEPT: Final = 8

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._idle: list[Reader] = []

    def take(self) -> Reader:
        """One that expects a request."""
        return self._idle.pop() if self._idle else Reader(self._bounds)

    def give(self, reader: Reader) -> None:
        """Take back one that is idle, and whose last client keeps its connection."""
        if len(self._idle) < self.KEPT:
            self._idle.append(reader)
