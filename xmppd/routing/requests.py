"""Requests that the server itself sends, and the answers it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Final, Literal

from lxml import etree

from xmppd.xmpp.errors import NS_STANZAS, STANZA_CONDITIONS, StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Payload, Stanza, serialise

# Answers awaited at once. Each caps query to an unknown client is one; past this the oldest cannot be trusted to come.
MOST_WAITING: Final = 10_000
KINDS: Final = frozenset({"auth", "cancel", "continue", "modify", "wait"})


class Requests:
    """What one host has asked and not yet been answered."""

    def __init__(self, sender: JID, send: Callable[[Stanza], Awaitable[None]]) -> None:
        self._sender = sender
        self._send = send
        self._waiting: dict[tuple[JID, str], asyncio.Future[Stanza]] = {}

    async def ask(self, to: JID, payload: Payload, type: Literal["get", "set"] = "get", patience: float = 30) -> Stanza:
        """Send a request and return its result; `StanzaError` for an error reply, or for none.

        `patience` is in seconds; past it the error is `remote-server-timeout`.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise StanzaError("resource-constraint", "too many requests wait for an answer")
        id = token_hex(8)
        future: asyncio.Future[Stanza] = asyncio.get_running_loop().create_future()
        self._waiting[to, id] = future
        try:
            await self._send(Stanza("iq", to, self._sender, type, id, "", serialise(payload)))
            reply = await asyncio.wait_for(future, patience)
        except TimeoutError:
            raise StanzaError("remote-server-timeout", f"no answer from {to}") from None
        finally:
            self._waiting.pop((to, id), None)
        if reply.type == "error":
            raise _refusal(reply)
        return reply

    def answered(self, stanza: Stanza) -> bool:
        """Take a result or error; False where nobody waits for it."""
        if stanza.sender is None:
            return False
        future = self._waiting.pop((stanza.sender, stanza.id), None)
        if future is None or future.done():
            return False
        future.set_result(stanza)
        return True

    def cancel(self) -> None:
        """Nobody waits any more."""
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()


def _refusal(reply: Stanza) -> StanzaError:
    """The error that a reply carries, in our own words; what it says to people stays out, for it is a stranger's."""
    error = reply.child("error")
    names = (
        [] if error is None else [etree.QName(child).localname for child in error.iterchildren(f"{{{NS_STANZAS}}}*")]
    )
    condition = next((name for name in names if name in STANZA_CONDITIONS), "undefined-condition")
    kind = None if error is None else error.get("type")
    return StanzaError(condition, f"{reply.sender} answered with an error", kind=kind if kind in KINDS else None)
