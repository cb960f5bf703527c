"""A server's certificates in a test: a folder of PEM files, a clock, and clients that look."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

from tests.listeners.authority import NOW
from tests.listeners.tls_client import TLS13, TLSClient, trusting_context
from xmppd.listeners.certificates import Certificates


class Serving:
    """What is served from the files in `certs`. `now` stands still until a test puts it forward."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.certs = folder / "certs"
        self.certs.mkdir()
        self.now = NOW

    def __call__(self, *hosts: str, client_ca: Path | None = None) -> Certificates:
        return Certificates(hosts, [str(self.certs / "*.pem")], self.data_dir, client_ca=client_ca, now=self._clock)

    def _clock(self) -> datetime:
        return self.now


def shown(
    certificates: Certificates,
    name: str | None,
    *,
    host: str = "",
    context: ssl.SSLContext | None = None,
    session: ssl.SSLSession | None = None,
) -> TLSClient:
    """A client that names a host (None: none) and has shaken hands, on a stream to `host`."""
    engine = certificates.engine(host=host)
    return TLSClient(engine, context or trusting_context(TLS13), name, session).shake_hands()


def seen(client: TLSClient) -> bytes | None:
    """The certificate that the client was shown, in DER."""
    return client.tls.getpeercert(binary_form=True)
