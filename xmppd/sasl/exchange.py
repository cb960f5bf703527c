"""The words of an exchange: what a mechanism knows, what it is told, what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID, nodeprep

from .keys import Credentials

# RFC 6120 6.5.
CONDITIONS: Final = frozenset(
    {
        "aborted",
        "account-disabled",
        "credentials-expired",
        "encryption-required",
        "incorrect-encoding",
        "invalid-authzid",
        "invalid-mechanism",
        "malformed-request",
        "mechanism-too-weak",
        "not-authorized",
        "temporary-auth-failure",
    }
)

# Bytes of one message from a client: a name and a password of 1,023 bytes each fit; preparing the worst costs 10 ms.
LONGEST_MESSAGE: Final = 4096


class SASLError(Exception):
    """The exchange has failed (RFC 6120 6.5): `condition` for the wire, `text` a sentence for people."""

    def __init__(self, condition: str, text: str = "") -> None:
        if condition not in CONDITIONS:
            raise ValueError(f"{condition!r} is no SASL failure of RFC 6120 6.5")
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition
        self.text = text


@dataclass(frozen=True, slots=True)
class Context:
    """What a mechanism may know of the connection.

    `endpoint_binding` is the `tls-server-end-point` of RFC 5929 4, None without TLS. `certificate_jids` are the
    xmppAddrs of a client certificate that was verified. `advertised` is what SCRAM signs of the offer (XEP-0474 4.1),
    empty where it signs none.
    """

    host: str
    secure: bool
    endpoint_binding: bytes | None = None
    certificate_jids: tuple[JID, ...] = ()
    advertised: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send `payload`; the client's answer goes to `receive`."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Lookup:
    """Fetch the credentials of `user`, a prepared localpart; hand them, or None, to `found`."""

    user: str


@dataclass(frozen=True, slots=True)
class Compute:
    """Run `work` in a thread, for it takes milliseconds; hand its result to `computed`."""

    work: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Success:
    """The client is `user`, a prepared localpart; `payload` goes into the success where it is not None."""

    user: str
    payload: bytes | None = None
    anonymous: bool = False
    authzid: str = ""


Outcome = Challenge | Lookup | Compute | Success


class Mechanism(Protocol):
    """One exchange. Each step answers an `Outcome` or raises `SASLError`, which ends it."""

    name: str

    def receive(self, payload: bytes) -> Outcome:
        """A message of the client, decoded from base64; b"" also where it sent no initial response."""

    def found(self, credentials: Credentials | None) -> Outcome:
        """The answer to `Lookup`: None where there is no such account."""

    def computed(self, result: bool) -> Outcome:
        """The answer to `Compute`."""


class Steps:
    """Refuses every step; a mechanism overrides those it takes."""

    name = ""

    def receive(self, payload: bytes) -> Outcome:
        raise out_of_turn()

    def found(self, credentials: Credentials | None) -> Outcome:
        raise out_of_turn()

    def computed(self, result: bool) -> Outcome:
        raise out_of_turn()


def out_of_turn() -> SASLError:
    """The error for a step the exchange does not wait for."""
    return SASLError("malformed-request", "this message is out of turn")


def not_authorized() -> SASLError:
    """The one error for an unknown user and a wrong password, in the same words."""
    return SASLError("not-authorized", "unknown user or wrong password")


def text_of(payload: bytes) -> str:
    """A message as text; `SASLError("malformed-request")` where it is too long or not UTF-8."""
    if len(payload) > LONGEST_MESSAGE:
        raise SASLError("malformed-request", f"a message has at most {LONGEST_MESSAGE} bytes")
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise SASLError("malformed-request", "a message is UTF-8") from None


def localpart(user: str) -> str:
    """The prepared form of a user name; `SASLError("not-authorized")` where nobody can have that name."""
    try:
        return nodeprep(user)
    except StanzaError:
        raise not_authorized() from None


def check_authzid(authzid: str, user: str, host: str) -> None:
    """Nobody acts for another: `SASLError("invalid-authzid")` unless empty or the user's own bare JID."""
    if not authzid:
        return
    try:
        same = JID.parse(authzid) == f"{user}@{host}"
    except StanzaError:
        same = False
    if not same:
        raise SASLError("invalid-authzid", "act as nobody but yourself: leave it out, or give your own bare JID")
