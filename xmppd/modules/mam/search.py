"""Full-text search (XEP-0431): a table of words beside the messages, where a host has it on."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

from xmppd.api import Statement, Storage
from xmppd.xmpp.jid import JID

TABLE: Final = "mam_words"
OWNER: Final = "mam.words"  # whose migrations the table's are
LONGEST: Final = 256  # characters of what is searched for
MOST_WORDS: Final = 16
LONGEST_TEXT: Final = 16384  # characters of a message that are searched; a chat line has some 80
_WORD: Final = re.compile(r"\w+")


class Search:
    """The words of messages. Nothing is looked for unless `open` was called.

    Each message has a word for its archive besides its own, so that looking through one archive does not take longer
    where there are many. That a row is the archive's is checked on the row itself.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._words = storage.words
        self.on = False

    async def open(self) -> None:
        """Make the table, where there is none yet."""
        await self._storage.migrate(OWNER, [self._words.create.format(table=TABLE)])
        self.on = True

    def enter(self, archive: JID, key: int, text: str) -> None:
        """Queue the words of a message, behind its row."""
        self._storage.add(self._words.insert.format(table=TABLE), (key, f"{_of(archive)} {text[:LONGEST_TEXT]}"))

    def matches(self) -> str:
        """The read that gives the keys of messages that have the words of `wanted`."""
        return self._words.matches.format(table=TABLE)

    def wanted(self, archive: JID, text: str) -> str:
        """What `matches` takes: every word of a text must be there, in any order, whatever its case."""
        return self._words.wanted([_of(archive), *_WORD.findall(text[:LONGEST])[:MOST_WORDS]])

    def forget(self, key: int) -> list[Statement]:
        """What takes a message's words out."""
        return [(f"DELETE FROM {TABLE} WHERE {self._words.number} = ?", (key,))] if self.on else []  # noqa: S608

    def forget_all(self, keys: str, parameters: tuple[object, ...]) -> list[Statement]:
        """The same for the keys that a read gives."""
        sql = f"DELETE FROM {TABLE} WHERE {self._words.number} IN ({keys})"  # noqa: S608
        return [(sql, parameters)] if self.on else []


def _of(archive: JID) -> str:
    return f"a{blake2b(archive.encode(), digest_size=12).hexdigest()}"
