"""The certificates a server makes for itself where nobody gave it one."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xmppd.listeners.identity import SERVICES, SRV_NAME, XMPP_ADDR, ascii_host, other_name
from xmppd.listeners.pem import CertificateError, Credential, read_credentials

# Users accept a self-signed certificate by hand, once; so it lives long.
LIFE = timedelta(days=5 * 365)
RENEW_BEFORE = timedelta(days=30)


def self_signed(host: str, folder: Path, now: datetime) -> Credential:
    """The self-made certificate of `host`, from its file in `folder` (mode 0600), or made now.

    One that expires within 30 days is made anew with the same key. Raises CertificateError.
    """
    path = folder / f"{quote(host, safe='')}.pem"
    try:
        if not path.exists():
            _write(path, _make(host, ec.generate_private_key(ec.SECP256R1()), now))
        if due(credential := _read(path), now):
            _write(path, _make(host, _key(path), now))
            credential = _read(path)
    except OSError as problem:
        raise CertificateError(
            f"{problem.filename or path} cannot be written or read ({problem.strerror}): "
            "let the server's user own `data_dir`, or name certificates in `certfiles`"
        ) from problem
    return credential


def due(credential: Credential, now: datetime) -> bool:
    """Whether it is time for a new one."""
    return credential.expires - now < RENEW_BEFORE


def _read(path: Path) -> Credential:
    try:
        return read_credentials([path])[0]
    except CertificateError as problem:
        raise CertificateError(f"{problem}. The server made this file itself: delete it and it makes another") from None


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else ec.generate_private_key(ec.SECP256R1())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _make(host: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> bytes:
    # A common name holds 64 characters; the full host stands in the alternative names, where clients look.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ascii_host(host)[:64])])
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(uses, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def _names(host: str) -> list[x509.GeneralName]:
    try:
        return [x509.IPAddress(ip_address(host.strip("[]")))]
    except ValueError:
        pass
    name = ascii_host(host)
    if not name.isascii():
        raise CertificateError(f"the host {host!r} is no DNS name: correct it in `hosts`, or give it a certificate")
    services = [other_name(SRV_NAME, service + name) for service in SERVICES]
    return [x509.DNSName(name), x509.DNSName(f"*.{name}"), other_name(XMPP_ADDR, host), *services]
