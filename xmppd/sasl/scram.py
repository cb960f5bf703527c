"""SCRAM and its -PLUS forms (RFC 5802, RFC 7677): the server's side, over stored keys."""

from __future__ import annotations

import re
from typing import Any, Final

from scramp import ScramException, ScramMechanism

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
from .keys import HASHES, Credentials, pretended

BINDING: Final = "tls-server-end-point"
SCRAMS: Final = {name: ScramMechanism(name) for hash in HASHES for name in (f"SCRAM-{hash}", f"SCRAM-{hash}-PLUS")}
FIRST: Final = re.compile(
    r"(?P<header>(?P<flag>[ny]|p=[A-Za-z0-9.-]+),(?:a=(?P<authzid>[^,]+))?,)(?P<bare>n=(?P<user>[^,]+),r=.+)", re.DOTALL
)
WRONG: Final = {"invalid-proof", "channel-bindings-dont-match"}


class Scram(Steps):
    """One login by SCRAM. It costs a look-up and six HMACs; the slow hashing is the client's.

    `plus_offered`: the client saw some -PLUS name, so one that says it saw none has been deceived.
    """

    def __init__(
        self, name: str, context: Context, fake: bytes, *, plus_offered: bool, nonce: str | None = None
    ) -> None:
        self.name = name
        self._hash = name.removeprefix("SCRAM-").removesuffix("-PLUS")
        self._binding = context.endpoint_binding if name.endswith("-PLUS") else None
        self._context, self._fake, self._plus_offered, self._nonce = context, fake, plus_offered, nonce
        self._first: re.Match[str] | None = None
        self._user = self._authzid = ""
        self._asked = self._known = False
        self._server: Any = None

    def receive(self, payload: bytes) -> Outcome:
        if self._server is not None:
            return self._final(text_of(payload))
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
        if self._first is None or self._server is not None:
            raise out_of_turn()
        pretence = pretended(self._fake, self._user, self._hash, self._context.iterations)
        keys = (credentials or {}).get(self._hash)
        self._known = keys is not None
        keys = keys or pretence
        stored = (keys.salt, keys.stored_key, keys.server_key, keys.iterations)
        binding = (BINDING, self._binding) if self._binding else None
        try:
            server = SCRAMS[self.name].make_server(lambda user: stored, binding, self._nonce)
            server.set_client_first(f"{self._first['flag']},,{self._first['bare']}")
            challenge: str = server.get_server_first()
        except ScramException as error:
            raise SASLError("malformed-request", str(error.args[0])) from None
        # The library takes no authzid, so it saw a header without; the client's proof covers the header as sent.
        server.gs2_header = _Header(self._first["header"].encode() + (self._binding or b""))
        self._server = server
        return Challenge(challenge.encode())

    def _final(self, text: str) -> Success:
        try:
            self._server.set_client_final(text)
            answer: str = self._server.get_server_final()
        except ScramException as error:
            if error.server_error is not None and error.server_error.value in WRONG:
                raise not_authorized() from None
            raise SASLError("malformed-request", str(error.args[0])) from None
        if not self._known:
            raise not_authorized()
        return Success(self._user, answer.encode(), authzid=self._authzid)


class _Header:
    """What the client must have bound: its own header as sent, and the channel's binding."""

    def __init__(self, bound: bytes) -> None:
        self._bound = bound

    def make_cbind_input(self, binding: object) -> bytes:
        return self._bound


def _unescape(name: str) -> str:
    """A saslname of RFC 5802 5.1."""
    if re.search("=(?!2C|3D)", name):
        raise SASLError("malformed-request", "in a name, '=' is followed by 2C or 3D")
    return name.replace("=2C", ",").replace("=3D", "=")
