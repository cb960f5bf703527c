"""What expat sees of a stanza from outside: its attributes, and the tags of what it holds.

Streams are read by expat, so whatever came in by one has an outline; libxml2 refuses some of that, such as a namespace
that is no URI, and takes twice the time.
"""

from __future__ import annotations

from xml.parsers import expat

from .errors import StanzaError


class Outline:
    """Its attributes, and of each top element of its letter the name and the attributes.

    A name is `"namespace name"`, or the name alone where there is no namespace.
    """

    def __init__(self) -> None:
        self.attributes: dict[str, str] = {}
        self.children: list[tuple[str, dict[str, str]]] = []
        self._depth = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the children."""
        return tuple([name for name, _ in self.children])

    def started(self, name: str, attributes: dict[str, str]) -> None:
        """A tag begins."""
        if self._depth == 0:
            self.attributes = attributes
        elif self._depth == 1:
            self.children.append((name, attributes))
        self._depth += 1

    def ended(self, name: str) -> None:
        """A tag ends."""
        self._depth -= 1


def outline(xml: bytes) -> Outline:
    """That of a whole stanza; `StanzaError("policy-violation")` for what no stream brings."""
    found = Outline()
    parser = expat.ParserCreate("UTF-8", " ", None)
    parser.StartElementHandler, parser.EndElementHandler = found.started, found.ended
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise StanzaError("policy-violation", f"the stanza cannot be read: {error}") from None
    return found
