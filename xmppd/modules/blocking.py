"""XEP-0191: Blocking Command, another way to write and to read the default privacy list."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from typing import Any, Final

from xmppd.api import ACCOUNT, IQ, Module, Session, iq_get, iq_set
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, escape

NS_BLOCKING: Final = "urn:xmpp:blocking"
ASKED: Final = "blocking"  # under which a session keeps that it has asked for the list
ALL: Final = "unblock all"


class Blocking(Module):
    """Who is blocked is a `deny` of an address, and of everything from and to it, in the default list (5).

    What privacy lists do, blocking does: answers, errors and presence are theirs. This module keeps nothing.
    """

    features, account_features, xeps = {NS_BLOCKING}, {NS_BLOCKING}, {"0191": "1.3"}
    depends = {"privacy"}

    async def start(self) -> None:
        """Whoever changes the default list changes who is blocked."""
        self._privacy = self.use("privacy")
        self._privacy.pushes.watchers.append(self.tell)
        self._numbers = count(1)

    async def stop(self) -> None:
        """No word of it any more."""
        self._privacy.pushes.watchers.remove(self.tell)

    async def blocked(self, account: JID) -> list[str]:
        """Who is blocked, in the order of the list."""
        lists = await self._privacy.lists(account)
        return [] if lists is None or lists.default is None else _addresses(lists.default)

    @iq_get("blocklist", NS_BLOCKING, to=ACCOUNT)
    async def show(self, iq: IQ) -> str:
        """Who is blocked; from now on the session is told of changes (3.2)."""
        _check_own(iq)
        iq.session.keep(ASKED, True)
        return _element("blocklist", await self.blocked(iq.account))

    @iq_set("block", NS_BLOCKING, to=ACCOUNT)
    async def block(self, iq: IQ) -> None:
        """Block addresses, before anything else that the list says (3.3, 5)."""
        _check_own(iq)
        addresses = _asked(iq)
        if not addresses:
            raise StanzaError("bad-request", "say whom to block")
        await self._privacy.add(iq.account, None, self._privacy.denials(addresses), first=True)

    @iq_set("unblock", NS_BLOCKING, to=ACCOUNT)
    async def unblock(self, iq: IQ) -> None:
        """Unblock addresses, or everybody (3.4, 3.5). Who is not blocked need not be unblocked."""
        _check_own(iq)
        asked = _asked(iq)
        lists = await self._privacy.lists(iq.account)
        if lists is None or lists.default is None:
            return
        standard = lists.default
        freed = [each for each in asked if standard.blocks(each)] if asked else _addresses(standard)
        if freed:
            keys = [("jid", address) for address in freed]
            await self._privacy.remove(iq.account, standard.name, keys, note="" if asked else ALL)

    async def tell(self, change: Any) -> None:
        """Push what is blocked now and what is no more to the sessions that asked for the list (3.3 to 3.5)."""
        added, removed = _addresses(change.added), _addresses(change.removed)
        kept = {*added} & {*removed}
        freed = [address for address in removed if address not in kept]
        if change.whole:
            added = [address for address in added if address not in kept]
        for session in self.host.sessions.of(change.account):
            if session.state(ASKED):
                if freed:
                    await self._push(session, _element("unblock", () if change.note == ALL else freed))
                if added:
                    await self._push(session, _element("block", added))

    async def _push(self, session: Session, element: str) -> None:
        with suppress(StanzaError):
            await session.deliver(
                Stanza("iq", session.jid, None, "set", f"block{next(self._numbers)}", "", element.encode())
            )


def _addresses(items: Iterable[Any]) -> list[str]:
    return [item.value for item in items if item.blocks]


def _check_own(iq: IQ) -> None:
    if not iq.is_own:
        raise StanzaError("forbidden", "a blocklist is its owner's alone")


def _asked(iq: IQ) -> list[str]:
    items = iq.payload.findall(f"{{{NS_BLOCKING}}}item")
    return list(dict.fromkeys(str(JID.parse(item.get("jid", ""))) for item in items))


def _element(name: str, addresses: Iterable[str]) -> str:
    items = "".join(f"<item jid='{escape(address)}'/>" for address in addresses)
    return f"<{name} xmlns='{NS_BLOCKING}'>{items}</{name}>" if items else f"<{name} xmlns='{NS_BLOCKING}'/>"
