"""Privacy lists by increments: one item is added or removed, and the list never travels whole.

XEP-0016 lets a client only replace a list. This adds two verbs to it, in its own namespace, for long ones:

    <query xmlns='jabber:iq:privacy'><add name='LOL'><item type='jid' value='a@x' action='deny'/></add></query>
    <query xmlns='jabber:iq:privacy'><remove name='LOL'><item value='a@x'/></remove></query>

`docs/protocols/privacy_increments.md` is the wire format. The lists, their limits and what they do are the module
`privacy`; here is only what is said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from xmppd.api import IQ, Module, Session
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.stanza import Element, escape

NS_INCREMENTS: Final = "urn:xmppd:privacy-increments:0"
ITEM: Final = "{jabber:iq:privacy}item"
USES: Final = "privacy increments"  # under which a session keeps that it has used one
Part = TypeVar("Part")


class PrivacyIncrements(Module):
    """Answers `<add/>` and `<remove/>`, and pushes them to the sessions that speak so themselves."""

    features, account_features = {NS_INCREMENTS}, {NS_INCREMENTS}
    depends = {"privacy"}

    async def start(self) -> None:
        """Join the privacy module: two verbs more, and another way of telling what has changed."""
        self._privacy = self.use("privacy")
        self._privacy.verbs.update(add=self.add, remove=self.remove)
        self._privacy.pushes.tellers.append(self.tell)

    async def stop(self) -> None:
        """Leave it as it was."""
        self._privacy.pushes.tellers.remove(self.tell)
        del self._privacy.verbs["add"], self._privacy.verbs["remove"]

    async def add(self, iq: IQ, element: Element) -> None:
        """Put items into a list, which is made where there is none. One that is there is replaced."""
        name, items = self._privacy.list_name(element), _each(element, self._privacy.read_item)
        iq.session.keep(USES, True)
        await self._privacy.add(iq.account, name, items)

    async def remove(self, iq: IQ, element: Element) -> None:
        """Take items out by type and value: all of them, or none and `item-not-found`."""
        name, keys = self._privacy.list_name(element), _each(element, self._privacy.read_key)
        iq.session.keep(USES, True)
        await self._privacy.remove(iq.account, name, keys)

    def tell(self, session: Session, change: Any) -> str | None:
        """What stands in the push to a session; None where it is told as XEP-0016 says."""
        if change.whole or not session.state(USES):
            return None
        if change.added:
            return _element("add", change.name, map(_added, change.added))
        return _element("remove", change.name, map(_removed, change.removed))


def _each(element: Element, read: Callable[[Element], Part]) -> list[Part]:
    """What each item says; there is at least one."""
    found = [read(item) for item in element.findall(ITEM)]
    if not found:
        raise StanzaError("bad-request", "say which items")
    return found


def _added(item: Any) -> str:
    who = f" value='{escape(item.value)}'" if item.type else ""
    kind = f" type='{item.type}'" if item.type else ""
    head = f"<item{who} action='{item.action}' order='{item.order}'{kind}"
    return f"{head}>{item.inside}</item>" if item.inside else head + "/>"


def _removed(item: Any) -> str:
    kind = f" type='{item.type}'" if item.type not in ("", "jid") else ""
    return f"<item value='{escape(item.value)}'{kind}/>" if item.type else "<item/>"


def _element(name: str, listed: str, items: Any) -> str:
    return f"<{name} name='{escape(listed)}'>{''.join(items)}</{name}>"
