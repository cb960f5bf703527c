"""Drives libpurple, the core of Pidgin and finch, through a worker process that stands in for their windows."""

import ctypes
import shutil

from . import purple_abi
from .puppet import Puppet, bare_environment

AUTHENTICATION_FAILED = 2


class Purple(Puppet):
    """libpurple 2 in a process of its own."""

    name = "libpurple"
    worker = "purple_worker"
    bosh_url = ""
    """Where to go by BOSH; TLS is not asked for then."""

    @classmethod
    def missing(cls) -> str:
        """The library of Debian's package libpurple0."""
        try:
            ctypes.CDLL(purple_abi.LIBRARY)
        except OSError:
            return "not installed: apt-get install libpurple0"
        return ""

    async def starts(self) -> None:
        """Start the worker."""
        certificates = self.folder / "certificates"
        certificates.mkdir()
        shutil.copy(self.access.authority, certificates)
        await self.start_worker([str(self.folder), str(certificates)], bare_environment())

    async def tries_to_log_in(self, password: str, *, direct_tls: bool = False) -> None:
        """Enable the account."""
        access = self.access
        port, security = (access.direct_tls_port, "old_ssl") if direct_tls else (access.starttls_port, "require_tls")
        if self.bosh_url:
            security = "opportunistic_tls"
        await self.order("log_in", self.jid, password, access.host, port, security, self.bosh_url)

    async def is_refused(self) -> None:
        """The connection ended with the error for a wrong password."""
        await self.until_seen(
            "been refused", lambda seen: any(reason == AUTHENTICATION_FAILED for reason, _ in seen["errors"])
        )

    async def distrusts_the_certificate(self) -> None:
        """A dialogue asks whether to accept it."""
        question = "no certificate that can verify it is currently trusted"
        await self.until_seen("doubted the certificate", lambda seen: any(question in box for box in seen["boxes"]))

    async def changes_password(self, password: str) -> None:
        """Fill in the dialogue, and wait for the box that says it is done."""

        async def offered() -> bool:
            return "Change Password..." in await self.order("menu")

        await self.until("been offered to change the password", offered)
        await self.order("change_password", password)
        await self.until_seen(
            "changed the password", lambda seen: any("has been changed" in box for box in seen["boxes"])
        )
