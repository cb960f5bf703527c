"""PLAIN (RFC 4616): a password in the clear, under TLS, compared with the stored keys."""

from __future__ import annotations

from xmppd.xmpp.jid import JID

from .exchange import (
    Challenge,
    Compute,
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
from .keys import Credentials, matches
from .pretence import Pretence


class Plain(Steps):
    """One login by PLAIN; it costs one derivation, known user or not."""

    name = "PLAIN"

    def __init__(self, context: Context, pretence: Pretence) -> None:
        self._context, self._pretence = context, pretence
        self._user = self._password = self._authzid = ""
        self._asked = self._known = self._computing = False

    def receive(self, payload: bytes) -> Outcome:
        if self._user:
            raise out_of_turn()
        if not payload and not self._asked:
            self._asked = True
            return Challenge(b"")
        match text_of(payload).split("\0"):
            case [authzid, user, password] if user and password:
                return self._begin(authzid, user, password)
        raise SASLError("malformed-request", "expected authzid NUL user NUL password")

    def _begin(self, authzid: str, user: str, password: str) -> Lookup:
        prepared = localpart(user)
        check_authzid(authzid, prepared, self._context.host)
        self._authzid = JID(prepared, self._context.host) if authzid else ""
        self._user, self._password = prepared, password
        return Lookup(prepared)

    def found(self, credentials: Credentials | None) -> Outcome:
        if not self._user or self._computing:
            raise out_of_turn()
        pretence = self._pretence.credentials(self._user)
        self._known, self._computing = bool(credentials), True
        password, self._password = self._password, ""
        return Compute(lambda: matches(password, credentials or pretence))

    def computed(self, result: bool) -> Outcome:
        if not self._computing:
            raise out_of_turn()
        if not (result and self._known):
            raise not_authorized()
        return Success(self._user, authzid=self._authzid)
