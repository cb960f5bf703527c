"""How users of a host prove who they are, and how their passwords are kept."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .section import Section

Mechanism = Literal[
    "SCRAM-SHA-512-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-1",
    "PLAIN",
    "EXTERNAL",
    "ANONYMOUS",
]


class Auth(Section):
    """Authentication of one host."""

    password_format: Literal["scram"] = Field(
        default="scram", description="ejabberd's word, with one value: keys are kept, never a password."
    )
    mechanisms: tuple[Mechanism, ...] = Field(
        default=(
            "EXTERNAL",
            "SCRAM-SHA-512-PLUS",
            "SCRAM-SHA-512",
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-1",
            "PLAIN",
        ),
        min_length=1,
        description="Offered in this order. -PLUS and PLAIN come on encrypted streams only, EXTERNAL where client_ca "
        "is set and a client certificate was shown; ANONYMOUS gives everybody a temporary account.",
    )
    token_lifetime: float = Field(
        default=30 * 86400,
        ge=0,
        description="Seconds that a token for a fast login is good (XEP-0484); 0: none are given out. "
        "A phone in a drawer for a month asks for the password again.",
    )
    token_refresh_age: float = Field(
        default=86400, ge=0, description="A token older than this is replaced when it is used. Seconds."
    )
    downgrade_protection: bool = Field(
        default=False, description="Sign what was offered, so that nobody can hide part of it (XEP-0474; experimental)."
    )
    upgrades: bool = Field(
        default=True, description="Take keys for a hash that an account has none for, after its login (XEP-0480)."
    )
    scram_iterations: int = Field(
        default=4096,
        ge=4096,
        le=1000000,
        description="Rounds for new passwords. RFC 7677 asks for 4096 at least; phones compute them at every login.",
    )
