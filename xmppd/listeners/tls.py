"""TLS of one connection without a socket: ciphertext in, plaintext out, and back."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from xmppd.listeners.hello import Hello

# A TLS record carries at most this much plaintext, so one read of this size always empties the record.
RECORD = 16384
# What passes through a MemoryBIO at once. Its buffer never shrinks again, so this bounds what an idle connection keeps.
SLICE = 4096
# Handshakes take 1 to 4 KiB from a client, with a chain of client certificates perhaps 16.
MAX_HANDSHAKE = 65536


class TLSEngine:
    """The server's side of one TLS connection.

    It never touches a socket: give `receive` what came in, and write what `send`, `outgoing` and `close` return.
    When any method raises ssl.SSLError the connection is dead: write `outgoing()`, which holds the alert, and drop it.
    """

    __slots__ = ("_allowance", "_choose", "_hello", "_incoming", "_outgoing", "closed", "established", "ssl_object")

    def __init__(self, context: ssl.SSLContext, choose: Callable[[str], ssl.SSLContext] | None = None) -> None:
        """Begin a handshake.

        `choose` is asked once for the context to go on with, when the client has named its host by SNI ("" where it
        names none); the tickets stay those of `context`. See Certificates.engine, which makes an engine of both.
        """
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._allowance = MAX_HANDSHAKE
        self._choose = choose
        self._hello = Hello() if choose is not None else None
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.closed = False

    def receive(self, ciphertext: bytes) -> bytes:
        """Take what came from the network and return the plaintext in it, perhaps b"".

        Afterwards `outgoing()` holds what must be sent, `established` tells whether the handshake is done and
        `closed` whether the peer has said goodbye (close_notify). What follows a goodbye is ignored.
        Raises ssl.SSLError where the peer breaks the protocol, or needs more than 64 KiB for its handshake.
        """
        if len(ciphertext) > SLICE:
            return self._receive_slices(ciphertext)
        if self.established:
            self._incoming.write(ciphertext)
        elif not self._handshake(ciphertext):
            return b""
        try:
            plaintext = self.ssl_object.read(RECORD)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            self.closed = True
            return b""
        if self._incoming.pending:
            return self._read_on(plaintext)
        if not plaintext:
            self.closed = True
        return plaintext

    def send(self, plaintext: bytes) -> bytes:
        """Encrypt, and return what to write, together with all that was pending.

        Raises ssl.SSLError before the handshake is done (nothing is queued) and after `close`.
        """
        if not self.established:
            raise ssl.SSLError(
                ssl.SSL_ERROR_SSL, "nothing can be sent before the TLS handshake is done: wait for `established`"
            )
        if len(plaintext) > SLICE:
            return self._send_slices(plaintext)
        if plaintext:
            self.ssl_object.write(plaintext)
        return self._outgoing.read()

    def outgoing(self) -> bytes:
        """What waits to be written: handshake, tickets, key updates, alerts."""
        return self._outgoing.read()

    def close(self) -> bytes:
        """Say goodbye (close_notify) and return what to write; b"" where the handshake never came to its end."""
        try:
            self.ssl_object.unwrap()
        except ssl.SSLError:
            pass  # the peer's own goodbye has not come yet, and nobody waits for it
        return self._outgoing.read()

    @property
    def version(self) -> str:
        """ "TLSv1.2" or "TLSv1.3"; "" before the handshake is done."""
        return self.ssl_object.version() or "" if self.established else ""

    @property
    def cipher(self) -> str:
        """OpenSSL's name of the cipher suite; "" before the handshake is done."""
        chosen = self.ssl_object.cipher()
        return chosen[0] if chosen else ""

    @property
    def peer_certificate(self) -> bytes | None:
        """The client's verified certificate in DER; None where it showed none."""
        return self.ssl_object.getpeercert(binary_form=True)

    def _handshake(self, ciphertext: bytes) -> bool:
        self._allowance -= len(ciphertext)
        if self._allowance < 0:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, f"the TLS handshake is longer than {MAX_HANDSHAKE} bytes")
        if self._choose is not None and self._hello is not None:
            self._choose_host(self._hello.feed(ciphertext), self._choose)
        self._incoming.write(ciphertext)
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def _choose_host(self, name: str | None, choose: Callable[[str], ssl.SSLContext]) -> None:
        if name is not None:
            self.ssl_object.context = choose(name)
            self._choose = self._hello = None

    def _read_on(self, first: bytes) -> bytes:
        pieces = [first]
        try:
            while self._incoming.pending and not self.closed:
                pieces.append(self.ssl_object.read(RECORD))
                self.closed = not pieces[-1]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        if self.closed:
            self._incoming.read()
        return b"".join(pieces)

    def _receive_slices(self, ciphertext: bytes) -> bytes:
        return b"".join([self.receive(ciphertext[at : at + SLICE]) for at in range(0, len(ciphertext), SLICE)])

    def _send_slices(self, plaintext: bytes) -> bytes:
        return b"".join([self.send(plaintext[at : at + SLICE]) for at in range(0, len(plaintext), SLICE)])
