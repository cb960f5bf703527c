"""Clients over TLS, for stories."""

from __future__ import annotations

import asyncio
import ssl

from .client import Client
from .world import World


def trusting(*alpn: str, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client's context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


async def upgrade(client: Client, context: ssl.SSLContext | None = None, name: str | None = None) -> None:
    """The client's side of a TLS handshake, now; then a new stream."""
    await client.writer.start_tls(context or trusting(), server_hostname=name)
    await client.open()


async def dial_tls(
    world: World, context: ssl.SSLContext | None = None, name: str = "localhost", door: int = 0
) -> Client:
    """A connection that begins with TLS, to the numbered door; nothing was said on it yet."""
    streams = await asyncio.open_connection(
        "127.0.0.1", world.server.doors[door].port, ssl=context or trusting(), server_hostname=name
    )
    client = Client(*streams, world.server.host)
    world.clients.append(client)
    return client


def tls_of(client: Client) -> ssl.SSLObject:
    """What is known of a client's TLS."""
    found: ssl.SSLObject = client.writer.get_extra_info("ssl_object")
    return found


async def secure(world: World) -> Client:
    """A client that has done STARTTLS and opened its stream."""
    client = await world.dial()
    await client.open()
    await client.secure()
    return client
