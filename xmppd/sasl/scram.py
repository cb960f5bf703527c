"""SCRAM and its -PLUS forms (RFC 5802, RFC 7677): the server's side, over stored keys."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from hashlib import new as digest
from secrets import token_urlsafe
from typing import Final

from xmppd.xmpp.jid import JID

from .exchange import (
    Challenge,
    Context,
    Lookup,
    Outcome,
    SASLError,
    Steps,
    Success,
    check_authzid,
    localpart,
    not_authorized,
    out_of_turn,
    text_of,
)
from .keys import HASHES, Credentials, Keys
from .pretence import Pretence

BINDING: Final = "tls-server-end-point"
SCRAMS: Final = frozenset(name for hash in HASHES for name in (f"SCRAM-{hash}", f"SCRAM-{hash}-PLUS"))
# RFC 5802 7: printable is %x21-2B / %x2D-7E; what may follow the nonce are extensions, which we pass over.
FIRST: Final = re.compile(
    r"(?P<header>(?P<flag>[ny]|p=[A-Za-z0-9.-]+),(?:a=(?P<authzid>[^,]+))?,)"
    r"(?P<bare>n=(?P<user>[^,]+),r=(?P<nonce>[!-+\--~]+)(?:,[a-lo-qs-zA-Z]=[^,]+)*)",
)
FINAL: Final = re.compile(
    r"(?P<bare>c=(?P<bound>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^,]+)*),p=(?P<proof>[A-Za-z0-9+/=]+)"
)


class Scram(Steps):
    """One login by SCRAM. It costs a look-up and five HMACs; the slow hashing is the client's.

    These few lines stand here because the library for it checks each character in Python, and took a tenth of a login.

    `plus_offered`: the client saw some -PLUS name, so one that says it saw none has been deceived.
    """

    def __init__(
        self, name: str, context: Context, pretence: Pretence, *, plus_offered: bool, nonce: str | None = None
    ) -> None:
        self.name = name
        self._hash = name.removeprefix("SCRAM-").removesuffix("-PLUS")
        self._binding = context.endpoint_binding if name.endswith("-PLUS") else None
        self._context, self._pretence, self._plus_offered, self._nonce = context, pretence, plus_offered, nonce
        self._first: re.Match[str] | None = None
        self._keys: Keys | None = None
        self._user = self._authzid = self._challenge = ""
        self._asked = self._known = False

    def receive(self, payload: bytes) -> Outcome:
        if self._keys is not None:
            keys, self._keys = self._keys, None
            return self._final(keys, text_of(payload))
        if self._first is not None:
            raise out_of_turn()
        if not payload and not self._asked:
            self._asked = True
            return Challenge(b"")
        return self._begin(text_of(payload))

    def _begin(self, text: str) -> Lookup:
        self._first = first = FIRST.fullmatch(text)
        if first is None:
            raise SASLError("malformed-request", "expected the first message of SCRAM")
        self._check_flag(first["flag"])
        self._user = localpart(_unescape(first["user"]))
        authzid = _unescape(first["authzid"] or "")
        check_authzid(authzid, self._user, self._context.host)
        self._authzid = JID(self._user, self._context.host) if authzid else ""
        return Lookup(self._user)

    def _check_flag(self, flag: str) -> None:
        """RFC 5802 6: binding is used where it is promised, and nobody has hidden our offer of it."""
        if self._binding is None:
            if flag.startswith("p="):
                raise SASLError("malformed-request", "channel binding needs a mechanism that ends in -PLUS")
            if flag == "y" and self._plus_offered:
                raise SASLError("not-authorized", "server-does-support-channel-binding: somebody has hidden the offer")
        elif not flag.startswith("p="):
            raise SASLError("malformed-request", f"{self.name} needs channel binding")
        elif flag != f"p={BINDING}":
            raise SASLError("not-authorized", f"unsupported-channel-binding-type: use {BINDING}")

    def found(self, credentials: Credentials | None) -> Outcome:
        if self._first is None or self._keys is not None:
            raise out_of_turn()
        pretence = self._pretence.keys(self._user, self._hash)  # for whoever is known too: the time must not tell
        keys = (credentials or {}).get(self._hash)
        self._known = keys is not None
        self._keys = keys = keys or pretence
        self._nonce = f"{self._first['nonce']}{self._nonce or token_urlsafe(18)}"
        self._challenge = f"r={self._nonce},s={b64encode(keys.salt).decode()},i={keys.iterations}{self._offer()}"
        return Challenge(self._challenge.encode())

    def _offer(self) -> str:
        """The hash of what was offered (XEP-0474 4.1): the client sees by it whether somebody has hidden a part."""
        advertised = self._context.advertised
        if not advertised:
            return ""
        return f",h={b64encode(digest(HASHES[self._hash], advertised.encode()).digest()).decode()}"

    def _final(self, keys: Keys, text: str) -> Success:
        final = FINAL.fullmatch(text)
        if self._first is None or final is None or final["nonce"] != self._nonce:
            raise SASLError("malformed-request", "expected the last message of SCRAM")
        # RFC 5802 3: what both have said; whoever changed a byte of it on the way has no proof that fits.
        said = f"{self._first['bare']},{self._challenge},{final['bare']}".encode()
        bound = self._first["header"].encode() + (self._binding or b"")
        fits = hmac.compare_digest(_decoded(final["bound"]), bound)
        proved = self._proves(keys, said, _decoded(final["proof"]))
        if not (fits and proved and self._known):
            raise not_authorized()
        signature = hmac.digest(keys.server_key, said, HASHES[self._hash])
        return Success(self._user, b"v=" + b64encode(signature), authzid=self._authzid)

    def _proves(self, keys: Keys, said: bytes, proof: bytes) -> bool:
        signature = hmac.digest(keys.stored_key, said, HASHES[self._hash])
        if len(proof) != len(signature):
            raise SASLError("malformed-request", f"a proof has {len(signature)} bytes")
        client_key = (int.from_bytes(proof) ^ int.from_bytes(signature)).to_bytes(len(proof))
        return hmac.compare_digest(digest(HASHES[self._hash], client_key).digest(), keys.stored_key)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise SASLError("malformed-request", "expected base64") from None


def _unescape(name: str) -> str:
    """A saslname of RFC 5802 5.1."""
    if "=" not in name:
        return name
    if re.search("=(?!2C|3D)", name):
        raise SASLError("malformed-request", "in a name, '=' is followed by 2C or 3D")
    return name.replace("=2C", ",").replace("=3D", "=")
