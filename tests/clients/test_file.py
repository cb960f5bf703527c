"""A large file in blocks (XEP-0047), between two clients that know nothing of this server."""

import asyncio
import hashlib
import random
from pathlib import Path

import pytest

from .conftest import Stage
from .drivers.gajim import Gajim
from .drivers.slix import Slix

pytestmark = [pytest.mark.client, pytest.mark.slow]
MEGABYTES = 10


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Ten megabytes of noise."""
    path = tmp_path / "noise"
    path.write_bytes(random.Random(1).randbytes(MEGABYTES << 20))
    return path


async def test_gajim_sends_ten_megabytes_and_slixmpp_writes_them(stage: Stage, file: Path, tmp_path: Path) -> None:
    alice, bob = await stage.enter("slixmpp", "alice"), await stage.enter("gajim", "bob")
    assert isinstance(alice, Slix)
    assert isinstance(bob, Gajim)
    await alice.logs_in()
    await bob.logs_in()
    receiving = asyncio.create_task(alice.receives_file("mySID", tmp_path / "received"))
    await bob.sends_file("mySID", alice.address, file)
    await receiving
    await bob.has_done_with_file("mySID")
    assert digest(tmp_path / "received") == digest(file)
