"""The pool in which parsers wait that stand between two stanzas."""

from __future__ import annotations

from typing import Final

from .context import Context
from .cutter import Bounds, Cutter


class Parsers:
    """Parsers ready for any stream with the same header namespaces; one pool a server."""

    # Expat remembers every element and attribute name it has met, in up to 8 bytes for each one fed. A parser is
    # dropped after so many, so that who invents names gains nothing; one more costs some 10 µs.
    WORN: Final = 1 << 16
    KEPT: Final = 4  # per context: as many as streams are ever in the middle of a call at once, and a few
    CONTEXTS: Final = 32  # clients of one make share one; the one that came first gives way to a newcomer

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._idle: dict[tuple[str, Context], list[Cutter]] = {}
        self._contexts: dict[Context, Context] = {}

    def take(self, context: Context | None, content: str) -> Cutter:
        """A parser for a stream with these header namespaces, or one that expects a header."""
        if context is None:
            return Cutter(content, self._bounds)
        idle = self._idle.get((content, context))
        if idle:
            return idle.pop()
        cutter = Cutter(content, self._bounds)
        cutter.prime(context)
        return cutter

    def give(self, cutter: Cutter) -> None:
        """Take back a parser that stands between two stanzas."""
        home = cutter.home
        if home is None:
            home = cutter.home = self.home(cutter.context, cutter.content)
        if len(home) < self.KEPT and cutter.fed <= self.WORN:
            home.append(cutter)
        else:
            cutter.close()

    def home(self, context: Context, content: str) -> list[Cutter]:
        """Where parsers for streams with these header namespaces wait."""
        key = (content, context)
        home = self._idle.get(key)
        if home is None:
            home = self._idle[key] = []
            if len(self._idle) > self.CONTEXTS:
                del self._idle[next(iter(self._idle))]
        return home

    def share(self, context: Context) -> Context:
        """The same namespaces as one object, so that thousands of streams need not keep their own."""
        shared = self._contexts.setdefault(context, context)
        if len(self._contexts) > self.CONTEXTS:
            del self._contexts[next(iter(self._contexts))]
        return shared
