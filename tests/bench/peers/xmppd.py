"""xmppd itself, from this checkout, with its standard modules."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import ClassVar

from tests.bench.accounts import HOST, Account, write_portable
from tests.bench.peer import Peer

_BIN = Path(sys.executable).parent
_SPECIAL = frozenset({"register", "mam"})
"""Modules that a server for the public would not have on, and the archive, which neither peer has in Debian's files."""
_EXTENSIONS = ("xmppd.extensions.compression", "xmppd.extensions.privacy_increments")
"""Those that rows measure, and that cost the other rows nothing."""
_CONFIG = Template("""
hosts: [$host]
data_dir: $folder/data
loglevel: warning
certfiles: [$folder/both.pem]
listen:
  - {ip: 127.0.0.1, port: $port, module: c2s, starttls: optional}
  - {ip: 127.0.0.1, port: $web_port, module: http, cleartext: loopback,
     request_handlers: {/http-bind: bosh, /xmpp-websocket: websocket}}
  - {ip: 127.0.0.1, port: $secure_web_port, module: http, tls: true, request_handlers: {/http-bind: bosh}}
limits: {max_connections_per_address: 100000, max_unauthenticated: 100000, max_unauthenticated_per_address: 100000}
modules: $modules
""")


class Xmppd(Peer):
    """SQLite with group commit and `synchronous=FULL`: what is acknowledged is on disk."""

    name = "xmppd"
    rooms: ClassVar[dict[str, object]] = {
        "max_users": 10_000, "max_user_conferences": 0, "history_size": 0, "user_message_rate": 0,
    }  # fmt: skip
    """As in the peers' configurations, where nobody's messages to a room are counted either."""
    archive = (('"last": {},', '"last": {}, "mam": {},'),)
    title = "xmppd"
    place = 0
    program = "xmppd"

    @classmethod
    def missing(cls) -> str | None:
        return None if (_BIN / "xmppd").exists() else "it is not installed in this environment"

    @classmethod
    def version(cls) -> str:
        return ""

    def provision(self, accounts: Sequence[Account]) -> None:
        (self.folder / "both.pem").write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        modules = json.dumps({name: {} for name in (*_standard_modules(), *_EXTENSIONS)} | {"muc": self.rooms})
        text = _CONFIG.substitute(
            folder=self.folder,
            port=self.port,
            web_port=self.web_port,
            secure_web_port=self.secure_web_port,
            host=HOST,
            modules=modules,
        )
        self.configuration.write_text(text)
        portable = self.folder / "accounts.xml"
        write_portable(accounts, portable)
        take_over(self, portable)

    def command(self) -> list[str]:
        return [str(_BIN / "xmppd"), "run", "-c", str(self.configuration)]

    @property
    def configuration(self) -> Path:
        return self.folder / "xmppd.yml"


def take_over(peer: Peer, portable: Path) -> None:
    """`xmppctl import`, as an administrator says it."""
    command = [_BIN / "xmppctl", "-c", peer.configuration, "import", portable]
    done = subprocess.run(command, cwd=peer.folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"xmppctl did not import the accounts: {done.stderr[-2000:]}")


def _standard_modules() -> list[str]:
    listing = subprocess.run([_BIN / "xmppd", "modules", "--json"], capture_output=True, text=True, check=True)
    return [module["name"] for module in json.loads(listing.stdout) if module["name"] not in _SPECIAL]


PEER = Xmppd
