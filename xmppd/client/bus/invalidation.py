"""What an invalidation names: keys, tags, prefixes, or everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_ID: Final = 1000  # characters of one key, tag or prefix
MOST_IDS: Final = 10_000  # in one message that is heard; past it everything is dropped, which is always right
MOST_IDS_SENT: Final = 500
MOST_CHARACTERS_SENT: Final = 12_000  # of ids in one message: it stays below 64 KiB, which any server takes


@dataclass(frozen=True, slots=True)
class Invalidation:
    """One invalidation. An entry is named by its key, by one of its tags, or by a prefix of its key."""

    keys: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    all: bool = False

    def __bool__(self) -> bool:
        return self.all or bool(self.keys or self.tags or self.prefixes)

    def names(self, key: str, tags: Iterable[str] | None = ()) -> bool:
        """Whether an entry is to be dropped. `tags=None`: its tags are not known yet, so they may be any."""
        if self.all or key in self.keys or any(key.startswith(prefix) for prefix in self.prefixes):
            return True
        return bool(self.tags) if tags is None else not self.tags.isdisjoint(tags)

    def __or__(self, other: Invalidation) -> Invalidation:
        """Both."""
        if self.all or other.all:
            return EVERYTHING
        return Invalidation(self.keys | other.keys, self.tags | other.tags, self.prefixes | other.prefixes)

    def __len__(self) -> int:
        return len(self.keys) + len(self.tags) + len(self.prefixes) + self.all

    def lines(self) -> list[str]:
        """What a person reads: keys as they are, `#tag`, `prefix*`, and `*` for everything."""
        if self.all:
            return ["*"]
        return [
            *sorted(self.keys),
            *(f"#{tag}" for tag in sorted(self.tags)),
            *(f"{p}*" for p in sorted(self.prefixes)),
        ]

    def split(self) -> Iterator[Invalidation]:
        """The same in parts, each small enough for one message."""
        part: list[tuple[str, str]] = []
        characters = 0
        for kind, name in self._each():
            if part and (len(part) == MOST_IDS_SENT or characters + len(name) > MOST_CHARACTERS_SENT):
                yield _joined(part)
                part, characters = [], 0
            part.append((kind, name))
            characters += len(name)
        if part or self.all:
            yield EVERYTHING if self.all else _joined(part)

    def _each(self) -> Iterator[tuple[str, str]]:
        for kind, names in (("keys", self.keys), ("tags", self.tags), ("prefixes", self.prefixes)):
            for name in () if self.all else sorted(names):
                yield kind, name


EVERYTHING: Final = Invalidation(all=True)
NOTHING: Final = Invalidation()


def _joined(part: list[tuple[str, str]]) -> Invalidation:
    def of(kind: str) -> frozenset[str]:
        return frozenset(name for other, name in part if other == kind)

    return Invalidation(of("keys"), of("tags"), of("prefixes"))


def invalidation(
    keys: Iterable[str] = (), tags: Iterable[str] = (), prefixes: Iterable[str] = (), *, everything: bool = False
) -> Invalidation:
    """One made of names that a program gives. ValueError for a name that cannot be sent."""
    for names in (keys := tuple(keys), tags := tuple(tags), prefixes := tuple(prefixes)):
        for name in names:
            check_name(name)
    made = EVERYTHING if everything else Invalidation(frozenset(keys), frozenset(tags), frozenset(prefixes))
    if not made:
        raise ValueError("name at least one key, tag or prefix, or everything")
    return made


def check_name(name: str) -> None:
    """ValueError for what is no name: one line of 1 to 1000 printable characters, no space at its ends."""
    if not isinstance(name, str):
        raise ValueError(f"a key, tag or prefix is a str, not {type(name).__name__}")
    if not 0 < len(name) <= LONGEST_ID:
        raise ValueError(f"{name[:32]!r}... has {len(name)} characters; a name has 1 to {LONGEST_ID}")
    if name != name.strip() or not name.isprintable():
        raise ValueError(f"{name[:64]!r}: a name is one line of printable characters, with no space at its ends")
