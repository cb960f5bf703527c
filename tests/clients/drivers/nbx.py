"""Drives nbxmpp, Gajim's library, in a process of Debian's Python and behind a proxy that cuts its connection."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.chaos.proxy import Proxy

from .base import Access
from .xmppjs import XmppJS

PYTHON: Final = "/usr/bin/python3"
WORKER: Final = Path(__file__).with_name("nbx_worker.py")


class NbXMPP(XmppJS):
    """One session, which connects again by itself when its connection is cut."""

    def __init__(self, access: Access, resource: str = "") -> None:
        super().__init__(access, resource)
        self._proxy = Proxy(access.starttls_port)

    @staticmethod
    def missing() -> str:
        """Why it cannot run."""
        probe = [PYTHON, "-c", "import nbxmpp, gi"]
        if not Path(PYTHON).exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
            return "not installed: apt-get install gajim"
        return ""

    async def starts(self) -> None:
        """Log in, send presence."""
        await self._proxy.open()
        access = self.access
        await self.runs(PYTHON, str(WORKER), str(self._proxy.port), access.jid, access.password, str(access.authority))
        await self.tells("online")

    def cut(self) -> None:
        """The connection breaks for both sides."""
        for link in list(self._proxy.links):
            link.reset()

    async def closes(self) -> None:
        """End the process."""
        await super().closes()
        await self._proxy.close()
