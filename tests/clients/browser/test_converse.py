"""Converse.js, as people put it on their sites: it logs in over either door and talks in a room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.npm import unpacked

from .place import Place, a_place

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.client

PACKAGE = "converse.js@14.0.0"
PATIENCE = 60_000  # milliseconds
PAGE = """<!doctype html><meta charset="utf-8"><title>Converse</title>
<link rel="stylesheet" href="dist/converse.min.css"><script type="module" src="dist/converse.min.js"></script>
<body class="converse-fullscreen"><script type="module">
const wish = new URLSearchParams(location.search);
const door = wish.get("door") === "bosh" ? {bosh_service_url: "/http-bind"}
  : {websocket_url: `ws://${location.host}/xmpp-websocket`};
converse.initialize({
  ...door, jid: `${wish.get("name")}@localhost`, password: wish.get("name"), authentication: "login", auto_login: true,
  discover_connection_methods: false, view_mode: "fullscreen", assets_path: "/dist/", i18n: "en",
  muc_nickname_from_jid: true, auto_join_rooms: ["den@conference.localhost"],
  play_sounds: false, show_desktop_notifications: false,
});
</script>"""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Place]:
    """A site with Converse on it."""
    pages = tmp_path / "pages"
    copytree(unpacked(PACKAGE) / "dist", pages / "dist", ignore=ignore_patterns("*.map"))
    (pages / "index.html").write_text(PAGE)
    async with a_place(tmp_path, pages) as place:
        yield place


async def talks(browser: Browser, site: Place, name: str, door: str) -> Any:
    """Somebody opens the page, and is in the room."""
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{site.address}/?name={name}&door={door}")
    await page.locator("converse-muc .chat-textarea:not([disabled])").wait_for(timeout=PATIENCE)
    return page


async def says(page: Any, text: str) -> None:
    box = page.locator("converse-muc .chat-textarea")
    await box.fill(text)
    await box.press("Enter")


async def reads(page: Any, text: str) -> None:
    await page.locator("converse-muc .chat-msg__text", has_text=text).wait_for(timeout=PATIENCE)


async def test_it_talks_in_a_room_over_both_doors(browser: Browser, site: Place) -> None:
    alice = await talks(browser, site, "alice", "websocket")
    bob = await talks(browser, site, "bob", "bosh")
    await says(alice, "over a socket")
    await reads(bob, "over a socket")
    await says(bob, "over requests")
    await reads(alice, "over requests")
    await alice.screenshot(path="build/screenshots/converse-room.png")
