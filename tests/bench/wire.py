"""One client's stream: blocking while it logs in, driven by a pump afterwards."""

import base64
import contextlib
import functools
import hashlib
import hmac
import itertools
import os
import re
import socket
import ssl
from collections.abc import Iterable

from tests.bench.accounts import HOST, PHRASE

_TIMEOUT = 60.0
_CHUNK = 65536
_OPEN = (
    f"<?xml version='1.0'?><stream:stream to='{HOST}' version='1.0' xml:lang='en' "
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
).encode()
_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
_BIND = b"<iq type='set' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind></iq>"
_PING = b"<iq type='get' to='" + HOST.encode() + b"' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>"
_JID = re.compile(rb"<jid>([^<]+)</jid>")
_numbers = itertools.count(1)


class Wire:
    """A client's connection. `expect` and the methods built on it need a blocking socket."""

    def __init__(self, port: int) -> None:
        self.sock: socket.socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""
        self.jid = ""

    def send(self, stanza: bytes) -> None:
        self.sock.sendall(stanza)

    def expect(self, mark: bytes) -> bytes:
        """Read until `mark` and the end of its tag; returns all up to there.

        Raises ConnectionError with what came instead when the server refuses or closes.
        """
        while (at := self._got.find(mark)) < 0 or (end := self._got.find(b">", at + len(mark) - 1)) < 0:
            self._acknowledge()
            chunk = self.sock.recv(_CHUNK)
            if not chunk or b"<failure" in chunk or b"<stream:error" in chunk:
                raise ConnectionError(f"waited for {mark!r}, got {self._got + chunk!r}")
            self._got += chunk
        taken, self._got = self._got[: end + 1], self._got[end + 1 :]
        return taken

    def login(self, name: str, *, tls: bool = False) -> None:
        """Open the stream, go through STARTTLS if wanted, SCRAM-SHA-1 and resource binding."""
        self.authenticate(name, tls=tls)
        bound = self.ask(_BIND)
        match = _JID.search(bound) or _JID.search(self.expect(b"</jid"))
        assert match, bound
        self.jid = match[1].decode()

    def authenticate(self, name: str, *, tls: bool = False) -> None:
        """The same up to the features that offer binding, or a former session."""
        self._open()
        if tls:
            self._starttls()
        self._scram(name)
        self._open()

    def appear(self) -> None:
        """Send initial presence and fetch the roster; returns when the roster is here."""
        self.send(b"<presence/>")
        self.ask(b"<iq type='get' id='%s'><query xmlns='jabber:iq:roster'/></iq>")

    def ping(self) -> None:
        """Wait until the server has handled everything sent before."""
        self.expect(self.send_with_ping(b""))

    def send_with_ping(self, stanza: bytes) -> bytes:
        """Send `stanza` and a ping in one piece; returns the mark of the answer, for `expect`."""
        mark = b"ask%d-" % next(_numbers)
        self.send(stanza + _PING % mark)
        return mark

    def ask(self, template: bytes) -> bytes:
        """Send an iq with a fresh id in place of `%s`; returns what came up to the answer's first tag."""
        mark = b"ask%d-" % next(_numbers)
        self.send(template % mark)
        return self.expect(mark)

    def close(self) -> None:
        """End the stream and wait until the server has ended it too."""
        self.end()
        with contextlib.suppress(OSError):
            while self.sock.recv(_CHUNK):
                pass
        self.sock.close()

    def end(self) -> None:
        """End the stream and do not wait; `close` may follow."""
        with contextlib.suppress(OSError):
            self.send(b"</stream:stream>")

    def _acknowledge(self) -> None:
        # A server that lets Nagle wait for a delayed ACK would make every login last 40 ms.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _open(self) -> None:
        self.send(_OPEN)
        self.expect(b"</stream:features>")

    def _starttls(self) -> None:
        self.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self.expect(b"<proceed")
        self.sock = _tls_context().wrap_socket(self.sock, server_hostname=HOST)
        self._open()

    def _scram(self, name: str) -> None:
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n={name},r={nonce}"
        self.send(_sasl("auth", f"n,,{first}", " mechanism='SCRAM-SHA-1'"))
        challenge = _text(self.expect(b"</challenge>"))
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        final = f"c=biws,r={fields['r']}"
        client, stored = _client_key(fields["s"], int(fields["i"]))
        signature = hmac.digest(stored, f"{first},{challenge},{final}".encode(), "sha1")
        proof = bytes(left ^ right for left, right in zip(client, signature, strict=True))
        self.send(_sasl("response", f"{final},p={base64.b64encode(proof).decode()}"))
        self.expect(b"<success")


def close_all(wires: Iterable[Wire]) -> None:
    """End all streams, then wait for all: a server may take its time for each."""
    wires = list(wires)
    for wire in wires:
        wire.end()
    for wire in wires:
        wire.close()


def _sasl(tag: str, text: str, attributes: str = "") -> bytes:
    return f"<{tag} xmlns='{_SASL}'{attributes}>{base64.b64encode(text.encode()).decode()}</{tag}>".encode()


def _text(element: bytes) -> str:
    return base64.b64decode(element[element.index(b">") + 1 : element.rindex(b"<")]).decode()


@functools.cache
def _client_key(salt: str, iterations: int) -> tuple[bytes, bytes]:
    salted = hashlib.pbkdf2_hmac("sha1", PHRASE.encode(), base64.b64decode(salt), iterations)
    client = hmac.digest(salted, b"Client Key", "sha1")
    return client, hashlib.sha1(client).digest()


@functools.cache
def _tls_context() -> ssl.SSLContext:
    # A connection of its own for each session and no saved tickets: every handshake is a full one.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
