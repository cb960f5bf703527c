"""The TLS contexts of one kind of listener: one to accept with, and one for each certificate it may show."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from xmppd.listeners.identity import end_point
from xmppd.listeners.pem import CertificateError, Credential

# TLS 1.2 with forward secrecy and authenticated encryption only; the suites of TLS 1.3 are all of that kind.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
# Each ticket costs the server some 15 µs of a full handshake, and a client keeps one.
TICKETS = 1
# Whoever steals a ticket key can read the TLS 1.2 of its time, so its time is short.
TICKET_KEY_LIFE = timedelta(days=1)

T = TypeVar("T")


class HostContext(ssl.SSLContext):
    """A context that shows one certificate; `binding` is that one's `tls-server-end-point`."""

    binding: bytes


class Listening:
    """The context to accept connections with, `base`, and those it changes to once the client has named a host.

    Only `base` makes ticket keys, so tickets are good for all hosts.
    """

    __slots__ = ("_alpn", "_client_ca", "_default", "_made", "_oldest", "base", "by_name")

    def __init__(
        self,
        alpn: Sequence[str],
        client_ca: Path | None,
        default: str,
        now: datetime,
        oldest: ssl.TLSVersion,
    ) -> None:
        """`default` is the name whose certificate serves clients that name no host or an unknown one."""
        self._alpn = alpn
        self._oldest = oldest
        self._client_ca = client_ca
        self._default = default
        self.by_name: Mapping[str, HostContext] = {}
        self.renew_ticket_key(now)

    def renew_ticket_key(self, now: datetime) -> None:
        """Forget the tickets: whoever has one does a full handshake, once."""
        self._made = now
        self.base = self._configure(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        self.base.num_tickets = TICKETS

    def ticket_key_is_old(self, now: datetime) -> bool:
        """Whether the key has served its day."""
        return now - self._made >= TICKET_KEY_LIFE

    def for_client(self, host: str, name: str) -> HostContext:
        """The context for a client that names `name` by SNI, on a stream to `host` (`ascii_host`); each may be ""."""
        return find(self.by_name, name.lower()) or find(self.by_name, host) or self.by_name[self._default]

    def prepare(self, credentials: Mapping[str, Credential]) -> dict[str, HostContext]:
        """A context for each certificate, by name, to be put into `by_name`. Raises CertificateError."""
        contexts = {credential: self._host_context(credential) for credential in set(credentials.values())}
        return {name: contexts[credential] for name, credential in credentials.items()}

    def _host_context(self, credential: Credential) -> HostContext:
        context = HostContext(ssl.PROTOCOL_TLS_SERVER)
        self._configure(context)
        context.binding = end_point(credential.certificate)
        with tempfile.NamedTemporaryFile(suffix=".pem") as chain:
            chain.write(credential.pem())
            chain.flush()
            try:
                context.load_cert_chain(chain.name, credential.key_file, password=_no_password)
            except (ssl.SSLError, OSError) as problem:
                raise CertificateError(
                    f"{credential.certificate_file} with the key in {credential.key_file} cannot be used "
                    f"({getattr(problem, 'reason', None) or problem}): correct the files"
                ) from problem
        return context

    def _configure(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = self._oldest
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.set_ciphers(CIPHERS)
        if self._alpn:
            context.set_alpn_protocols(self._alpn)
        if self._client_ca:
            _ask_for_certificate(context, self._client_ca)
        return context


def find(by_name: Mapping[str, T], name: str) -> T | None:
    """What is there for a name itself, or for the wildcard that covers it."""
    return by_name.get(name) or by_name.get(f"*.{name.partition('.')[2]}")


def _ask_for_certificate(context: ssl.SSLContext, client_ca: Path) -> None:
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        context.load_verify_locations(client_ca)
    except (ssl.SSLError, OSError) as problem:
        raise CertificateError(
            f"the authorities for client certificates cannot be read from {client_ca} "
            f"({problem.strerror}): it must be a PEM file that the server's user may read"
        ) from problem


def _no_password() -> str:
    """OpenSSL would ask the terminal for the password of a key."""
    return ""
