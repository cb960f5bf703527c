"""Reads users from a file in the portable format of XEP-0227, one at a time, whatever its size."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from lxml import etree

from xmppd.commands import CommandError
from xmppd.sasl import Credentials
from xmppd.sasl.keys import HASHES, Keys
from xmppd.xmpp.stanza import Element

PIE: Final = "urn:xmpp:pie:0"
SCRAM: Final = f"{PIE}#scram"


@dataclass(slots=True)
class User:
    """One `<user/>`. `secret` is a password or ready keys, None where the file has neither; `elements` is the rest."""

    host: str
    name: str
    secret: str | Credentials | None
    elements: list[Element] = field(default_factory=list)


class Reader:
    """Iterates over the users of a file. `position` of `size` bytes have been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._file: IO[bytes] | None = None

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._file.tell() if self._file is not None and not self._file.closed else self.size

    def __iter__(self) -> Iterator[User]:
        """The users in order; `CommandError` where the file cannot be read any further, with the line."""
        try:
            with self.path.open("rb") as self._file:
                self.size = self.path.stat().st_size
                yield from self._users(self._file)
        except OSError as error:
            raise CommandError(f"{self.path}: cannot be read: {error.strerror}") from None
        except etree.XMLSyntaxError as error:
            raise CommandError(
                f"{self.path}: {error.msg}; what stands before it is imported. Mend the file and import it again: "
                "accounts that exist are left as they are"
            ) from None

    def _users(self, file: IO[bytes]) -> Iterator[User]:
        events = etree.iterparse(
            file, events=("start", "end"), tag=f"{{{PIE}}}*", resolve_entities=False, load_dtd=False, no_network=True
        )
        for event, element in events:
            parent = element.getparent()
            if event == "start":
                if parent is None:
                    self._check_root(element)
            elif element.tag == f"{{{PIE}}}user" and parent is not None and _is_host(parent):
                parent.remove(element)  # so that the tree does not grow
                yield _user(parent.get("jid", ""), element)
        self._check_root(events.root)

    def _check_root(self, root: Element) -> None:
        """Entities could blow a small file up to gigabytes; the format has no use for them."""
        if root.getroottree().docinfo.internalDTD is not None:
            raise CommandError(f"{self.path}: has a document type (<!DOCTYPE); remove it")
        if root.tag != f"{{{PIE}}}server-data":
            raise CommandError(
                f"{self.path}: is not in the format of XEP-0227: its root is not <server-data/> of {PIE}"
            )


def _is_host(element: Element) -> bool:
    """A `<host/>` at its place: users keep XML of their own, in which others of that name may stand."""
    root = element.getparent()
    return element.tag == f"{{{PIE}}}host" and root is not None and root.getparent() is None


def _user(host: str, element: Element) -> User:
    children = list(element.iterchildren("{*}*"))
    keys = [child for child in children if child.tag == f"{{{SCRAM}}}scram-credentials"]
    secret = element.get("password") or (_credentials(keys) if keys else None)
    return User(host, element.get("name", ""), secret, [child for child in children if child not in keys])


def _credentials(elements: list[Element]) -> Credentials | None:
    """The keys for those hashes we know; None where there is none, or one is no such thing."""
    found: dict[str, Keys] = {}
    for element in elements:
        hash = element.get("mechanism", "").removeprefix("SCRAM-")
        if hash not in HASHES:
            continue
        try:
            found[hash] = Keys(
                b64decode(_text(element, "salt"), validate=True),
                int(_text(element, "iter-count")),
                b64decode(_text(element, "stored-key"), validate=True),
                b64decode(_text(element, "server-key"), validate=True),
            )
        except (NotBase64, ValueError):
            return None
    return found or None


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{{{SCRAM}}}{name}") or "").strip()
