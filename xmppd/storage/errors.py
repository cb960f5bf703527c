"""What goes wrong with storage, in words that tell what to do next."""

from __future__ import annotations


class StorageError(Exception):
    """A read, a write or the opening of the storage failed. The text never holds parameters: they may be secrets."""


class Conflict(StorageError):
    """A write met a row that must be unique; its transaction was undone."""


class Busy(StorageError):
    """More writes wait than the limit allows, and this one was not queued. Refuse the request, or try again later."""


class Newer(StorageError):
    """The tables were written by a newer version of the software, which must be used to open them."""


class Closed(StorageError):
    """The storage was closed before this call."""
