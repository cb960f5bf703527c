"""The key ring: which keys there are, which of them is current, and the file that keeps them.

    {"current": "9b1c...", "retiring": false, "keys": {"9b1c...": "5e0f...", "77aa...": "d2c4..."}}

Ids have 8 random bytes and keys 32, both in hexadecimal. The file is its owner's alone. It is never changed in place:
a new one is written beside it, brought to disk and put into its place, so that a crash leaves the one or the other.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from .records import Seal, Withheld, key_id

log = logging.getLogger(__name__)

ID_SIZE: Final = 8
KEY_SIZE: Final = 32


class Unreadable(Exception):
    """The file is no key ring, or may not be read; the text says why."""


class Keyring:
    """The keys of one host. `retiring` says that old ones are to go once a rotation is done."""

    def __init__(self, path: Path, keys: Mapping[bytes, bytes], current: bytes, retiring: bool = False) -> None:
        self.path = path
        self.retiring = retiring
        self._take(keys, current)

    @classmethod
    def create(cls, path: Path) -> Keyring:
        """A ring of one new key, on disk when this returns. Raises OSError."""
        id, secret = _new_key()
        ring = cls(path, {id: secret}, id)
        ring._save(ring._keys, id, False)
        return ring

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """The ring of a file. FileNotFoundError where there is none, `Unreadable` for all else that is wrong."""
        try:
            _make_private(path)
            kept = json.loads(path.read_bytes())
            keys = {bytes.fromhex(id): bytes.fromhex(secret) for id, secret in kept["keys"].items()}
            ring = cls(path, keys, bytes.fromhex(kept["current"]), kept["retiring"] is True)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unreadable("it is no key ring, or a part of one") from None  # the cause could quote a key
        return ring

    def seal(self, owner: str, contact: str, text: str) -> bytes:
        """A note's record, made with the current key."""
        return self._seals[self.current].seal(owner, contact, text)

    def open(self, owner: str, contact: str, record: bytes) -> str:
        """The note of a record, whichever key it has; `Withheld` where it cannot be trusted."""
        seal = self._seals.get(key_id(record))
        if seal is None:
            raise Withheld("its key is not in the key ring")
        return seal.open(owner, contact, record)

    @property
    def old(self) -> list[bytes]:
        """The ids of all keys but the current one."""
        return [id for id in self._keys if id != self.current]

    def renew(self) -> None:
        """Make a new key and let it be the current one. Raises OSError, and then nothing has changed."""
        id, secret = _new_key()
        self._change({**self._keys, id: secret}, id, self.retiring)

    def retire(self) -> None:
        """Note on disk that old keys are to go. Raises OSError."""
        self._change(self._keys, self.current, True)

    def drop(self, ids: Collection[bytes]) -> None:
        """Forget old keys, and that any were to go. Raises OSError, and then nothing has changed."""
        keys = {id: secret for id, secret in self._keys.items() if id == self.current or id not in ids}
        self._change(keys, self.current, False)

    def _change(self, keys: Mapping[bytes, bytes], current: bytes, retiring: bool) -> None:
        """First on disk, then in use: no record may be sealed with a key that a crash could take away."""
        self._save(keys, current, retiring)
        self.retiring = retiring
        self._take(keys, current)

    def _take(self, keys: Mapping[bytes, bytes], current: bytes) -> None:
        if any((len(id), len(secret)) != (ID_SIZE, KEY_SIZE) for id, secret in keys.items()):
            raise ValueError("a key or its id has the wrong size")
        if current not in keys:
            raise ValueError("the current key is missing")
        self._keys, self.current = dict(keys), current
        self._seals = {id: Seal(id, secret) for id, secret in keys.items()}

    def _save(self, keys: Mapping[bytes, bytes], current: bytes, retiring: bool) -> None:
        listed = {id.hex(): secret.hex() for id, secret in keys.items()}
        kept = {"current": current.hex(), "retiring": retiring, "keys": listed}
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)  # what a crash has left may have another mode
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        _sync_folder(self.path.parent)


def _new_key() -> tuple[bytes, bytes]:
    return os.urandom(ID_SIZE), os.urandom(KEY_SIZE)


def _make_private(path: Path) -> None:
    """A backup that was put back may be open to all."""
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
        log.warning("%s could be read by others and is its owner's alone now; think of rotate_notes_key", path)


def _sync_folder(folder: Path) -> None:
    """Bring a file's new name to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
