"""A certificate authority for tests: issues what a test needs and writes it as PEM."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from xmppd.listeners.identity import XMPP_ADDR, other_name

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def pem_key(key: Key, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


class Issued:
    """A certificate, its key and those that vouch for it."""

    def __init__(self, certificate: x509.Certificate, key: Key, issuers: list[x509.Certificate]) -> None:
        self.certificate, self.key, self.issuers = certificate, key, issuers

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return pem_key(self.key)

    @property
    def chain_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in [self.certificate, *self.issuers])

    def write(self, path: Path) -> Path:
        path.write_bytes(self.key_pem + self.chain_pem)
        return path


class Authority:
    """An authority. `intermediate()` makes one that it vouches for."""

    def __init__(self, name: str = "Test Authority", parent: Authority | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer, issuer = (parent.key, parent.name) if parent else (self.key, self.name)
        authority = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self.name, issuer, self.key, NOW - timedelta(days=3650), NOW + timedelta(days=3650))
        self.certificate = builder.add_extension(authority, critical=True).sign(signer, hashes.SHA256())
        self.issuers: list[x509.Certificate] = [self.certificate, *parent.issuers] if parent else []

    def intermediate(self) -> Authority:
        return Authority("Test Intermediate", self)

    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def issue(
        self,
        *names: str,
        jids: tuple[str, ...] = (),
        common_name: str = "a server",
        key: Key | None = None,
        begins: datetime = NOW - timedelta(days=10),
        expires: datetime = NOW + timedelta(days=80),
        signed_with: hashes.SHA256 | hashes.SHA384 | None = None,
    ) -> Issued:
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]), self.name, key, begins, expires
        )
        alternatives = [*map(x509.DNSName, names), *(other_name(XMPP_ADDR, jid) for jid in jids)]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return Issued(builder.sign(self.key, signed_with or hashes.SHA256()), key, self.issuers)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, begins: datetime, expires: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(expires)
    )
