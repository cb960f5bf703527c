"""A stored message that a session without a connection has too (XEP-0198), until somebody is known to have it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from xmppd.api import StorageError

if TYPE_CHECKING:
    from .boxes import Box, Boxes

log = logging.getLogger(__name__)


class Held:
    """One message of a box that is held."""

    __slots__ = ("_box", "_boxes", "_seq")

    def __init__(self, boxes: Boxes, box: Box, seq: int) -> None:
        self._boxes = boxes
        self._box = box
        self._seq = seq

    def drop(self) -> None:
        """A session has it."""
        try:
            self._boxes.drop(self._box, self._seq)
        except StorageError as error:
            log.error(
                "a message that was delivered comes again after a restart, for it could not be deleted: %s", error
            )

    def release(self) -> None:
        """No session has it, so it waits for the next one; `StorageError` where the disk cannot follow."""
        self._boxes.release(self._box, self._seq)

    def failed(self) -> None:
        """It never came to lie on the disk."""
        self._boxes.forget(self._box, self._seq)
