"""What a contact learns of presence when its subscription begins or ends (RFC 6121 3.1.5, 3.2.2, 3.3.3)."""

from __future__ import annotations

from xmppd.api import STOP, Event, Host, Session
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza


async def send_copy(host: Host, session: Session, copy: Stanza) -> None:
    """Send one copy of a session's presence, unless `presence_send` holds it back."""
    event = Event(copy, session)
    chain = host.hooks.presence_send
    if not chain.of["presence"] or await chain.run(event) is not STOP:
        await host.house.router.route(event)


async def here(host: Host, account: JID, contact: JID) -> None:
    """Send the presence of each available resource."""
    for session in host.sessions.of(account):
        if session.presence is not None:
            await send_copy(host, session, session.presence.replace(to=contact))


async def gone(host: Host, account: JID, contact: JID) -> None:
    """Send unavailable presence from each available resource."""
    for session in host.sessions.of(account):
        if session.presence is not None:
            await send_copy(host, session, Stanza("presence", contact, session.jid, "unavailable"))
