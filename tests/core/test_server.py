"""What a server keeps in its data folder, beside the database."""

from __future__ import annotations

from pathlib import Path

from xmppd.config import Config
from xmppd.server import Server
from xmppd.testing import settings


async def secret_of(folder: Path) -> bytes:
    async with Server(Config.from_dict(settings(data_dir=str(folder))), doors=False):
        path = folder / "secret"
        assert path.stat().st_mode & 0o777 == 0o600
        return path.read_bytes()


async def test_the_secret_is_made_once(tmp_path: Path) -> None:
    first = await secret_of(tmp_path)
    assert len(first) == 32
    assert await secret_of(tmp_path) == first


async def test_a_secret_that_a_crash_has_cut_short_is_made_anew(tmp_path: Path) -> None:
    await secret_of(tmp_path)
    (tmp_path / "secret").write_bytes(b"")
    assert len(await secret_of(tmp_path)) == 32
