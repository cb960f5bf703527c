"""Drives profanity, a client for the terminal, by its keyboard and its screen."""

import re
import shutil
import subprocess
import time
from pathlib import Path

from .base import Access
from .profanity_rooms import ProfanityRooms
from .terminal import Terminal

ASK_AGAIN_SECONDS = 0.4


class Profanity(ProfanityRooms):
    """profanity 0.13 in tmux."""

    name = "profanity"

    def __init__(self, access: Access, folder: Path) -> None:
        super().__init__(access, folder)
        self._terminal = Terminal()

    @classmethod
    def missing(cls) -> str:
        """profanity itself, tmux to hold it, openssl to index the authority's certificate."""
        absent = [name for name in ("profanity", "tmux", "openssl") if shutil.which(name) is None]
        return f"not installed: apt-get install {' '.join(absent)}" if absent else ""

    async def starts(self) -> None:
        """Start it in the terminal and tell it which authority to trust."""
        environment = {
            "TERM": "screen-256color",
            "LC_ALL": "C.UTF-8",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
        }
        for place in ("config/profanity", "data/profanity"):
            (self.folder / place).mkdir(parents=True)
        await self._terminal.run(["profanity"], environment)
        await self._until_shown("started", r"Type '/help' to show complete help|Type /help for help")
        await self.types(f"/tls certpath set {self._certificate_folder()}")
        await self._until_shown("taken the certificates", "Certificate path set")

    async def closes(self) -> None:
        """Kill it with its terminal."""
        await self._terminal.close()

    async def tries_to_log_in(self, password: str, *, direct_tls: bool = False) -> None:
        """Type `/connect` and the password."""
        access = self.access
        port, tls = (access.direct_tls_port, "legacy") if direct_tls else (access.starttls_port, "force")
        await self.connects(f"/connect {self.jid} server {access.host} port {port} tls {tls}", password)

    async def connects(self, line: str, password: str) -> None:
        """Type a `/connect` of the test's own, and the password."""
        await self.types("/win console")
        await self._clears()
        await self.types(line)
        await self._until_shown("asked for the password", "Enter password")
        await self.types(password)

    async def types(self, line: str) -> None:
        """Type whatever the test likes."""
        await self._terminal.types(line)

    async def is_logged_in(self) -> None:
        """The console says so."""
        await self._until_shown("logged in", "logged in successfully")

    async def is_refused(self) -> None:
        """The console says so."""
        await self._until_shown("been refused", "Login failed")

    async def distrusts_the_certificate(self) -> None:
        """It asks whether to allow it."""
        await self._until_shown("doubted the certificate", "TLS certificate verification failed")

    async def logs_out(self) -> None:
        """Type `/disconnect`."""
        await self.types("/win console")
        await self.types("/disconnect")
        await self._until_shown("logged out", "logged out successfully")

    async def adds(self, jid: str) -> None:
        """Type `/roster add` and `/sub request`."""
        # It says nothing of a contact that is on the roster already, as one who was approved may be.
        await self.types(f"/roster add {jid}")
        await self._in_console(f"/sub request {jid}", f"Sent subscription request to {jid}")

    async def is_asked_by(self, jid: str) -> None:
        """`/sub received` lists who waits."""
        await self._until_answered("been asked", "/sub received", rf"requests.*\n.*\s{re.escape(jid)}")

    async def approves(self, jid: str) -> None:
        """Type `/sub allow`."""
        await self._in_console(f"/sub allow {jid}", f"Accepted subscription for {jid}")

    async def becomes(self, show: str, text: str = "") -> None:
        """Type `/status set`."""
        await self._in_console(f'/status set {show} "{text}"' if text else f"/status set {show}", "Status set to")

    async def sees(self, jid: str, show: str) -> None:
        """`/status get` says it."""
        await self._until_answered(f"seen {jid} as {show}", f"/status get {jid}", rf"\sis {show}\b")

    async def says(self, jid: str, text: str) -> None:
        """Type `/msg`, and wait until the conversation shows it."""
        await self.types(f"/msg {jid} {text}")
        await self._until_shown(f"said {text!r}", rf"me: {re.escape(text)}")

    async def hears(self, jid: str, text: str) -> None:
        """The conversation's window shows it."""
        said = rf"{re.escape(jid)}\S*: {re.escape(text)}"
        await self._until_shown(f"heard {text!r}", said, ask=f"/win {jid}")

    async def renames(self, jid: str, name: str) -> None:
        """Type `/roster nick`."""
        await self._in_console(f"/roster nick {jid} {name}", f"Nickname for {jid} set to: {name}")

    async def regroups(self, jid: str, group: str) -> None:
        """Type `/roster group add`."""
        await self._in_console(f"/roster group add {group} {jid}", f"added to group {group}")

    async def lists(self, jid: str, name: str, group: str) -> None:
        """`/roster` prints it."""
        row = rf"{re.escape(jid)} \({re.escape(name)}\) - \w+ - .*\b{re.escape(group)}\b"
        await self._until_answered(f"listed {jid} as {name} in {group}", "/roster", row)

    async def removes(self, jid: str) -> None:
        """Type `/roster remove`."""
        await self._in_console(f"/roster remove {jid}", f"Roster item removed: {jid}")

    async def lacks(self, jid: str) -> None:
        """`/roster` prints no such line."""
        await self._until_answered(f"lost {jid}", "/roster", rf"subscription - groups.*\n(?!.*{re.escape(jid)} )")

    async def changes_password(self, password: str) -> None:
        """Type `/changepassword` and the new one twice."""
        await self.types("/win console")
        await self.types("/changepassword")
        for prompt in ("Enter password", "Confirm password"):
            await self._until_shown("asked for the new password", prompt)
            await self.types(password)
        await self._until_shown("changed the password", "Password successfully changed")

    async def shown(self) -> str:
        """The screen."""
        return await self._terminal.screen()

    def _certificate_folder(self) -> Path:
        place = self.folder / "certificates"
        place.mkdir()
        shutil.copy(self.access.authority, place)
        subprocess.run(["openssl", "rehash", str(place)], check=True)
        return place

    async def _clears(self) -> None:
        await self.types("/clear")

    async def _in_console(self, command: str, answer: str) -> None:
        """Type a command in the console and wait until it printed `answer`."""
        await self.types("/win console")
        await self._clears()
        await self.types(command)
        await self._until_shown(f"answered {command!r}", re.escape(answer))

    async def _until_answered(self, what: str, command: str, pattern: str) -> None:
        """Ask again and again until the console's answer is `pattern`."""
        await self.types("/win console")
        await self._clears()
        await self._until_shown(what, pattern, ask=command)

    async def _until_shown(self, what: str, pattern: str, ask: str = "") -> None:
        """Wait until the screen matches; with `ask`, type that first and every ASK_AGAIN_SECONDS."""
        asked = float("-inf")

        async def look() -> bool:
            nonlocal asked
            if ask and time.monotonic() - asked > ASK_AGAIN_SECONDS:
                await self.types(ask)
                asked = time.monotonic()
            return bool(re.search(pattern, await self._terminal.screen()))

        await self.until(what, look)
