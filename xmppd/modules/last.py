"""XEP-0012: Last Activity, of the server and of accounts that are away."""

from __future__ import annotations

from collections.abc import Awaitable

from xmppd.api import (
    ACCOUNT,
    FILTER,
    IQ,
    SERVER,
    AccountEvent,
    Counter,
    Event,
    Many,
    Module,
    ModuleOptions,
    PresenceChanged,
    command,
    every,
    hook,
    iq_get,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import escape

NS_LAST = "jabber:iq:last"
QUERY = (f"{NS_LAST} query",)
LONGEST_STATUS = 1024  # characters kept of a last status; a sentence, not a letter
UPSERT = (
    "INSERT INTO last_activity (account, seen, status) VALUES (?, ?, ?) "
    "ON CONFLICT (account) DO UPDATE SET seen = excluded.seen, status = excluded.status"
)


# A commit of its own for each who leaves would be a fifth of what a login costs. So they are written together; a crash
# makes the server forget who left in the last few seconds, which nobody was promised.
WRITE_EVERY = 5.0  # seconds
MOST_UNWRITTEN = 1000

Seen = tuple[int, str]  # seconds since 1970, and the last status


class Last(Module):
    """Remembers when an account became unavailable; tells those who may see its presence."""

    features, account_features, depends = {NS_LAST}, {NS_LAST}, {"roster"}
    xeps = {"0012": "2.0"}
    migrations = ("CREATE TABLE last_activity (account TEXT PRIMARY KEY, seen BIGINT NOT NULL, status TEXT NOT NULL)",)
    answered = Counter("Last-activity queries answered")

    class Options(ModuleOptions):
        """Who is told."""

        strangers: bool = option(False, "Answer users who may not see the account's presence")

    options: Options

    async def start(self) -> None:
        """The server's own activity counts from here."""
        self._started = self.clock.time()
        self._unwritten: dict[JID, Seen] = {}

    async def stop(self) -> None:
        """Nothing is left to write."""
        await self.write()

    @hook.presence_changed
    def remember(self, event: PresenceChanged) -> None:
        """The last resource of an account became unavailable: keep when, and its last words (XEP-0012 3)."""
        account = event.session.jid.bare
        if event.now or any(session.available for session in self.host.sessions.of(account)):
            return
        status = event.stanza.text("status")[:LONGEST_STATUS]
        self._unwritten[account] = int(self.clock.time()), status
        if len(self._unwritten) == MOST_UNWRITTEN:
            self.host.house.timetable.after(0, self.write)

    @every(WRITE_EVERY)
    async def write(self) -> None:
        """Write what was learnt since the last time; it is looked up here until it is on disk."""
        fresh = dict(self._unwritten)
        if not fresh:
            return
        await self.storage.write((UPSERT, Many([(account, *seen) for account, seen in fresh.items()])))
        for account, seen in fresh.items():
            if self._unwritten.get(account) == seen:
                del self._unwritten[account]

    @iq_get("query", NS_LAST, to=SERVER)
    async def uptime(self, iq: IQ) -> str:
        """Seconds since the server started (5)."""
        return _query(self.clock.time() - self._started)

    @iq_get("query", NS_LAST, to=ACCOUNT)
    async def answer(self, iq: IQ) -> str:
        """0 for one who is here, else the seconds since, and the last status; `forbidden` to strangers (3)."""
        account = iq.account
        await self._check_allowed(account, iq.sender)
        self.answered.inc()
        if any(session.available for session in self.host.sessions.of(account)):
            return _query(0)
        row = await self._last(account)
        if row is None:
            raise StanzaError("item-not-found", "this account was never here")
        return _query(self.clock.time() - row[0], row[1])

    @hook.account_receive.at(FILTER, "iq")
    def guard(self, event: Event) -> Awaitable[None] | None:
        """A stranger's question reaches no resource either: it would tell whether that is here (4, 8)."""
        stanza = event.stanza
        if stanza.type != "get" or stanza.names != QUERY:
            return None
        to, sender = stanza.to, stanza.sender
        if to is None or sender is None or not to.resource:
            return None
        return self._check_allowed(to.bare, sender)

    async def _check_allowed(self, account: JID, asker: JID) -> None:
        if not (self.options.strangers or await self.use("roster").sees(account, asker.bare)):
            raise StanzaError("forbidden", "only for those who may see the account's presence")

    async def _last(self, account: JID) -> Seen | None:
        if account in self._unwritten:
            return self._unwritten[account]
        row = await self.storage.fetch_one("SELECT seen, status FROM last_activity WHERE account = ?", account)
        return None if row is None else (int(row[0]), str(row[1]))

    @hook.account_removed
    def forget(self, event: AccountEvent) -> None:
        """Nothing is kept of an account that is gone."""
        self._unwritten.pop(event.account, None)
        self.storage.write(("DELETE FROM last_activity WHERE account = ?", (event.account,)))

    @command("get_last", "When an account was last seen, and its last status", "accounts")
    async def get_last(self, account: JID) -> dict[str, object]:
        """ONLINE, or seconds since 1970 and the status."""
        if self.host.sessions.of(account):
            return {"timestamp": int(self.clock.time()), "status": "ONLINE"}
        row = await self._last(account)
        return {"timestamp": row[0], "status": row[1]} if row else {"timestamp": 0, "status": "NOT FOUND"}

    @command("set_last", "Set when an account was last seen", "accounts")
    async def set_last(self, account: JID, timestamp: int, status: str) -> None:
        """For moving from another server."""
        self._unwritten.pop(account, None)
        await self.storage.write((UPSERT, (account, timestamp, status[:LONGEST_STATUS])))


def _query(seconds: float, status: str = "") -> str:
    return f"<query xmlns='{NS_LAST}' seconds='{max(0, int(seconds))}'>{escape(status)}</query>"
