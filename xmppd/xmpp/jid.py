"""Addresses (RFC 7622): prepared once, then compared and hashed as the strings they are."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from slixmpp.jid import JID as Prepared
from slixmpp.jid import InvalidJID

from .errors import StanzaError


class JID(str):
    """A prepared address: a string that knows its parts.

    Make one with `JID.parse`; the class call trusts its arguments. Two JIDs are equal when their prepared forms are,
    so they serve as keys, as SQL parameters and in messages as they are.
    """

    __slots__ = ("_bare", "domain", "local", "resource")

    local: str
    domain: str
    resource: str
    _bare: JID | None

    def __new__(cls, local: str, domain: str, resource: str = "") -> JID:
        bare = f"{local}@{domain}" if local else domain
        self = super().__new__(cls, f"{bare}/{resource}" if resource else bare)
        self.local, self.domain, self.resource = local, domain, resource
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
        return _parse(text)


CACHED: Final = 32768  # addresses; at some 300 bytes each this is 10 MB, and one lookup is a tenth of a preparation


@lru_cache(CACHED)
def _parse(text: str) -> JID:
    try:
        prepared = Prepared(text)
    except (InvalidJID, UnicodeError) as error:  # UnicodeError: half a surrogate pair, as JSON may hold
        raise StanzaError("jid-malformed", f"not an address: {error}") from None
    if not prepared.domain:
        raise StanzaError("jid-malformed", "an address needs a domain")
    if "\0" in text:
        raise StanzaError("jid-malformed", "an address has no NUL")
    return JID(prepared.node, prepared.domain, prepared.resource)


def resourceprep(resource: str) -> str:
    """The prepared form of a resourcepart; `StanzaError("jid-malformed")` where it has none (RFC 7622 3.4)."""
    return JID.parse(f"a.invalid/{resource}").resource


def nodeprep(local: str) -> str:
    """The prepared form of a localpart; `StanzaError("jid-malformed")` where it has none (RFC 7622 3.3)."""
    prepared = JID.parse(f"{local}@a.invalid")
    if not prepared.local or prepared.domain != "a.invalid" or prepared.resource:
        raise StanzaError("jid-malformed", "not a localpart")
    return prepared.local
