"""XEP-0199: XMPP Ping."""

from __future__ import annotations

from xmppd.api import ACCOUNT, IQ, SERVER, Module, iq_get
from xmppd.xmpp.namespaces import PING


class Ping(Module):
    """Answers pings to the host and, for its owner, to the account. The server's own pings are the listener's."""

    features, account_features, xeps = {PING}, {PING}, {"0199": "2.0.1"}

    @iq_get("ping", PING, to=SERVER)
    async def pong(self, iq: IQ) -> None:
        """An empty result (XEP-0199 4.2)."""

    @iq_get("ping", PING, to=ACCOUNT)
    async def pong_for_account(self, iq: IQ) -> None:
        """The server answers on behalf of the account (4.3), as it does for one that does not exist: with an error."""
