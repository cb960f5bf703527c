"""Files of one folder, as pages."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from .exchange import Exchange

INDEX: Final = "index.html"
TEXTS: Final = ("text/", "application/javascript", "application/json")


class Pages:
    """What stands under `root`, and nothing outside of it or hidden."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def serve(self, exchange: Exchange, path: str) -> None:
        """Answer with the file at `path`, which is relative to where the pages begin."""
        if exchange.request.method not in (b"GET", b"HEAD"):
            exchange.send(405, b"pages are read with GET\n", more=b"Allow: GET, HEAD\r\n")
            return
        try:
            found = await asyncio.to_thread(self._read, path)
        except (OSError, RuntimeError):  # a name that is too long; a link in a circle
            found = None
        if found is None:
            exchange.send(404, b"there is no such page\n")
            return
        file, data, tag = found
        more = b"ETag: %b\r\nCache-Control: no-cache\r\n" % tag
        if exchange.header(b"if-none-match") == tag:
            exchange.send(304, b"", _kind(file), more)
            return
        if exchange.connection is not None:  # a page may be longer than what may wait for a chat client
            exchange.connection.max_queue = max(exchange.connection.max_queue, 2 * len(data))
        exchange.send(200, data, _kind(file), more)

    def _read(self, path: str) -> tuple[Path, bytes, bytes] | None:
        """The file, what is in it, and its tag; None where there is none to be shown."""
        name = unquote(path).strip("/")
        if "\0" in name or "\\" in name or any(part.startswith(".") for part in name.split("/")):
            return None
        file = (self._root / name).resolve()
        if not file.is_relative_to(self._root):
            return None
        if file.is_dir():
            file /= INDEX
        status = file.stat()
        return file, file.read_bytes(), b'"%x-%x"' % (status.st_mtime_ns, status.st_size)


def _kind(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(TEXTS) else kind
