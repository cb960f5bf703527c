"""Roster commands for administrators, with ejabberd's names and arguments, and the import of XEP-0227."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from xmppd.api import CommandError, Host, Storage, command
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID, nodeprep
from xmppd.xmpp.namespaces import CLIENT, ROSTER
from xmppd.xmpp.stanza import Element, from_element

from . import pushes
from .book import Book
from .imported import rows_of, writing
from .items import Item, read_item
from .states import PENDING_IN, PENDING_OUT, inbound
from .subscriptions import LONGEST_REQUEST

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


class RosterCommands:
    """The part of `Rosters` that administrators call."""

    host: Host
    book: Book
    options: Any

    if TYPE_CHECKING:

        async def items(self, account: JID) -> dict[JID, Item]:
            """See `Rosters.items`."""

        async def set_item(
            self, account: JID, contact: JID, name: str, groups: Any, subscription: str | None = None
        ) -> None:
            """See `Rosters.set_item`."""

        async def delete_item(self, account: JID, contact: JID) -> None:
            """See `Rosters.delete_item`."""

        @property
        def storage(self) -> Storage:
            """The database."""

    @command(
        "add_rosteritem", "Add a contact to a roster, with a subscription as given (none, to, from, both)", "roster"
    )
    async def add_rosteritem(
        self, localuser: str, localhost: str, user: str, host: str, nick: str, group: str, subs: str
    ) -> None:
        """The contact's own roster is not touched. Several groups are separated by `;`."""
        account = await self._account(localuser, localhost)
        groups = tuple(dict.fromkeys(name for name in group.split(";") if name))
        await self.set_item(account, _contact(user, host), nick, groups, subs)

    @command("delete_rosteritem", "Remove a contact from a roster", "roster")
    async def delete_rosteritem(self, localuser: str, localhost: str, user: str, host: str) -> None:
        """Its subscriptions end as if the account's owner had removed it."""
        await self.delete_item(await self._account(localuser, localhost), _contact(user, host))

    @command("get_roster", "List the contacts of a roster", "roster")
    async def get_roster(self, account: JID) -> list[dict[str, str]]:
        """One dict for each contact, sorted by address; several groups are separated by `;`."""
        await self._account(account.local, account.domain)
        return [_row(item) for _, item in sorted((await self.items(account)).items())]

    @command("push_roster", "Add to a roster what a file holds: a <query xmlns='jabber:iq:roster'/> element", "roster")
    async def push_roster(self, file: Path, account: JID) -> None:
        """Each item is added or changed and pushed; an item without a subscription keeps the one it has."""
        await self._account(account.local, account.domain)
        for item in await asyncio.to_thread(_read, file):
            wanted = read_item(item, self.options.max_groups)
            await self.set_item(account, wanted.contact, wanted.name, wanted.groups, item.get("subscription"))

    async def import_account(self, account: JID, element: Element) -> bool:
        """Take over a roster or a request that waits for an answer, as an export has them (XEP-0227 4.4, 4.9).

        `StanzaError` names the items that cannot be taken; the others are.
        """
        if element.tag == f"{{{CLIENT}}}presence":
            return await self._import_request(account, element)
        if element.tag != f"{{{ROSTER}}}query":
            return False
        version = int(self.host.house.clock.time() * 1000)
        rows, wrong = rows_of(element, account, version, self.options.max_groups)
        if rows:
            await self.storage.write(*writing(rows, account, version))
        self.book.forget(account)
        if wrong:
            raise StanzaError("bad-request", wrong)
        return True

    async def _import_request(self, account: JID, element: Element) -> bool:
        stanza = from_element(element)
        if stanza.type != "subscribe" or stanza.sender is None:
            return False
        roster, contact = await self.book.get(account), stanza.sender.bare
        step = inbound(roster.mark(contact), "subscribe")
        if step.passes:
            kept = pushes.keep(account, contact, stanza, LONGEST_REQUEST)
            await self.book.mark(account, roster, contact, step.mark, False, kept)
        return True

    async def _account(self, user: str, host: str) -> JID:
        local = nodeprep(user)
        if JID.parse(host).domain != self.host.name:
            raise CommandError(f"{host} is not served here")
        if not await self.host.accounts.exists(local):
            raise CommandError(f"there is no account {user}@{host}; `xmppctl registered_users {host}` lists them")
        return JID(local, self.host.name)


def _contact(user: str, host: str) -> JID:
    return JID.parse(f"{user}@{host}" if user else host)


def _row(item: Item) -> dict[str, str]:
    asks = (("out", PENDING_OUT), ("in", PENDING_IN))
    return {
        "jid": str(item.contact),
        "nick": item.name,
        "subscription": item.subscription,
        "pending": "+".join(word for word, bit in asks if item.mark & bit) or "none",
        "groups": ";".join(item.groups),
    }


def _read(file: Path) -> list[Element]:
    try:
        query = etree.fromstring(file.read_bytes(), _PARSER)
    except (OSError, etree.XMLSyntaxError) as error:
        raise CommandError(f"cannot read {file}: {error}") from None
    if query.tag != f"{{{ROSTER}}}query":
        raise CommandError(f"{file} must hold one <query xmlns='{ROSTER}'> with items in it")
    return query.findall(f"{{{ROSTER}}}item")
