"""The command that takes over the users of another server (XEP-0227)."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from lxml import etree

from xmppd.api.declare import command
from xmppd.commands import STANDALONE, CommandError, Progress
from xmppd.host import Host
from xmppd.routing.hooks import AccountEvent
from xmppd.sasl import Credentials
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID, nodeprep
from xmppd.xmpp.stanza import Element

from .portable import Reader, User
from .running import Aspect

BATCH: Final = 512  # users written in one group commit; a second's work, so the bar moves
SHOWN: Final = 20  # refusals told one by one; a whole file of them would hide the rest


@runtime_checkable
class Importer(Protocol):
    """A module that keeps something of what such files hold offers this method."""

    async def import_account(self, account: JID, element: Element) -> bool:
        """Take one child of `<user/>`, as XEP-0227 writes it; False where it is none of the module's.

        The account does not exist yet. Returns when all is on disk; many calls run at once.
        """


@dataclass(slots=True)
class Outcome:
    """What became of a file."""

    created: int = 0
    existing: int = 0
    without_password: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, object]:
        """For the administrator; empty parts are left out."""
        more = len(self.refused) - SHOWN
        parts: dict[str, object] = {
            "refused": self.refused[:SHOWN] + ([f"and {more} more"] if more > 0 else []),
            "without a password (use change_password)": self.without_password,
            "ignored": [f"{name} ({times} times)" for name, times in self.ignored.items()],
        }
        return {"created": self.created, "existing": self.existing} | {
            name: part for name, part in parts.items() if part
        }


class ImportCommands(Aspect):
    """Taking over users."""

    @command("import", "Import accounts with their rosters and private data (XEP-0227)", "accounts", STANDALONE)
    async def import_file(self, file: Path, progress: Progress) -> dict[str, object]:
        """Accounts that exist are left as they are, so a broken import can be run again. Progress is in bytes."""
        reader = Reader(file)
        users = iter(reader)
        outcome = Outcome()
        failure: CommandError | None = None
        while failure is None:
            batch, failure = await asyncio.to_thread(_taken, users)
            if not batch:
                break
            for name, group in groupby(batch, lambda user: user.host):
                await self._import(name, list(group), outcome)
            progress(reader.position, reader.size)
        if failure is not None:
            raise failure
        return outcome.told()

    async def _import(self, name: str, users: list[User], outcome: Outcome) -> None:
        try:
            host = self.host(name)
        except (CommandError, StanzaError):
            outcome.refused += [f"{user.name}@{name}: add {name!r} to hosts and import again" for user in users]
            return
        new = await _new(host, users, outcome)
        # The account comes last: where it exists, all that belongs to it does, whenever an import is cut off.
        await asyncio.gather(*(_import_elements(host, account, user, outcome) for account, user in new))
        made = await host.accounts.create_many(
            (account.local, _secret(account, user, outcome)) for account, user in new
        )
        outcome.created += made.created
        outcome.existing += len(made.existing)
        for refused, reason in made.refused:
            outcome.refused.append(f"{refused}@{name}: {reason}")
            await host.hooks.account_removed.tell(AccountEvent(JID(refused, host.name)))


def _taken(users: Iterator[User]) -> tuple[list[User], CommandError | None]:
    """The next users, and why there are no more of them where the file is broken."""
    batch: list[User] = []
    try:
        batch.extend(islice(users, BATCH))
    except CommandError as error:
        return batch, error
    return batch, None


async def _new(host: Host, users: list[User], outcome: Outcome) -> list[tuple[JID, User]]:
    """Those without an account yet; who stands in the file twice counts once."""
    new: dict[JID, User] = {}
    for user in users:
        try:
            account = JID(nodeprep(user.name), host.name)
        except StanzaError as error:
            outcome.refused.append(f"{user.name}@{host.name}: {error.text}")
            continue
        if account in new or await host.accounts.exists(account.local):
            outcome.existing += 1
        else:
            new[account] = user
    return list(new.items())


def _secret(account: JID, user: User, outcome: Outcome) -> str | Credentials:
    """What the user logs in with; where the file does not say, something that nobody knows."""
    if user.secret is None:
        outcome.without_password.append(account)
        return secrets.token_urlsafe(24)
    return user.secret


async def _import_elements(host: Host, account: JID, user: User, outcome: Outcome) -> None:
    importers = [module for module in host.modules.values() if isinstance(module, Importer)]
    for element in user.elements:
        if not await _taken_by(importers, account, element, outcome):
            name = etree.QName(element)
            outcome.ignored[f"{name.localname} of {name.namespace}"] += 1


async def _taken_by(importers: Sequence[Importer], account: JID, element: Element, outcome: Outcome) -> bool:
    for importer in importers:
        try:
            if await importer.import_account(account, element):
                return True
        except StanzaError as error:
            outcome.refused.append(f"{account}: {etree.QName(element).localname}: {error.text or error.condition}")
            return True
    return False
