"""Where in the room's archive this member is."""

from __future__ import annotations


class Anchors:
    """The ids of the last two archived messages that were heard.

    What was missed is asked for from the older one on. Only if the younger one is then in the answer has the archive
    kept everything between; that also finds out archives that were trimmed, or made anew.
    """

    def __init__(self) -> None:
        self.older = ""
        self.younger = ""

    def add(self, archived: str) -> None:
        """A message with this id was heard."""
        if archived and archived != self.younger:
            self.older, self.younger = self.younger, archived

    def set(self, ids: list[str]) -> None:
        """Begin anew with these."""
        self.older = self.younger = ""
        for each in ids:
            self.add(each)

    def __bool__(self) -> bool:
        return bool(self.older)
