"""One request and its answer, which may be given later; a connection's answers leave in the order of its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from .answers import PLAIN_TEXT, status_line
from .reading import Arrived

if TYPE_CHECKING:
    from .connection import HTTPConnection

NO_CONTENT: Final = (204, 304)
FORGOTTEN: Final = Arrived(b"", b"", "", {}, b"")


class Waiter(Protocol):
    """Who holds a request for later."""

    def dropped(self, exchange: Exchange) -> None:
        """The connection is gone; there is nobody to answer any more."""


class Exchange:
    """A request that waits for its answer. `address` and `secure` are the client's, proxies that are trusted apart.

    `cors` are headers that the answer has, `accepts` the encodings that it may have; both are BOSH's.
    """

    __slots__ = (
        "_old",
        "accepts",
        "address",
        "answer",
        "connection",
        "cors",
        "keep_alive",
        "request",
        "secure",
        "waiter",
    )

    def __init__(self, connection: HTTPConnection, request: Arrived, address: str, secure: bool) -> None:
        self.connection: HTTPConnection | None = connection
        self.request = request
        self.keep_alive = request.keep_alive
        self.address = address
        self.secure = secure
        self.cors = self.accepts = b""
        self.answer: bytes | None = None
        self.waiter: Waiter | None = None
        self._old = request.version == "1.0"

    @property
    def path(self) -> str:
        """The path that was asked for, without the query."""
        return self.request.target.partition(b"?")[0].decode("latin-1")

    def header(self, name: bytes) -> bytes:
        """A header of the request by its name in lower case; b"" where there is none."""
        return self.request.headers.get(name, b"")

    def forget(self) -> bytes:
        """The body of the request; nothing else of it is kept while the exchange waits."""
        body, self.request = self.request.body, FORGOTTEN
        return body

    def send(self, status: int, body: bytes, content_type: str = PLAIN_TEXT, more: bytes = b"") -> None:
        """Answer. `more` are further headers, each with the end of its line."""
        connection = self.connection
        if connection is None or self.answer is not None:
            return
        if status in NO_CONTENT:
            self.finish(status_line(status) + connection.listener.dates.now() + more, b"")
            return
        head = b"%b%bContent-Type: %b\r\nX-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n%b" % (
            status_line(status), connection.listener.dates.now(), content_type.encode("latin-1"), len(body), more
        )  # fmt: skip
        self.finish(head, b"" if self.request.method == b"HEAD" else body)

    def finish(self, head: bytes, body: bytes) -> None:
        """Answer with these lines and this body."""
        connection = self.connection
        if connection is not None and self.answer is None:
            if not self.keep_alive:
                head += b"Connection: close\r\n"
            elif self._old:
                head += b"Connection: keep-alive\r\n"
            self.answer = b"%b\r\n%b" % (head, body)
            connection.answered(self)
