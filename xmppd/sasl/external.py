"""EXTERNAL (RFC 4422 A, XEP-0178): the client certificate says who it is."""

from __future__ import annotations

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from .exchange import Context, Lookup, Outcome, SASLError, Steps, Success, not_authorized, out_of_turn, text_of
from .keys import Credentials


def own_jids(context: Context) -> list[JID]:
    """The accounts of this host that the certificate names, each once, in its order."""
    named = (jid.bare for jid in context.certificate_jids if jid.local and jid.domain == context.host)
    return list(dict.fromkeys(named))


class External(Steps):
    """One login by certificate. The account must exist; it needs no password."""

    name = "EXTERNAL"

    def __init__(self, context: Context) -> None:
        self._jids = own_jids(context)
        self._user = self._authzid = ""

    def receive(self, payload: bytes) -> Outcome:
        if self._user:
            raise out_of_turn()
        jid = self._choose(text_of(payload))
        self._user, self._authzid = jid.local, jid if payload else ""
        return Lookup(self._user)

    def _choose(self, authzid: str) -> JID:
        if not authzid:
            if len(self._jids) == 1:
                return self._jids[0]
            raise SASLError("invalid-authzid", "the certificate names several accounts: say which one is meant")
        try:
            jid = JID.parse(authzid)
        except StanzaError:
            raise SASLError("invalid-authzid", "not an address") from None
        if jid not in self._jids:
            raise SASLError("invalid-authzid", "the certificate does not name this account")
        return jid

    def found(self, credentials: Credentials | None) -> Outcome:
        if not self._user:
            raise out_of_turn()
        if credentials is None:
            raise not_authorized()
        return Success(self._user, authzid=self._authzid)
