"""XEP-0199: XMPP Ping."""

from __future__ import annotations

from xmppd.api import ACCOUNT, IQ, SERVER, Module, iq_get
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.namespaces import PING


class Ping(Module):
    """Answers pings to the host and, for those who may see its presence, to an account."""

    features, account_features, xeps = {PING}, {PING}, {"0199": "2.0.1"}

    @iq_get("ping", PING, to=SERVER)
    async def pong(self, iq: IQ) -> None:
        """An empty result (XEP-0199 4.2)."""

    @iq_get("ping", PING, to=ACCOUNT)
    async def pong_for_account(self, iq: IQ) -> None:
        """The server answers on behalf of the account (4.4); to a stranger as for an account that does not exist."""
        roster = self.maybe("roster")
        if not (iq.is_own or (roster is not None and await roster.sees(iq.account, iq.sender.bare))):
            raise StanzaError("service-unavailable")
