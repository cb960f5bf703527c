"""The accounts and rosters a run needs, the same for every server."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

HOST = "localhost"
PHRASE = "a long walk by the river"


@dataclass(frozen=True)
class Account:
    """A user of `HOST` with `PHRASE` as password; `contacts` are subscribed both ways."""

    name: str
    contacts: tuple[str, ...] = ()

    @property
    def jid(self) -> str:
        return f"{self.name}@{HOST}"


def crowd(prefix: str, size: int) -> list[Account]:
    """`size` accounts that know nobody."""
    return [Account(f"{prefix}{number}") for number in range(size)]


def friends(hub: str, contacts: Sequence[str]) -> list[Account]:
    """`hub` and its `contacts`, each in the other's roster."""
    return [Account(hub, tuple(contacts)), *(Account(name, (hub,)) for name in contacts)]


def union(wanted: Iterable[Account]) -> list[Account]:
    """One account for each name, with the contacts of all its mentions."""
    contacts: dict[str, dict[str, None]] = {}
    for account in wanted:
        contacts.setdefault(account.name, {}).update(dict.fromkeys(account.contacts))
    return [Account(name, tuple(known)) for name, known in contacts.items()]


@dataclass(frozen=True)
class ScramKeys:
    """What a server keeps of `PHRASE` for SCRAM-SHA-1 (RFC 5802, 3), hex."""

    salt: str = "c0ffee00-8d1a-4f6e"
    iterations: int = 10000
    stored: str = field(init=False)
    server: str = field(init=False)

    def __post_init__(self) -> None:
        salted = hashlib.pbkdf2_hmac("sha1", PHRASE.encode(), self.salt.encode(), self.iterations)
        client = hmac.digest(salted, b"Client Key", "sha1")
        object.__setattr__(self, "stored", hashlib.sha1(client).hexdigest())
        object.__setattr__(self, "server", hmac.digest(salted, b"Server Key", "sha1").hex())


def write_portable(accounts: Iterable[Account], path: Path) -> None:
    """Write `accounts` with their rosters as one XEP-0227 file."""
    with path.open("w", encoding="utf-8") as out:
        out.write("<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='urn:xmpp:pie:0'>")
        out.write(f"<host xmlns='urn:xmpp:pie:0' jid='{HOST}'>\n")
        out.writelines(_portable_user(account) for account in accounts)
        out.write("</host></server-data>\n")


def _portable_user(account: Account) -> str:
    items = "".join(f"<item jid='{name}@{HOST}' name='{name}' subscription='both'/>" for name in account.contacts)
    roster = f"<query xmlns='jabber:iq:roster'>{items}</query>" if items else ""
    return f"<user name='{account.name}' password={quoteattr(PHRASE)}>{roster}</user>\n"
