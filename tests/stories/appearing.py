"""The smallest module that makes sessions available, for stories that are not about presence."""

from xmppd.api import Event, Module, PresenceChanged, hook
from xmppd.xmpp.namespaces import CLIENT


class Appearing(Module):
    """Notes a session's presence and tells the others; broadcasts nothing."""

    @hook.session_presence
    async def note(self, event: Event) -> None:
        session, stanza = event.origin, event.stanza
        assert session is not None
        before = session.available
        session.presence = None if stanza.type == "unavailable" else stanza
        session.priority = int(stanza.text("priority", CLIENT) or 0)
        now = session.available
        await self.host.hooks.presence_changed.tell(PresenceChanged(session, before, now, stanza))
