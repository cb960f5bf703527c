"""Somebody who plays the demo's game in a browser: what is clicked, and what is seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from .place import Place

SCREENS = Path("build/screenshots")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PATIENCE = 30_000  # milliseconds for what a page shall show; only a failing test waits so long


class Player:
    """One page. Verbs that watch fail with what the page shows instead."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name
        self.troubles: list[str] = []
        page.on("pageerror", lambda error: self.troubles.append(str(error)))

    @classmethod
    async def comes(cls, browser: Browser, place: Place, name: str, door: str, size: Any = DESKTOP) -> Player:
        """Open the page and log in."""
        context = await browser.new_context(viewport=size)
        player = cls(await context.new_page(), name)
        await player.page.goto(place.address)
        await player.page.fill("[name=account]", name)
        await player.page.fill("[name=password]", name)
        await player.page.check(f"[name=door][value={door}]")
        await player.page.click("#login button")
        await player.is_online()
        return player

    async def is_online(self) -> None:
        """The page says so, and has entered the lobby."""
        await expect(self.page.locator("#link")).to_have_text("online", timeout=PATIENCE)
        await expect(self.page.locator("#chat")).to_be_visible(timeout=PATIENCE)

    async def opens(self, tab: str) -> None:
        """Click a tab."""
        await self.page.locator("#tabs button", has_text=tab).click(timeout=PATIENCE)

    async def befriends(self, name: str) -> None:
        """Add a friend by name."""
        await self.opens("Friends")
        await self.page.fill("#befriend input", name)
        await self.page.click("#befriend button")

    def friend(self, name: str) -> Any:
        """The friend's line."""
        return self.page.locator(f".friend[data-jid='{name}@localhost']")

    async def sees(self, name: str, state: str) -> None:
        """A friend is in game, in lobby, away or offline."""
        await expect(self.friend(name)).to_have_attribute("data-state", state, timeout=PATIENCE)

    async def notes(self, name: str, text: str) -> None:
        """Write a note on a friend."""
        await self.opens("Friends")
        await self.friend(name).locator(".annotate").click()
        await self.page.fill("#note textarea", text)
        await self.page.click("#note button[value=save]")
        await self.has_note(name, text)

    async def has_note(self, name: str, text: str) -> None:
        """The note stands beside the friend."""
        await expect(self.friend(name).locator("q")).to_have_text(text, timeout=PATIENCE)

    async def ignores(self, name: str) -> None:
        """Ignore a friend, or hear again."""
        await self.opens("Friends")
        await self.friend(name).locator(".ignore").click()

    async def says(self, tab: str, text: str) -> None:
        """Say something in a conversation."""
        await self.opens(tab)
        await self.page.fill("#say input", text)
        await self.page.click("#say button")

    async def whispers(self, name: str, text: str) -> None:
        """Say something to a friend alone."""
        await self.opens("Friends")
        await self.friend(name).locator(".name").click()
        await self.page.fill("#say input", text)
        await self.page.click("#say button")

    async def types(self, tab: str, text: str) -> None:
        """Write, and send nothing."""
        await self.opens(tab)
        await self.page.locator("#say input").press_sequentially(text)

    async def reads(self, tab: str, *texts: str) -> None:
        """The conversation ends with these, each once, and nothing waits to be acknowledged."""
        await self.opens(tab)
        lines = self.page.locator("#talk li span")
        await expect(lines).to_have_text(list(texts), timeout=PATIENCE)
        await expect(self.page.locator("#talk li.waiting")).to_have_count(0, timeout=PATIENCE)

    async def sees_typing(self, tab: str, name: str) -> None:
        """Somebody is writing."""
        await self.opens(tab)
        await expect(self.page.locator("#typing")).to_have_text(f"{name} is typing …", timeout=PATIENCE)

    async def is_with(self, *names: str) -> None:
        """These sit in the lobby."""
        await self.opens("Lobby")
        await expect(self.page.locator("#people")).to_have_text(f"Here: {', '.join(names)}", timeout=PATIENCE)

    async def sees_how_late_things_are(self) -> None:
        """Its own round trip, and that of the slowest in the lobby."""
        late = re.compile(r"^ping \d+ ms · slowest \d+ ms$")
        await expect(self.page.locator("#latency")).to_have_text(late, timeout=PATIENCE)

    async def looks_away(self, away: bool = True) -> None:
        """Turn to another tab, or back. Playwright keeps all pages visible, so this one is told."""
        await self.page.evaluate(
            """away => {
                Object.defineProperty(document, "hidden", { configurable: true, value: away });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            away,
        )

    async def plays(self) -> None:
        """Begin a round."""
        await self.page.click("#play")

    async def loses_the_line(self) -> None:
        """Wait until the page has noticed."""
        await expect(self.page.locator("#link")).not_to_have_text("online", timeout=PATIENCE)

    async def shows(self, title: str) -> None:
        """Keep a picture."""
        await self.page.screenshot(path=SCREENS / f"{title}.png")
