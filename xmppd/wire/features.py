"""Stream features as rows of data (RFC 6120 4.3): what a stream must be for one to be offered, and what it then is.

The law of this file: whether something may be negotiated now follows from the state's bits and the row alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from xmppd.xmpp.stanza import Stanza

from .items import Nonza


class State:
    """What has been negotiated on a stream, as bits of an int: an IntFlag takes a microsecond to ask."""

    SECURE: Final = 1  # TLS protects it
    READY: Final = 2  # authentication may begin: it is secure, or the door asks for no security
    AUTHENTICATED: Final = 4
    BOUND: Final = 8
    COMPRESSED: Final = 16
    MANAGED: Final = 32  # XEP-0198 is on


class Layer(Protocol):
    """A transformation of the byte stream, beneath the XML and above TLS."""

    def decode(self, data: bytes) -> bytes:
        """Bytes of the peer as it meant them; `StreamError` ends the stream."""

    def encode(self, pieces: Sequence[bytes]) -> bytes:
        """Bytes for the peer, whole up to here: a burst, in the pieces that were written, each a stanza at most."""


class Peer(Protocol):
    """A stream in negotiation, as a feature sees it."""

    address: str
    """The IP address of the peer."""

    @property
    def state(self) -> int:
        """What has been negotiated."""

    @property
    def account(self) -> str:
        """The bare address that has authenticated, empty before."""

    @property
    def session(self) -> Any:
        """The `routing.sessions.Session`, None until a resource is bound."""

    def write_xml(self, xml: str) -> None:
        """Send an element that says its own namespace."""

    def grant(self, state: int) -> None:
        """Something was negotiated."""

    def restart(self) -> None:
        """Expect a new stream header; what came in behind the last element is dropped."""

    def wrap(self, layer: Layer) -> None:
        """All bytes from now on pass through `layer`."""


P = TypeVar("P", bound=Peer)


@dataclass(frozen=True, slots=True)
class StreamFeature(Generic[P]):
    """One feature.

    `tags` are the elements, as `"namespace name"`, that a peer begins it with: nonzas, or the payloads of iqs.
    It is offered while all `needs` and none of `forbids` hold; `advertise` gives its element, or "" to stay silent.
    `order` places it among those offered.
    """

    name: str
    tags: frozenset[str]
    needs: int
    forbids: int
    advertise: Callable[[P], str]
    handle: Callable[[P, Nonza | Stanza], Awaitable[None]]
    order: int = 50

    def possible(self, state: int) -> bool:
        """Whether it may be negotiated in this state."""
        return state & self.needs == self.needs and not state & self.forbids


class Features(Generic[P]):
    """The features of one kind of stream."""

    def __init__(self, rows: Iterable[StreamFeature[P]] = ()) -> None:
        self._rows: list[StreamFeature[P]] = []
        self._tags: dict[str, StreamFeature[P]] = {}
        self._possible: dict[int, list[StreamFeature[P]]] = {}  # by state: each login asks three times
        for row in rows:
            self.add(row)

    def add(self, row: StreamFeature[P]) -> None:
        """Offer a feature on streams whose features are listed from now on."""
        self._rows.append(row)
        self._rows.sort(key=lambda row: row.order)
        self._tags.update(dict.fromkeys(row.tags, row))
        self._possible.clear()

    def remove(self, row: StreamFeature[P]) -> None:
        """Offer it no more."""
        self._rows.remove(row)
        self._possible.clear()
        for tag in row.tags:
            self._tags.pop(tag, None)

    def possible(self, state: int) -> list[StreamFeature[P]]:
        """Those that may be negotiated in this state, in their order; read them, and do not change the list."""
        found = self._possible.get(state)
        if found is None:
            found = self._possible[state] = [row for row in self._rows if row.possible(state)]
        return found

    def find(self, tag: str, state: int) -> StreamFeature[P] | None:
        """The feature that an element begins, where it is possible now."""
        row = self._tags.get(tag)
        return row if row is not None and row.possible(state) else None
