"""Which list applies: the default one to the account, the active one to a session (XEP-0016 2.4, 2.5)."""

from __future__ import annotations

from xmppd.api import Session
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID

from . import tables
from .changes import Change, Pushes
from .edits import Others
from .lists import named
from .shelf import ACTIVE, Shelf
from .sight import Sight


class Choices:
    """Chooses among the lists of one host's accounts."""

    def __init__(self, shelf: Shelf, sight: Sight, pushes: Pushes, others: Others) -> None:
        self._shelf = shelf
        self._sight = sight
        self._pushes = pushes
        self._others = others

    async def set_default(self, account: JID, name: str | None, session: Session | None = None) -> None:
        """Choose the default list, or none; `conflict` where the present one applies to another session than this."""
        if name is None and await self._shelf.get(account) is None:
            return
        lists = await self._shelf.open(account)
        target = None if name is None else named(lists, name)
        old = lists.default
        if target is old:
            return
        if old is not None and lists.applies(old, self._others(account, session)):
            raise StanzaError("conflict", "the default list applies to another resource")
        before = self._sight.look(account, lists, None)
        lists.default = target
        lists.refresh()
        commit = self._shelf.write(
            account, [(tables.NO_DEFAULT, (account,)) if name is None else (tables.SET_DEFAULT, (name, account))]
        )
        after = self._sight.look(account, lists, None)
        await commit
        await self._pushes.watched(Change(account, name or "", tuple(target or ()), tuple(old or ()), True, True))
        await self._sight.tell(before, after)

    async def set_active(self, session: Session, name: str | None) -> None:
        """Choose the active list of a session, or none."""
        account = session.jid.bare
        if name is None and await self._shelf.get(account) is None:
            return
        lists = await self._shelf.open(account)
        target = None if name is None else named(lists, name)
        before = self._sight.look(account, lists, None)
        session.keep(ACTIVE, name or "")
        if target is None:
            lists.active.pop(session, None)
        else:
            lists.active[session] = target
        lists.refresh()
        await self._sight.tell(before, self._sight.look(account, lists, None))
