"""What a certificate says about its owner."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256, sha384

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from tests.listeners.authority import NOW, Authority
from xmppd.listeners.identity import (
    SRV_NAME,
    XMPP_ADDR,
    ascii_host,
    certificate_jids,
    end_point,
    host_names,
    other_name,
)

SIGNED_WITH_SHA1 = b"""-----BEGIN CERTIFICATE-----
MIIBgDCCASigAwIBAgIURi+NNT9JfyyCh2ROQMW8jYiKMdcwCQYHKoZIzj0EATAW
MRQwEgYDVQQDDAtvbGQuZXhhbXBsZTAgFw0yNjExMjIwNzM3NDlaGA8yMTI2MTAy
OTA3Mzc0OVowFjEUMBIGA1UEAwwLb2xkLmV4YW1wbGUwWTATBgcqhkjOPQIBBggq
hkjOPQMBBwNCAATVjzJY/PdiB1vFjrOW+MVtrZ5B7auX2zzqMOyIWO469G7r51Rk
6raL06xl/EC4ycsQo7WC3ipkOfQDKk8c3J8Ao1MwUTAdBgNVHQ4EFgQU0Wxv91Vp
/iTOh25dAmzLc8aOAy8wHwYDVR0jBBgwFoAU0Wxv91Vp/iTOh25dAmzLc8aOAy8w
DwYDVR0TAQH/BAUwAwEB/zAJBgcqhkjOPQQBA0cAMEQCICEsuu6ViIiWFyLgm1pW
ToW6bNhEwqGhqJVkGlrLvCkJAiBFngrR9LdKPkvCVBp1bK7PW4yORijW3XgOUUiO
qp6RlQ==
-----END CERTIFICATE-----
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def with_names(authority: Authority, *names: x509.GeneralName) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "common.example")])
    builder = x509.CertificateBuilder(name, name, authority.key.public_key(), 1, NOW, NOW + timedelta(days=1))
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(authority.key, SHA256())


def test_hosts_of_each_kind_of_name(authority: Authority) -> None:
    names = (
        x509.DNSName("Example.ORG"),
        x509.DNSName("*.example.org"),
        other_name(SRV_NAME, "_xmpp-client.client.example"),
        other_name(SRV_NAME, "_xmpp-server.server.example"),
        other_name(SRV_NAME, "_imap.mail.example"),
        other_name(XMPP_ADDR, "bücher.example"),
        other_name(XMPP_ADDR, "alice@example.org"),
    )
    assert host_names(with_names(authority, *names)) == {
        "example.org",
        "*.example.org",
        "client.example",
        "server.example",
        "xn--bcher-kva.example",
    }


def test_the_common_name_counts_only_alone(authority: Authority) -> None:
    assert host_names(authority.issue(common_name="example.org").certificate) == {"example.org"}
    assert host_names(authority.issue("a.example", common_name="example.org").certificate) == {"a.example"}


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "[::1]"])
def test_hosts_that_idna_refuses_stay(host: str) -> None:
    assert ascii_host(host) == host


def test_jids_of_a_client(authority: Authority) -> None:
    jids = ("alice@example.org", "älice@example.org", "alice@example.org")
    assert certificate_jids(authority.issue("example.org", jids=jids).der) == jids[:2]
    assert certificate_jids(authority.issue("example.org").der) == ()
    assert certificate_jids(authority.issue().der) == ()
    assert certificate_jids(b"noise") == ()


@given(st.text(min_size=1, max_size=400).filter(lambda text: text.isprintable()))
def test_jids_of_any_length(jid: str) -> None:
    certificate = with_names(Authority(), other_name(XMPP_ADDR, jid))
    assert certificate_jids(certificate.public_bytes(Encoding.DER)) == (jid,)


@pytest.mark.parametrize("value", [b"\x04\x01a", b"\x0c\x01\xff", b"\x0c\x02\xc3\xff", b"\x0c\x00"])
def test_jids_that_are_none(authority: Authority, value: bytes) -> None:
    certificate = with_names(authority, x509.OtherName(XMPP_ADDR, value))
    assert certificate_jids(certificate.public_bytes(Encoding.DER)) == ()


def test_the_binding_uses_the_hash_of_the_signature(authority: Authority) -> None:
    """RFC 5929 4.1, and SHA-256 in place of MD5 and SHA-1."""
    issued = authority.issue("example.org", signed_with=SHA384())
    assert end_point(issued.certificate) == sha384(issued.der).digest()
    old = x509.load_pem_x509_certificate(SIGNED_WITH_SHA1)
    assert end_point(old) == sha256(old.public_bytes(Encoding.DER)).digest()


def test_no_binding_without_a_hash(authority: Authority) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
    assert end_point(builder.sign(key, None)) == b""
