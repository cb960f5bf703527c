"""What a certificate says about its owner: the hosts, the JIDs, and the bytes that bind a login to it."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

XMPP_ADDR: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")  # RFC 6120 13.7.1.4
SRV_NAME: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7")  # RFC 4985
SERVICES: Final = ("_xmpp-client.", "_xmpp-server.")
UTF8_STRING, IA5_STRING = 0x0C, 0x16


def ascii_host(host: str) -> str:
    """The host as it stands in DNS and SNI: lower case, A-labels. A host that IDNA refuses stays as it is."""
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        return host.lower()


def host_names(certificate: x509.Certificate) -> frozenset[str]:
    """The hosts it is good for, in the form of `ascii_host`; one with a wildcard begins with "*.".

    Read from dNSName, SRVName, id-on-xmppAddr and iPAddress; from the common name only where there is none of these
    (RFC 6120 13.7.1.2, RFC 6125 6.4.4).
    """
    names = _alternative_names(certificate)
    found = set(names.get_values_for_type(x509.DNSName)) if names else set()
    if names:
        found.update(str(address) for address in names.get_values_for_type(x509.IPAddress))
        services = _other_names(names, SRV_NAME)
        found.update(name.partition(".")[2] for name in services if name.startswith(SERVICES))
        found.update(jid for jid in _other_names(names, XMPP_ADDR) if "@" not in jid)
    if not found:
        found = {str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    return frozenset(ascii_host(name) for name in found if name)


def certificate_jids(der: bytes) -> tuple[str, ...]:
    """The JIDs (id-on-xmppAddr) of a client's certificate, as they stand there, each once (XEP-0178 2).

    They are not prepared and not checked. Nothing where the certificate has none or cannot be read.
    """
    try:
        names = _alternative_names(x509.load_der_x509_certificate(der))
    except ValueError:
        return ()
    return tuple(dict.fromkeys(_other_names(names, XMPP_ADDR))) if names else ()


def end_point(certificate: x509.Certificate) -> bytes:
    """The channel binding `tls-server-end-point` (RFC 5929 4.1).

    b"" where it is not defined: a signature without a hash of its own, as Ed25519's.
    """
    try:
        used = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return b""
    if used is None:
        return b""
    return certificate.fingerprint(hashes.SHA256() if isinstance(used, hashes.MD5 | hashes.SHA1) else used)


def other_name(kind: x509.ObjectIdentifier, text: str) -> x509.OtherName:
    """An id-on-xmppAddr or SRVName for a certificate that is being made. `text` has at most 65,535 bytes."""
    value = text.encode()
    size = len(value).to_bytes(2, "big").lstrip(b"\0")
    length = size if len(value) < 0x80 else bytes([0x80 | len(size)]) + size
    tag = UTF8_STRING if kind == XMPP_ADDR else IA5_STRING
    return x509.OtherName(kind, bytes([tag]) + length + value)


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _other_names(names: x509.SubjectAlternativeName, kind: x509.ObjectIdentifier) -> list[str]:
    values = [name.value for name in names.get_values_for_type(x509.OtherName) if name.type_id == kind]
    return [text for text in map(_der_text, values) if text]


def _der_text(der: bytes) -> str:
    """The text of a DER string; "" where it is not one."""
    if len(der) < 2 or der[0] not in (UTF8_STRING, IA5_STRING):
        return ""
    begin = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    size = int.from_bytes(der[2:begin], "big") if der[1] & 0x80 else der[1]
    try:
        return der[begin:].decode() if len(der) == begin + size else ""
    except UnicodeDecodeError:
        return ""
