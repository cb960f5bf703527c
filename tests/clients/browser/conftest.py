"""A Chromium for all browser tests, or the reason why there is none."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from xmppd.cli.vendor import GAME, NotFetched, fetch

from .place import Place, a_place

if TYPE_CHECKING:
    from playwright.async_api import Browser

CHROMIUM = shutil.which("chromium")
# Pages and doors of tests are all on this machine.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-features=LocalNetworkAccessChecks"]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    playwright = pytest.importorskip("playwright.async_api", reason="no Playwright here: pip install playwright")
    async with playwright.async_playwright() as running:
        chromium = await running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def game(tmp_path: Path) -> AsyncIterator[Place]:
    """The demo's game on a server of its own."""
    try:
        fetch()
    except NotFetched as error:
        pytest.skip(str(error))
    async with a_place(tmp_path, GAME) as place:
        yield place
