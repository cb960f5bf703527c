"""A TLS client in memory, to talk with a TLSEngine."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from xmppd.listeners.tls import TLSEngine

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def trusting_context(version: ssl.TLSVersion = TLS13, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """A client's context that takes any certificate, for one version of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class TLSClient:
    """One connection to an engine. `drop` cuts nothing: what is said stays in `received` until read."""

    def __init__(
        self, engine: TLSEngine, context: ssl.SSLContext, name: str | None = None, session: ssl.SSLSession | None = None
    ) -> None:
        self.engine = engine
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name, session=session)

    def step(self) -> bytes:
        """Go on with the handshake; what the client says now."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self._out.read()

    def hear(self, ciphertext: bytes) -> None:
        self._in.write(ciphertext)

    def shake_hands(self, pieces: int = 1 << 20) -> TLSClient:
        """Do the whole handshake, the client's side of it in pieces of so many bytes."""
        while said := self.step():
            for at in range(0, len(said), pieces):
                self.engine.receive(said[at : at + pieces])
                self.hear(self.engine.outgoing())
        return self

    def seal(self, plaintext: bytes) -> bytes:
        """Encrypt."""
        self.tls.write(plaintext)
        return self._out.read()

    def open(self, ciphertext: bytes = b"") -> bytes:
        """Decrypt all that there is."""
        self.hear(ciphertext)
        pieces = []
        try:
            while piece := self.tls.read(65536):
                pieces.append(piece)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return b"".join(pieces)

    def say_goodbye(self) -> bytes:
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self._out.read()

    def session(self) -> ssl.SSLSession | None:
        """The session to resume later; its ticket is read first."""
        self.open()
        return self.tls.session
