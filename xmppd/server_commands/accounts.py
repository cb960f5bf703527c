"""Commands about accounts and their passwords."""

from __future__ import annotations

from collections.abc import AsyncIterator

from xmppd.api.declare import command
from xmppd.commands import STANDALONE, CommandError
from xmppd.host import Host
from xmppd.xmpp.jid import JID

from .running import Aspect

PAGE = 1000  # names read from storage at once


class AccountCommands(Aspect):
    """Accounts of any host."""

    @command("register", "Make an account", "accounts", STANDALONE)
    async def register(self, account: JID, password: str) -> str:
        """On disk when this returns."""
        await self.host(account.domain).create_account(account.local, password)
        return f"{account} is registered"

    @command("unregister", "Remove an account and all that is kept of it", "accounts", STANDALONE)
    async def unregister(self, account: JID) -> str:
        """Its sessions are ended too."""
        await self.host(account.domain).remove_account(account)
        return f"{account} is removed"

    @command("change_password", "Give an account another password", "accounts", STANDALONE)
    async def change_password(self, account: JID, newpass: str) -> None:
        """Sessions stay; the next login needs the new one."""
        await self.host(account.domain).set_password(account.local, newpass)

    @command("check_account", "Fail unless the account exists", "accounts", STANDALONE)
    async def check_account(self, account: JID) -> None:
        """For scripts: the exit code says it."""
        if not await self.host(account.domain).accounts.exists(account.local):
            raise CommandError(f"there is no account {account}")

    @command("check_password", "Fail unless this is the account's password", "accounts", STANDALONE)
    async def check_password(self, account: JID, password: str) -> None:
        """For scripts: the exit code says it."""
        if not await self.host(account.domain).accounts.check_password(account.local, password):
            raise CommandError(f"this is not the password of {account}, or there is no such account")

    @command("registered_users", "List the accounts of a host", "accounts", STANDALONE)
    async def registered_users(self, host: str) -> list[str]:
        """Names in order."""
        return [name async for name in _names(self.host(host))]

    @command("registered_vhosts", "List the hosts served here", "server", STANDALONE)
    async def registered_vhosts(self) -> list[str]:
        """In the order of the configuration."""
        return list(self.server.hosts)


async def _names(host: Host) -> AsyncIterator[str]:
    last = ""
    while page := await host.accounts.names(last, PAGE):
        for name in page:
            yield name
        last = page[-1]
