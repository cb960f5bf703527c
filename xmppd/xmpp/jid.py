"""Addresses (RFC 7622): prepared once, then compared and hashed as the strings they are."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from . import preparation
from .errors import StanzaError

_SPECIAL = re.compile(r"[&<>'\"\t\n\r]").search


class JID(str):
    """A prepared address: a string that knows its parts.

    Make one with `JID.parse`; the class call trusts its arguments. Two JIDs are equal when their prepared forms are,
    so they serve as keys, as SQL parameters and in messages as they are.
    """

    __slots__ = ("_bare", "domain", "local", "plain", "resource")

    local: str
    domain: str
    resource: str
    plain: bool
    """Whether it stands in XML as it is, without escapes."""
    _bare: JID | None

    def __new__(cls, local: str, domain: str, resource: str = "") -> JID:
        bare = f"{local}@{domain}" if local else domain
        self = super().__new__(cls, f"{bare}/{resource}" if resource else bare)
        self.local, self.domain, self.resource = local, domain, resource
        self.plain = _SPECIAL(self) is None
        self._bare = None
        return self

    @property
    def bare(self) -> JID:
        """The address without its resource; itself where it has none."""
        if not self.resource:
            return self
        if self._bare is None:
            self._bare = JID(self.local, self.domain)
        return self._bare

    def with_resource(self, resource: str) -> JID:
        """The full address of one resource, which must be prepared already (see `resourceprep`)."""
        return JID(self.local, self.domain, resource)

    def __reduce__(self) -> tuple[type[JID], tuple[str, str, str]]:
        return JID, (self.local, self.domain, self.resource)

    @staticmethod
    def parse(text: str) -> JID:
        """Prepare an address from the wire or a person; `StanzaError("jid-malformed")` where RFC 7622 forbids it."""
        return _parse(text) if len(text) <= LONGEST_CACHED else _parse.__wrapped__(text)


# One look-up is a tenth of a preparation. Some 400 bytes each make this 13 MB; an address of kilobytes, which only an
# attacker would send by the thousand, is prepared each time.
CACHED: Final = 32768
LONGEST_CACHED: Final = 128  # characters


@lru_cache(CACHED)
def _parse(text: str) -> JID:
    head, slash, resource = text.partition("/")  # in this order: a resource may have "@" and "/" (RFC 7622 3.2)
    before, at, after = head.partition("@")
    try:
        return JID(
            preparation.localpart(before) if at else "",
            preparation.domainpart(after if at else head),
            preparation.resourcepart(resource) if slash else "",
        )
    except ValueError as error:
        raise StanzaError("jid-malformed", f"not an address: {error}") from None


def resourceprep(resource: str) -> str:
    """The prepared form of a resourcepart; `StanzaError("jid-malformed")` where it has none (RFC 7622 3.4)."""
    try:
        return preparation.resourcepart(resource)
    except ValueError as error:
        raise StanzaError("jid-malformed", str(error)) from None


def nodeprep(local: str) -> str:
    """The prepared form of a localpart; `StanzaError("jid-malformed")` where it has none (RFC 7622 3.3)."""
    try:
        return preparation.localpart(local)
    except ValueError as error:
        raise StanzaError("jid-malformed", str(error)) from None
