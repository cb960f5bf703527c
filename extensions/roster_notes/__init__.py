"""Roster notes: a player writes a short private note on a friend, and reads it wherever he logs in.

    <item jid='sum9876@pvp.example' name='0xDEADB33F'>
      <group>General</group><note>Versatile dude, plays only ranked, not a big fan of ARAMs</note></item>

The module `roster` does all that rosters do: answers, pushes, versions. It asks its `parts` what else stands in an
item, and this is one: `written` turns what a client sets into SQL of the roster's own transaction, `children` gives
the notes back as XML. What lies in the database between the two is encrypted: `records` says how, `keyring` keeps the
keys, `rotation` changes them under a running server. `docs/protocols/roster_notes.md` is the wire format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from xmppd.api import (
    AccountEvent,
    CommandError,
    ConfigError,
    Counter,
    Gauge,
    Module,
    ModuleOptions,
    Progress,
    Statement,
    command,
    every,
    hook,
    option,
)
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, escape

from . import tables
from .keyring import Keyring, Unreadable
from .records import Withheld
from .rotation import Rotation

NS_NOTES: Final = "urn:xmppd:roster-notes:0"
NOTE: Final = "{jabber:iq:roster}note"


class RosterNotes(Module):
    """Keeps one note with each roster item, for the account's owner alone."""

    features, account_features = {NS_NOTES}, {NS_NOTES}
    depends = {"roster"}
    migrations = tables.MIGRATIONS
    withheld = Counter("Notes left out, or not rewritten, since their record or its key cannot be trusted")
    waiting = Gauge("Notes that a rotation has still to rewrite", read=lambda module: module.rotation.left)

    class Options(ModuleOptions):
        """How long a note may be."""

        max_length: int = option(1000, "Characters of one note; past it `not-acceptable`", least=1)

    options: Options

    async def start(self) -> None:
        """Take up the keys and join the roster. A rotation that was cut off goes on."""
        self.ring = await self._open_ring()
        self.rotation = Rotation(self.storage, self.ring, self._withhold)
        if self.ring.old:
            self.rotation.begin()
        self.use("roster").parts.append(self)

    async def stop(self) -> None:
        """Leave it as it was."""
        self.use("roster").parts.remove(self)
        await self.rotation.stop()

    # A part of roster items

    def written(self, account: JID, contact: JID, item: Element | None) -> Iterable[Statement]:
        """What a roster set changes: a new note, an empty one to remove it, nothing where the client says nothing."""
        note = "" if item is None else _note(item)
        if note is None:
            return ()
        if not note:
            return ((tables.DROP, (account, contact)),)
        if len(note) > self.options.max_length:
            raise StanzaError("not-acceptable", f"a note has {self.options.max_length} characters at most")
        return ((tables.PUT, (account, contact, self.ring.seal(account, contact, note))),)

    async def children(self, account: JID, contact: JID | None = None) -> Mapping[str, str]:
        """The notes on all contacts, or on one, as XML."""
        if contact is None:
            rows = await self.storage.fetch(tables.OF_ACCOUNT, account)
        else:
            rows = await self.storage.fetch(tables.OF_CONTACT, account, contact)
        notes = ((whom, self._opened(account, whom, record)) for whom, record in rows)
        return {whom: f"<note>{escape(note)}</note>" for whom, note in notes if note}

    def _opened(self, account: str, contact: str, record: bytes) -> str:
        try:
            return self.ring.open(account, contact, record)
        except Withheld as reason:
            self._withhold(account, contact, str(reason))
            return ""

    def _withhold(self, account: str, contact: str, reason: str) -> None:
        self.withheld.inc()
        self.log.warning("the note of %s on %s is withheld and kept as it is: %s", account, contact, reason)

    @hook.account_removed
    async def forget(self, event: AccountEvent) -> None:
        """Nothing is kept of an account that is gone."""
        await self.storage.write((tables.CLEAR, (event.account,)))

    # Keys

    async def _open_ring(self) -> Keyring:
        """The host's key ring, made on first start; but where there are notes, a new one would open none of them."""
        path = self.host.house.data_dir / f"roster_notes-{self.host.name}.keys"
        try:
            return Keyring.load(path)
        except FileNotFoundError:
            if await self.storage.fetch_one(tables.ANY_OF_HOST, tables.of_host(self.host.name)):
                raise self._refusal(f"{path} is missing, and there are notes that only its keys open") from None
        except Unreadable as error:
            raise self._refusal(f"{path} cannot be used: {error}") from None
        try:
            return Keyring.create(path)
        except OSError as error:
            raise self._refusal(f"cannot make {path}: {error.strerror}") from None

    def _refusal(self, reason: str) -> ConfigError:
        return ConfigError([f"modules.{self.name}: {reason}; put it right or back from a backup"])

    @command("rotate_notes_key", "Make a new key for roster notes and rewrite all notes with it", "roster")
    async def rotate_notes_key(self, progress: Progress, retire: bool = False) -> dict[str, object]:
        """`retire` drops old keys that no record uses. Where a rotation is under way, it is watched to its end."""
        try:
            if not self.rotation.under_way:
                self.ring.renew()
                self.rotation.begin()
            if retire:
                self.ring.retire()
        except OSError as error:
            raise CommandError(f"the key ring cannot be written, and nothing was changed: {error}") from None
        await self.rotation.watch(progress)
        if self.rotation.failure:
            raise CommandError(f"it broke off and goes on by itself later: {self.rotation.failure}")
        left = self.rotation.done - self.rotation.rewritten
        return {"rewritten": self.rotation.rewritten, "withheld": left, "old keys kept": len(self.ring.old)}

    @every(60.0)
    def go_on(self) -> None:
        """Go on with a rotation that broke off, as when the disk was full."""
        if self.rotation.failure:
            self.rotation.begin()


def _note(item: Element) -> str | None:
    """What the client says of the note: None nothing, "" remove it."""
    found = item.findall(NOTE)
    if not found:
        return None
    if len(found) > 1 or len(found[0]):
        raise StanzaError("bad-request", "an item has one note, of plain text")
    return found[0].text or ""
