"""Where BOSH requests come in: finds their session or begins one, and writes their answers."""

from __future__ import annotations

import logging
import re
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from xmppd.listeners.listener import for_each
from xmppd.wire.bosh import Offer
from xmppd.wire.bosh_answers import SEE_OTHER, refusal, uri
from xmppd.wire.bosh_body import BadBody, Body, parse
from xmppd.xmpp.errors import StreamError

from .answers import COMPRESS_FROM, compressed, encoding, status_line
from .bosh import MISTAKE, UNKNOWN, BoshClient
from .bosh_buried import Buried
from .exchange import Exchange
from .origins import PREFLIGHT, allowed, cors
from .wheel import Wheel

if TYPE_CHECKING:
    from .listener import HTTPListener

log = logging.getLogger(__name__)

CONTENT: Final = b"text/xml; charset=utf-8"
USUAL: Final = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n" % CONTENT
CONTENT_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+-]+(; ?charset=\"?utf-8\"?)?", re.IGNORECASE)
SID: Final = 18  # random bytes; a session id is a capability


class BoshDoor:
    """All BOSH sessions of a listener."""

    def __init__(self, listener: HTTPListener) -> None:
        self.listener = listener
        self.clock = listener.shared.house.clock
        self.outbox = listener.shared.outbox
        self.sessions: dict[str, BoshClient] = {}
        self.wheel = Wheel()
        self.buried = Buried()

    @property
    def offer(self) -> Offer:
        """What a new session may have."""
        limits = self.listener.shared.limits
        return Offer(limits.bosh_wait, limits.max_bosh_hold, limits.bosh_inactivity, limits.bosh_maxpause)

    @property
    def max_body(self) -> int:
        """Bytes that a request may have."""
        return self.listener.shared.limits.max_http_body

    @property
    def max_queue(self) -> int:
        """Bytes that may wait for a client."""
        return self.listener.shared.limits.max_queue

    def serve(self, exchange: Exchange) -> None:
        """One request."""
        request, origins = exchange.request, self.listener.options.origins
        origin = exchange.header(b"origin")
        if origin or origins:
            if not allowed(origin, exchange.header(b"host"), origins):
                exchange.send(403, b"pages of this origin may not come here; see `origins` in the configuration\n")
                return
            exchange.cors = cors(origin, origins)
        if request.method != b"POST":
            self._other(exchange)
        elif exchange.header(b"sec-fetch-mode") == b"navigate":
            # A form of a strange page: what is answered would be shown as a page of ours, scripts in messages and all.
            exchange.send(403, b"this is not for forms\n")
        else:
            exchange.accepts = exchange.header(b"accept-encoding")
            try:
                self._post(exchange, exchange.forget())
            except Exception:
                self._crash(exchange)

    def _other(self, exchange: Exchange) -> None:
        if exchange.request.method == b"OPTIONS":
            exchange.send(204, b"", more=b"Allow: POST, OPTIONS\r\n" + exchange.cors + PREFLIGHT % b"POST, OPTIONS")
        else:
            exchange.send(405, b"this is a BOSH service (XEP-0124): it takes POST\n", more=b"Allow: POST, OPTIONS\r\n")

    def _post(self, exchange: Exchange, xml: bytes) -> None:
        try:
            body = parse(xml)
            sid = body.attributes.get("sid")
            if sid is None:
                self._create(body, exchange)
                return
            body.rid  # noqa: B018 - one that is none never reaches a session
        except BadBody as error:
            log.debug("%s: bosh: %s", exchange.address, error)
            self.answer(exchange, refusal("bad-request"), CONTENT)
            return
        client = self.sessions.get(sid)
        if client is None:
            self.answer(exchange, *(self.buried.find(sid) or (refusal(UNKNOWN), CONTENT)))
        elif client.secure and not exchange.secure:
            # Whoever has seen the session's id on the way cannot end the session with it (XEP-0124 19.1).
            exchange.keep_alive = False
            exchange.send(403, b"this session is used over https only\n")
        elif "stream" in body.attributes and body.inner:
            client.refuse_stream(exchange)
        else:
            client.arrived(body, exchange)

    def _crash(self, exchange: Exchange) -> None:
        """A mistake of ours costs the session of this request, where it has one, and no other (XEP-0124 17.2)."""
        if isinstance(exchange.waiter, BoshClient):
            exchange.waiter.crash(exchange)
        else:
            log.exception("%s: bosh: a request failed", exchange.address)
        self.answer(exchange, refusal(MISTAKE), CONTENT)

    def _create(self, body: Body, exchange: Exchange) -> None:
        """XEP-0124 7. Raises `BadBody`."""
        shared, content = self.listener.shared, _content(body)
        if not self.listener.may_log_in(exchange):
            self.answer(exchange, self._elsewhere(), content)
            return
        client = BoshClient(self, token_urlsafe(SID), body, exchange, content)
        admitted = shared.admits(exchange.address)
        self.sessions[client.sid] = client
        self.wheel.add(self.clock.monotonic() + max(1, min(client.wire.wait, shared.limits.login_timeout)), client)
        if admitted:
            client.process(body)
        else:
            client.fail(StreamError("resource-constraint", "too many connections; try again later"))
        client.begin_to_answer()

    def _elsewhere(self) -> bytes:
        """What is told to who may log in, but not without TLS (XEP-0124 17.2)."""
        secure = self.listener.options.urls.get("bosh", "")
        if secure.startswith("https://"):
            return refusal(SEE_OTHER, uri(secure))
        error = StreamError("policy-violation", "log in by https; see `cleartext` in the configuration")
        return refusal("remote-stream-error", error.to_xml().encode())

    def bury(self, client: BoshClient, last: bytes) -> None:
        """A session is over; its last words, if it has some, are kept as long as it might have waited to be asked."""
        self.sessions.pop(client.sid, None)
        if last:
            self.buried.add(client.sid, last, client.content, self.clock.monotonic() + self.offer.inactivity)

    def answer(self, exchange: Exchange, xml: bytes, content: bytes, status: int = 200) -> None:
        """Send an answer now."""
        exchange.waiter = None
        if status == 200 and content == CONTENT:
            head = USUAL
        else:
            head = b"%bContent-Type: %b\r\nX-Content-Type-Options: nosniff\r\n" % (status_line(status), content)
        more = exchange.cors
        if len(xml) >= COMPRESS_FROM and (how := encoding(exchange.accepts)):
            xml = compressed(xml, how)
            more += b"Content-Encoding: %b\r\nVary: Accept-Encoding\r\n" % how.encode()
        exchange.finish(b"%b%b%bContent-Length: %d\r\n" % (head, self.listener.dates.now(), more, len(xml)), xml)

    def turn(self) -> None:
        """A second has passed."""
        now = self.clock.monotonic()
        self.wheel.turn(now)
        self.buried.expire(now)

    def say_goodbye(self) -> None:
        """End every session; who came by https is not sent to where there is none."""
        options = self.listener.options
        secure, others = options.elsewhere("https"), options.elsewhere("https", "http")

        def part(client: BoshClient) -> None:
            client.stream.elsewhere = secure if client.secure else others
            client.fail(StreamError("system-shutdown"))

        for_each(self.sessions.values(), part)


def _content(body: Body) -> bytes:
    """The content type that the client wants of answers (XEP-0124 7.1). Raises `BadBody`."""
    wanted = body.attributes.get("content")
    if wanted is None:
        return CONTENT
    if not CONTENT_TYPE.fullmatch(wanted):
        raise BadBody("content must be a media type, in UTF-8")
    return CONTENT if wanted.lower() == CONTENT.decode() else wanted.encode()
