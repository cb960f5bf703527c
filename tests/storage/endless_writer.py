"""A process that writes until it is killed, and prints each number once its commit is done."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from xmppd.storage import Storage, open_storage

TABLE = "CREATE TABLE numbers (number INTEGER PRIMARY KEY, filler BLOB)"


async def write(folder: Path) -> None:
    storage = await open_storage("sqlite", folder)
    await storage.migrate("numbers", [TABLE])
    first = (await storage.fetch("SELECT COALESCE(MAX(number), 0) FROM numbers"))[0][0] + 1
    await asyncio.gather(*[write_numbers(storage, first + lane, step=8) for lane in range(8)])


async def write_numbers(storage: Storage, number: int, step: int) -> None:
    while True:
        await storage.write(("INSERT INTO numbers (number, filler) VALUES (?, ?)", (number, bytes(number % 3000))))
        os.write(1, b"%d\n" % number)
        number += step


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
