"""What a client asks for in one `<authenticate/>` (XEP-0388 2.3), beside logging in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from xmppd.sasl import SASLError
from xmppd.wire.items import Nonza
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.stanza import Element

from .exchange import decoded

LONGEST_NAME: Final = 100  # characters of a client's name for itself that are kept


@dataclass(frozen=True, slots=True)
class Request:
    """A login and what is to follow it.

    `agent` is the id of the client's installation, "" where it told none; `software` its name for people.
    """

    mechanism: str
    initial: bytes = field(repr=False)
    agent: str
    software: str
    resume: Element | None
    bind: Element | None
    fast: Element | None
    token_mechanism: str
    upgrades: tuple[str, ...]


def read(element: Nonza) -> Request:
    """The request; `SASLError` for what cannot be read."""
    root = element.element
    agent = root.find(f"{{{ns.SASL2}}}user-agent")
    token = root.find(f"{{{ns.FAST}}}request-token")
    initial = root.findtext(f"{{{ns.SASL2}}}initial-response")
    return Request(
        element.attributes.get("mechanism", ""),
        decoded(initial.strip().encode(errors="replace")) if initial else b"",
        _identity(agent),
        _software(agent),
        root.find(f"{{{ns.SM}}}resume"),
        root.find(f"{{{ns.BIND2}}}bind"),
        root.find(f"{{{ns.FAST}}}fast"),
        "" if token is None else token.get("mechanism", ""),
        tuple((each.text or "").strip() for each in root.iterfind(f"{{{ns.UPGRADE}}}upgrade")),
    )


def _identity(agent: Element | None) -> str:
    told = "" if agent is None else agent.get("id", "")
    try:
        return str(UUID(told)) if told else ""
    except ValueError:
        raise SASLError("malformed-request", "the id of a user-agent is a UUID") from None


def _software(agent: Element | None) -> str:
    if agent is None:
        return ""
    told = (agent.findtext(f"{{{ns.SASL2}}}{name}") or "" for name in ("software", "device"))
    return " on ".join(each.strip()[:LONGEST_NAME] for each in told if each.strip())
