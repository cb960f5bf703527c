"""A notification as it is published (XEP-0357 7)."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp.forms import plain
from xmppd.xmpp.stanza import escape, serialise

from .services import Service

PUSH: Final = "urn:xmpp:push:0"
SUMMARY: Final = "urn:xmpp:push:summary"
PUBSUB: Final = "http://jabber.org/protocol/pubsub"
PUBLISH_OPTIONS: Final = f"{PUBSUB}#publish-options"


def publication(service: Service, summary: dict[str, str]) -> str:
    """The `<pubsub/>` for a service: a summary with the number of messages, and the options it was enabled with."""
    form = plain("submit", SUMMARY, {"message-count": str(service.count)} | summary)
    node = f" node='{escape(service.node)}'" if service.node else ""
    options = ""
    if service.options:
        fields = plain("submit", PUBLISH_OPTIONS, service.options)
        options = f"<publish-options>{serialise(fields).decode()}</publish-options>"
    return (
        f"<pubsub xmlns='{PUBSUB}'><publish{node}><item><notification xmlns='{PUSH}'>"
        f"{serialise(form).decode()}</notification></item></publish>{options}</pubsub>"
    )
