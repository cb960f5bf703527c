"""ANONYMOUS (RFC 4505, XEP-0175): a name for one session."""

from __future__ import annotations

import secrets

from .exchange import Outcome, Steps, Success, text_of


class Anonymous(Steps):
    """One anonymous login. The name is random, so that nobody meets another's past."""

    name = "ANONYMOUS"

    def receive(self, payload: bytes) -> Outcome:
        text_of(payload)
        return Success(secrets.token_hex(16), anonymous=True)
