"""What a client and the server agree upon before stanzas take the road: header, features, one after the other."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from xmppd.host import Host
from xmppd.wire.client import End, Header, Item, Nonza, Stanza, State
from xmppd.wire.features import StreamFeature
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StanzaError, StreamError
from xmppd.xmpp.jid import JID

if TYPE_CHECKING:
    from .client import Client

log = logging.getLogger(__name__)

STREAM_ERROR: Final = f"{ns.STREAM} error"


async def negotiate(client: Client, item: Item) -> None:
    """Take what is no stanza of a session; `StreamError` for what may not come now."""
    if client.closing:
        return
    match item:
        case Header():
            _open(client, item)
        case StreamError():
            raise item
        case End():
            await client.finish()
        case Nonza(name=name) if name == STREAM_ERROR:
            log.info("[c2s %s %s] the client gave up: %s", client.address, client.account, item.names[:1])
            client.close()
        case Nonza():
            await _begin(client, item.name, item)
        case Stanza():
            await _begin(client, item.names[0] if item.names else "", item)


def _open(client: Client, header: Header) -> None:
    host = _host_of(client, header)
    if client.host is not None and client.host is not host and client.state & State.AUTHENTICATED:
        raise StreamError("host-unknown", "the host changed in the middle of a login")
    client.host = host
    client.exchange = None  # a login ends on the stream and the host it began on
    client.claimed = header.attributes.get("from", "")
    client.write(client.stream.open(host.name, client.listener.shared.ids.make(), client.user))
    offer(client)


def _host_of(client: Client, header: Header) -> Host:
    hosts = client.listener.shared.house.hosts
    name = header.attributes.get("to")
    if name is None:
        if len(hosts) == 1:
            return next(iter(hosts.values()))
        raise StreamError("host-unknown", "say in the stream header which host you want: to='...'")
    try:
        return hosts[JID.parse(name).domain]
    except (StanzaError, KeyError):
        raise StreamError("host-unknown", "this host is not served here") from None


def offer(client: Client) -> None:
    """Say what may be negotiated now (RFC 6120 4.3.2)."""
    assert client.host is not None
    rows = [*client.listener.features.possible(client.state), *client.host.stream_features.possible(client.state)]
    inside = "".join(row.advertise(client) for row in sorted(rows, key=lambda row: row.order))
    client.write(client.stream.features(inside))


async def _begin(client: Client, tag: str, item: Nonza | Stanza) -> None:
    if client.exchange is not None and not client.exchange.accepts(tag):
        raise StreamError("policy-violation", "finish the login, or abort it, before you send anything else")
    feature = _feature(client, tag)
    if feature is not None:
        await feature.handle(client, item)
    elif isinstance(item, Stanza):
        raise StreamError("not-authorized", "log in and bind a resource first")
    else:
        raise StreamError("unsupported-stanza-type", f"<{item.name.rpartition(' ')[2]}/> is not expected now")


def _feature(client: Client, tag: str) -> StreamFeature[Any] | None:
    if client.host is None:
        return None
    return client.listener.features.find(tag, client.state) or client.host.stream_features.find(tag, client.state)
