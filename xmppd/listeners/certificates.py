"""Which certificate serves which host."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from xmppd.listeners.contexts import HostContext, Listening, find
from xmppd.listeners.identity import ascii_host, certificate_jids, host_names
from xmppd.listeners.pem import CertificateError, Credential, find_files, read_credentials
from xmppd.listeners.selfsigned import due, self_signed
from xmppd.listeners.tls import TLSEngine

__all__ = ["CertificateError", "Certificates", "certificate_jids"]


class Certificates:
    """The certificates of a server's hosts: from files where one fits, self-made where none does."""

    def __init__(
        self,
        hosts: Sequence[str],
        certfiles: Sequence[str],
        data_dir: Path,
        *,
        client_ca: Path | None = None,
        oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read the globs of `certfiles`. Keys and chains may lie in any of the files, in any order.

        With `client_ca` (PEM) clients are asked for a certificate from these authorities: one that shows another's
        fails its handshake, one that shows none is served. Raises CertificateError.
        """
        self._names = {host: ascii_host(host) for host in hosts}
        self._patterns = tuple(certfiles)
        self._folder = data_dir / "certificates"
        self._client_ca = client_ca
        self._oldest = oldest
        self._now = now
        self._kinds: dict[tuple[str, ...], Listening] = {}
        self._stamps = self._look()
        self._credentials = self._load()
        self.engine()

    @property
    def self_made(self) -> list[Path]:
        """The files of the self-made certificates in use, for whoever starts the server to be told."""
        return sorted({each.certificate_file for each in self._served() if self._is_self_made(each)})

    def credential(self, host: str) -> Credential:
        """What serves the host. Raises KeyError for one that is not the server's."""
        return self._credentials[self._names[host]]

    def engine(self, alpn: Sequence[str] = (), host: str = "") -> TLSEngine:
        """TLS for one connection, which shows the certificate of the host that the client names by SNI.

        `host` is for a client that names none, on a stream that has said where it goes; without either the first
        host's certificate is shown. A client that offers only other protocols than `alpn` is served without any.
        """
        kind = self._kind(tuple(alpn))
        return TLSEngine(kind.base, partial(kind.for_client, ascii_host(host)))

    def endpoint_binding(self, connection: ssl.SSLObject) -> bytes:
        """The `tls-server-end-point` of the certificate that was shown on this connection (RFC 5929 4.1).

        b"" where there is none: before the client's hello, and for signatures without a hash, as Ed25519's.
        """
        context = connection.context
        return context.binding if isinstance(context, HostContext) else b""

    def use(self, certfiles: Sequence[str]) -> None:
        """From the next `refresh` on, look at these globs."""
        self._patterns = tuple(certfiles)

    def refresh(self) -> list[str]:
        """Look whether files have changed or self-made certificates grow old, and take up what is new.

        Sessions stay as they are. Tickets go on working, for a day, unless a host's certificate is another now: who
        resumed would bind the login to the old one. Cheap where nothing changed, so a coarse timer may call it.
        Returns a line for each host whose certificate is another now. Raises CertificateError once for each change
        of the files that cannot be used, and goes on with what it had.
        """
        now = self._now()
        before = self._credentials
        changes = self._reload() if self._is_stale(now) else []
        for kind in self._kinds.values():
            if self._credentials != before or kind.ticket_key_is_old(now):
                kind.renew_ticket_key(now)
        return changes

    def _is_stale(self, now: datetime) -> bool:
        return self._stamps != self._look() or any(
            self._is_self_made(each) and due(each, now) for each in self._served()
        )

    def _reload(self) -> list[str]:
        self._stamps = self._look()
        before, after = self._credentials, self._load()
        prepared = [(kind, kind.prepare(after)) for kind in self._kinds.values()]
        self._credentials = after
        for kind, contexts in prepared:
            kind.by_name = contexts
        return [_line(host, after[name]) for host, name in self._names.items() if after[name] != before[name]]

    def _kind(self, alpn: tuple[str, ...]) -> Listening:
        if alpn not in self._kinds:
            default = next(iter(self._names.values()))
            kind = Listening(alpn, self._client_ca, default, self._now(), self._oldest)
            kind.by_name = kind.prepare(self._credentials)
            self._kinds[alpn] = kind
        return self._kinds[alpn]

    def _served(self) -> list[Credential]:
        return [self._credentials[name] for name in self._names.values()]

    def _is_self_made(self, credential: Credential) -> bool:
        return credential.certificate_file.parent == self._folder

    def _look(self) -> tuple[tuple[str, int, int, int], ...]:
        files = [*find_files(self._patterns), *filter(None, [self._client_ca])]
        return tuple(map(_stamp, files))

    def _load(self) -> dict[str, Credential]:
        """The credentials by name, with one for each host; a name with a wildcard begins with "*."."""
        now = self._now()
        credentials = sorted(read_credentials(find_files(self._patterns)), key=_preference)
        found = {
            name: credential
            for credential in credentials
            if credential.certificate.not_valid_before_utc <= now < credential.expires
            for name in host_names(credential.certificate)
        }
        made = {}
        for host, name in self._names.items():
            fitting = find(found, name)
            if fitting is None:
                _refuse_outdated(host, name, credentials)
                fitting = made[name] = self_signed(host, self._folder, now)
            found[name] = fitting
        wildcards = {name: each for each in made.values() for name in host_names(each.certificate)}
        return {**wildcards, **found}


def _preference(credential: Credential) -> tuple[int, datetime]:
    """Of two for one name the greater is used: keys that all clients know and that sign fast, then the longer life."""
    key = credential.certificate.public_key()
    kind = 2 if isinstance(key, ec.EllipticCurvePublicKey) else 1 if isinstance(key, rsa.RSAPublicKey) else 0
    return kind, credential.expires


def _refuse_outdated(host: str, name: str, credentials: Iterable[Credential]) -> None:
    for credential in credentials:
        if find(dict.fromkeys(host_names(credential.certificate), credential), name):
            begins = credential.certificate.not_valid_before_utc
            raise CertificateError(
                f"the certificate for {host} in {credential.certificate_file} is valid from {begins:%Y-%m-%d} "
                f"to {credential.expires:%Y-%m-%d} only: renew it, or take it out of `certfiles`, "
                "or set the clock right"
            )


def _line(host: str, credential: Credential) -> str:
    return f"{host} has the certificate from {credential.certificate_file}, valid until {credential.expires:%Y-%m-%d}"


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), status.st_mtime_ns, status.st_size, status.st_ino
