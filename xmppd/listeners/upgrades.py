"""XEP-0480: after its login a client computes keys for a hash that the account has none for."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final

from xmppd.accounts import Accounts
from xmppd.config import Auth
from xmppd.sasl import HASHES, SASLError, Success
from xmppd.sasl.keys import SALT, keys_of
from xmppd.wire.features import State
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns

from .exchange import decoded

NS_SCRAM: Final = "urn:xmpp:scram-upgrade:0"
PREFIX: Final = "UPGR-SCRAM-"


@dataclass(slots=True)
class Upgrade:
    """What is left to do before a login ends, and how it will end: one hash after another."""

    outcome: Success
    hashes: list[str]
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(SALT))
    begun: bool = False

    @property
    def task(self) -> str:
        """The name of the next one."""
        return f"{PREFIX}{self.hashes[0]}"

    @property
    def expected(self) -> str:
        """The element that comes next."""
        return "task-data" if self.begun else "next"

    def begin(self, task: str, iterations: int) -> str:
        """The client begins; what it needs to compute (XEP-0480 6)."""
        if task != self.task:
            raise SASLError("malformed-request", f"the task to do now is {self.task}")
        self.begun = True
        salt = f"<salt xmlns='{NS_SCRAM}' iterations='{iterations}'>{b64encode(self.salt).decode()}</salt>"
        return f"<task-data xmlns='{ns.SASL2}'>{salt}</task-data>"

    async def take(self, element: Nonza, accounts: Accounts, iterations: int) -> None:
        """The client has computed; its keys are on disk when this returns."""
        text = element.element.findtext(f"{{{NS_SCRAM}}}hash") or ""
        hash = self.hashes.pop(0)
        try:
            keys = keys_of(decoded(text.strip().encode(errors="replace")), hash, iterations, self.salt)
        except ValueError as error:
            raise SASLError("malformed-request", str(error)) from None
        await accounts.add_keys(self.outcome.user, hash, keys)
        self.begun, self.salt = False, secrets.token_bytes(SALT)


def offered(auth: Auth, state: int) -> list[str]:
    """The hashes of mechanisms that the host has; none in the clear, where others hear what the client computes."""
    if not auth.upgrades or not state & State.SECURE:
        return []
    return [hash for hash in HASHES if f"SCRAM-{hash}" in auth.mechanisms]


def advertised(hashes: list[str]) -> str:
    """Their tasks, for the stream feature."""
    return "".join(f"<upgrade xmlns='{ns.UPGRADE}'>{PREFIX}{hash}</upgrade>" for hash in hashes)


async def wanted(names: tuple[str, ...], outcome: Success, hashes: list[str], accounts: Accounts) -> list[str]:
    """Of the tasks that a client asks for, those of `hashes` that its account lacks."""
    asked = [name.removeprefix(PREFIX) for name in dict.fromkeys(names) if name.startswith(PREFIX)]
    possible = [hash for hash in asked if hash in hashes]
    if not possible or outcome.anonymous:
        return []
    has = await accounts.credentials(outcome.user)
    return [] if has is None else [hash for hash in possible if hash not in has]
