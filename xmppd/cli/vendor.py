"""Fetches what the demo's game is built on: strophe.js, pinned, by npm.

    python -m xmppd.cli.vendor

Nothing is fetched where it is there already. Without npm the demo runs all the same, less its page.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "strophe.js@5.0.0"
MEMBER: Final = "package/dist/strophe.esm.js"
SHA256: Final = "2c710a047aee440144f72856a2bc1bdbce86a375eb3b044cac78b46448702537"
GAME: Final = Path(__file__).with_name("game")
FILE: Final = GAME / "vendor" / "strophe.esm.js"
PATIENCE: Final = 120.0  # seconds


class NotFetched(Exception):
    """Why the package is not there, and what to do about it."""


def fetch() -> Path:
    """The file, fetched where it is missing and known by its hash; `NotFetched` where that cannot be."""
    if not FILE.exists():
        module = _unpacked()
        if hashlib.sha256(module).hexdigest() != SHA256:
            raise NotFetched(f"{PACKAGE} is not what it was when it was chosen; the game is left without it")
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_bytes(module)
    return FILE


def _unpacked() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise NotFetched("npm is missing, so the demo has no game on its page: apt-get install npm")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", folder]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
        except (OSError, subprocess.SubprocessError) as error:
            raise NotFetched(f"npm could not fetch {PACKAGE}, so the demo has no game on its page: {error}") from None
        (packed,) = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as archive:
            member = archive.extractfile(MEMBER)
            if member is None:
                raise NotFetched(f"{PACKAGE} has no {MEMBER}")
            return member.read()


def main() -> None:
    """Fetch, or say why not; the demo runs either way."""
    try:
        fetch()
    except NotFetched as error:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
