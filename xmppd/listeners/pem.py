"""Keys and certificate chains out of PEM files, each key with the certificate it belongs to."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from xmppd.config import ConfigError

LONGEST_CHAIN = 10
PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class CertificateError(ConfigError):
    """A certificate, key or file of them cannot be used; the text names the file and says what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__([problem])


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its chain (the server's own first, no root) and where its private key lies."""

    chain: tuple[x509.Certificate, ...]
    certificate_file: Path
    key_file: Path

    @property
    def certificate(self) -> x509.Certificate:
        """The server's own."""
        return self.chain[0]

    @property
    def expires(self) -> datetime:
        """In UTC."""
        return self.certificate.not_valid_after_utc

    def pem(self) -> bytes:
        """The chain, without the key."""
        return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain)


@dataclass(slots=True)
class _Pool:
    """What all files hold together: public keys (DER) with the file of the private one, certificates with theirs."""

    keys: dict[bytes, Path] = field(default_factory=dict)
    certificates: dict[x509.Certificate, Path] = field(default_factory=dict)


def find_files(patterns: Iterable[str]) -> list[Path]:
    """The files that the globs name, sorted, each once. A plain path is among them even where it does not exist."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        names = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else [pattern]
        found.update((path, None) for path in map(Path, names) if not path.is_dir())
    return list(found)


def read_credentials(paths: Sequence[Path]) -> list[Credential]:
    """Each certificate that has its private key among the files. Order of files and of blocks in them is free.

    Raises CertificateError where a file cannot be read, is broken or holds neither, and where a key or a server's
    certificate has no counterpart.
    """
    pool = _Pool()
    for path in paths:
        _read_file(path, pool)
    credentials = [
        Credential(_chain(certificate, pool), path, pool.keys[_public_key(certificate)])
        for certificate, path in pool.certificates.items()
        if _public_key(certificate) in pool.keys
    ]
    _refuse_strays(pool, {_public_key(credential.certificate) for credential in credentials})
    return credentials


def _read_file(path: Path, pool: _Pool) -> None:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise CertificateError(
            f"{path} cannot be read ({problem.strerror}): let the server's user read it, or correct `certfiles`"
        ) from problem
    keys = [match.group() for match in PRIVATE_KEY.finditer(content)]
    blocks = CERTIFICATE.findall(content)
    if not keys and not blocks:
        raise CertificateError(f"{path} holds neither a certificate nor a private key: take it out of `certfiles`")
    if len(keys) > 1:
        raise CertificateError(f"{path} holds {len(keys)} private keys: put each into a file of its own")
    for key in keys:
        pool.keys.setdefault(_read_key(path, key), path)
    for block in blocks:
        pool.certificates.setdefault(_read_certificate(path, block), path)


def _read_key(path: Path, block: bytes) -> bytes:
    try:
        key = load_pem_private_key(block, password=None)
    except TypeError as problem:
        raise CertificateError(
            f"the private key in {path} has a password: take it off with `openssl pkey -in {path}`"
        ) from problem
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise CertificateError(f"the private key in {path} is broken: fetch or make the file anew") from problem
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read_certificate(path: Path, block: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(block)
        _public_key(certificate)
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise CertificateError(f"a certificate in {path} is broken: fetch or make the file anew") from problem
    return certificate


def _public_key(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _chain(certificate: x509.Certificate, pool: _Pool) -> tuple[x509.Certificate, ...]:
    chain = [certificate]
    while len(chain) < LONGEST_CHAIN:
        issuer = _issuer(chain[-1], pool)
        if issuer is None or issuer in chain or issuer.issuer == issuer.subject:
            break
        chain.append(issuer)
    return tuple(chain)


def _issuer(certificate: x509.Certificate, pool: _Pool) -> x509.Certificate | None:
    # Of cross-signed issuers the one from the same file is what the authority meant to be sent.
    home = pool.certificates[certificate]
    candidates = [each for each in pool.certificates if each.subject == certificate.issuer]
    for candidate in sorted(candidates, key=lambda each: pool.certificates[each] != home):
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return candidate
    return None


def _refuse_strays(pool: _Pool, matched: set[bytes]) -> None:
    for key, path in pool.keys.items():
        if key not in matched:
            raise CertificateError(
                f"no certificate belongs to the private key in {path}: add the file with its certificate to `certfiles`"
            )
    for certificate, path in pool.certificates.items():
        if _public_key(certificate) not in matched and not _is_authority(certificate):
            raise CertificateError(
                f"no private key belongs to the certificate of {certificate.subject.rfc4514_string()} in {path}: "
                "add the file with its key to `certfiles`"
            )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
