"""What a commit says is done survives the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import xmppd
from tests.storage.endless_writer import TABLE
from xmppd.storage import open_storage

ROOT = Path(xmppd.__file__).parents[1]


async def test_nothing_acknowledged_is_lost_to_kill_9(tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    for lines in (1, 100, 700, 2500):  # the log has been moved into the file before the last one
        acknowledged |= _write_until_killed(tmp_path, lines)
        storage = await open_storage("sqlite", tmp_path)
        await storage.migrate("numbers", [TABLE])
        rows = await storage.fetch("SELECT number, LENGTH(filler) FROM numbers")
        assert await storage.fetch("PRAGMA integrity_check") == [("ok",)]
        await storage.close()
        assert acknowledged <= {number for number, _ in rows}
        assert all(length == number % 3000 for number, length in rows)


def _write_until_killed(folder: Path, lines: int) -> set[int]:
    """The numbers that a writer acknowledged before it was killed, in the midst of things, after so many lines."""
    command = [sys.executable, "-m", "tests.storage.endless_writer", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        heard = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        heard += process.stdout.readlines()
    assert process.returncode == -9
    return {int(line) for line in heard if line.endswith(b"\n")}
