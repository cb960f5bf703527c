"""A note at rest: AES-128-CTR, then HMAC-SHA256 over all of the record and over whose it is.

    version   key id    counter block   ciphertext   tag
    1 byte    8 bytes   16 bytes        n bytes      32 bytes

The tag covers the length and the text of the owner's address, the same of the contact's, and all that stands before
the tag. So a record means something in one row of one roster, and nowhere else.
"""

from __future__ import annotations

from os import urandom
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = b"\x01"
KEY_ID: Final = slice(1, 9)
COUNTER: Final = slice(9, 25)
HEAD, TAG = 25, 32  # bytes before and behind the ciphertext
SHORTEST: Final = HEAD + TAG


class Withheld(Exception):
    """A record cannot be opened; the text says why and holds nothing secret."""


class Seal:
    """One key at work: what it encrypts and what it proves.

    Its ciphers are made once and started anew for each note: so a note costs 2 µs, and a whole roster of them little.
    """

    def __init__(self, id: bytes, secret: bytes) -> None:
        self.id = id
        aes = AES(_derived(secret, 16, b"xmppd roster notes: encryption"))
        self._stream = Cipher(aes, CTR(bytes(16))).encryptor()
        self._hmac = HMAC(_derived(secret, 32, b"xmppd roster notes: authentication"), SHA256())

    def seal(self, owner: str, contact: str, text: str) -> bytes:
        """The record of a note, made with a fresh counter block each time."""
        counter = urandom(16)
        record = VERSION + self.id + counter + self._crypt(counter, text.encode())
        return record + self._proof(owner, contact, record).finalize()

    def open(self, owner: str, contact: str, record: bytes) -> str:
        """The note of a record that `key_id` says is this key's; `Withheld` where it is not as it was sealed here."""
        try:
            self._proof(owner, contact, record[:-TAG]).verify(record[-TAG:])  # in constant time
        except InvalidSignature:
            raise Withheld("the record, its row or its key was changed") from None
        return self._crypt(record[COUNTER], record[HEAD:-TAG]).decode()

    def _crypt(self, counter: bytes, text: bytes) -> bytes:
        """Both ways: the cipher makes a stream that is laid over the text."""
        self._stream.reset_nonce(counter)
        return self._stream.update(text)

    def _proof(self, owner: str, contact: str, record: bytes) -> HMAC:
        proof = self._hmac.copy()
        proof.update(_framed(owner) + _framed(contact) + record)
        return proof


def key_id(record: bytes) -> bytes:
    """Which key a record was sealed with; `Withheld` where it is no record of this version."""
    if len(record) < SHORTEST or record[:1] != VERSION:
        raise Withheld("this is no record of a version known here")
    return record[KEY_ID]


def _framed(address: str) -> bytes:
    """An address behind its length, so that no two pairs of addresses read the same."""
    encoded = address.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _derived(secret: bytes, length: int, label: bytes) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=label).derive(secret)
