"""The verbs that every client understands, and how a test waits for what a client shows."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .roomgoer import Roomgoer

PATIENCE_SECONDS = 30.0
"""How long a client may take to show what it should. Only a failing test ever waits so long."""

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Access:
    """What a person types into a client to reach an account."""

    user: str
    host: str
    password: str
    starttls_port: int
    direct_tls_port: int
    authority: Path
    """PEM file of the authority that signed the server's certificate."""

    @property
    def jid(self) -> str:
        """The bare JID."""
        return f"{self.user}@{self.host}"


class Client(Roomgoer):
    """One running client, logged in to at most one account.

    Verbs that act (`adds`, `says`, ...) return once the client took the order. Verbs that watch (`hears`, `sees`,
    ...) return once the client shows it, and raise AssertionError with what it shows when PATIENCE_SECONDS are over.
    """

    name: ClassVar[str]

    def __init__(self, access: Access, folder: Path) -> None:
        self.access = access
        self.folder = folder

    def __str__(self) -> str:
        return f"{self.name} of {self.access.jid}"

    @property
    def jid(self) -> str:
        """The bare JID of the account."""
        return self.access.jid

    @classmethod
    @abstractmethod
    def missing(cls) -> str:
        """Why this client cannot run here, with the package to install; empty when it can."""

    @abstractmethod
    async def starts(self) -> None:
        """Start the program, not logged in, with settings and caches of its own in `folder`."""

    @abstractmethod
    async def closes(self) -> None:
        """End the program, whatever state it is in."""

    @abstractmethod
    async def tries_to_log_in(self, password: str, *, direct_tls: bool = False) -> None:
        """Connect with TLS, STARTTLS unless `direct_tls`, checking the certificate against the authority."""

    @abstractmethod
    async def is_logged_in(self) -> None:
        """Wait until the session stands."""

    @abstractmethod
    async def is_refused(self) -> None:
        """Wait until the client says that the password was not accepted."""

    @abstractmethod
    async def distrusts_the_certificate(self) -> None:
        """Wait until the client says that the server's certificate is signed by nobody it trusts."""

    @abstractmethod
    async def logs_out(self) -> None:
        """End the session and wait until the client says so."""

    @abstractmethod
    async def adds(self, jid: str) -> None:
        """Put `jid` into the roster and ask for its presence."""

    @abstractmethod
    async def is_asked_by(self, jid: str) -> None:
        """Wait until the client asks whether `jid` may see our presence."""

    @abstractmethod
    async def approves(self, jid: str) -> None:
        """Say yes to what `is_asked_by` waits for."""

    @abstractmethod
    async def becomes(self, show: str, text: str = "") -> None:
        """Announce `show`: online, away, xa or dnd."""

    @abstractmethod
    async def sees(self, jid: str, show: str) -> None:
        """Wait until the contact is shown as online, away, xa, dnd or offline."""

    @abstractmethod
    async def says(self, jid: str, text: str) -> None:
        """Send a chat message."""

    @abstractmethod
    async def hears(self, jid: str, text: str) -> None:
        """Wait until the client shows `text` as said by `jid`."""

    @abstractmethod
    async def renames(self, jid: str, name: str) -> None:
        """Give a contact a name."""

    @abstractmethod
    async def regroups(self, jid: str, group: str) -> None:
        """Put a contact into a group."""

    @abstractmethod
    async def lists(self, jid: str, name: str, group: str) -> None:
        """Wait until the roster shows the contact with that name in that group."""

    @abstractmethod
    async def removes(self, jid: str) -> None:
        """Take a contact off the roster, and with it both subscriptions."""

    @abstractmethod
    async def lacks(self, jid: str) -> None:
        """Wait until the roster shows no such contact."""

    @abstractmethod
    async def changes_password(self, password: str) -> None:
        """Change the account's password and wait until the client says that it is changed."""

    @abstractmethod
    async def shown(self) -> str:
        """What the client shows now, for the message of a failing test."""

    async def logs_in(self, *, direct_tls: bool = False) -> None:
        """Connect with the account's own password and wait until the session stands."""
        await self.tries_to_log_in(self.access.password, direct_tls=direct_tls)
        await self.is_logged_in()

    async def until(self, what: str, look: Callable[[], Awaitable[bool]]) -> None:
        """Look again and again until it is so; `what` completes "has not ..."."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await look():
            if time.monotonic() > deadline:
                raise AssertionError(f"{self} has not {what} within {PATIENCE_SECONDS:.0f} s.\n{await self.shown()}")
            await asyncio.sleep(POLL_SECONDS)
