"""The stream inside of a BOSH session (XEP-0206): it has no tags of its own, requests begin and restart it."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID

from .bosh_answers import SEE_OTHER, Answers, uri
from .bosh_body import VERSION, XML_LANG, Body
from .client import UNAUTHENTICATED_LIMIT, State, check_header, check_stanza
from .items import Header, Item
from .parsers import Parsers
from .whole import elements

REMOTE: Final = "remote-stream-error"
UNDEFINED: Final = "undefined-condition"
# What stream errors are in BOSH's own words; all others are `remote-stream-error` (XEP-0124 17.2, XEP-0206 5). Without
# a stream error, `Bosh` and its driver end sessions by `bad-request`, `item-not-found`, `other-request`,
# `policy-violation`, `remote-connection-failed` and `see-other-uri`. There is no `host-gone`: only a restart takes a
# host away, and ends all sessions before.
CONDITIONS: Final = {
    "not-well-formed": "bad-request",
    "bad-format": "bad-request",
    "restricted-xml": "bad-request",
    "host-unknown": "host-unknown",
    "improper-addressing": "improper-addressing",
    "system-shutdown": "system-shutdown",
    "internal-server-error": "internal-server-error",
    UNDEFINED: UNDEFINED,
}
TOLD: Final = (REMOTE, UNDEFINED)  # with the stream error inside


class BoshStream:
    """The server's end of one stream. `condition` is how the session ends, "" while there is nothing wrong.

    `elsewhere` is where the client is sent when the server shuts down, if it is anywhere.
    """

    __slots__ = (
        "_answers", "_limit", "_parsers", "_waiting", "condition", "elsewhere", "ended", "lang", "limit", "state",
    )  # fmt: skip

    def __init__(self, parsers: Parsers, answers: Answers, limit: int, state: int) -> None:
        self._parsers = parsers
        self._answers = answers
        self._limit = limit
        self._waiting = True  # for a request that begins the stream
        self.limit = min(limit, UNAUTHENTICATED_LIMIT)
        self.lang = self.condition = self.elsewhere = ""
        self.ended = False
        self.state = state

    def receive(self, body: Body) -> list[Item]:
        """What a request holds; what is illegal becomes a `StreamError`, the last item."""
        if self._waiting or body.restart:
            return self._begin(body)
        if not body.inner:
            return []
        items = elements(self._parsers, body.inner, self.lang, self.limit, body.context)
        if self.state & State.AUTHENTICATED:
            return items
        return [check_stanza(item, self.state) for item in items]

    def _begin(self, body: Body) -> list[Item]:
        if self.state & State.BOUND:
            return [StreamError("bad-format", "the stream of a session is not restarted")]
        if self._waiting and self.state & State.AUTHENTICATED and not body.restart:
            return [StreamError("bad-format", "ask for a restart after the login (XEP-0206 4)")]
        self._waiting = False
        attributes = body.attributes
        self.lang = attributes.get(XML_LANG, self.lang)
        given: dict[str, str] = {name: value for name in ("to", "from") if (value := attributes.get(name))}
        header = Header({**given, "version": attributes.get(VERSION, "1.0")}, self.lang, ns.CLIENT)
        return [check_header(header)]

    def grant(self, state: int) -> None:
        """Something was negotiated."""
        self.state |= state
        if state & State.AUTHENTICATED:
            self.limit = self._limit

    def restart(self) -> None:
        """Expect a request that restarts the stream."""
        self._waiting = True

    def open(self, host: str, id: str, to: JID | None = None) -> bytes:
        """Nothing: the first answer names the host."""
        self._answers.identify(host, id)
        return b""

    def features(self, inside: str) -> bytes:
        """The stream features; the body around them declares the prefix."""
        return f"<stream:features>{inside}</stream:features>".encode()

    def error(self, error: StreamError, host: str) -> tuple[bytes, ...]:
        """Nothing: the end of the session follows by itself, and tells the error."""
        if not self.ended:
            self.ended = True
            self.condition = CONDITIONS.get(error.condition, REMOTE)
            if self.condition in TOLD:
                self._answers.part(error.to_xml().encode())
            elif self.condition == "system-shutdown" and self.elsewhere:
                self.condition = SEE_OTHER
                self._answers.part(uri(self.elsewhere))
        return ()

    def close(self) -> bytes:
        """Nothing: the end of the session follows by itself."""
        self.ended = True
        return b""
