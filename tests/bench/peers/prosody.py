"""Prosody from Debian's package, with its default modules, set up for speed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

from tests.bench.accounts import HOST, Account, ScramKeys
from tests.bench.peer import Peer

_VERSION = Path("/usr/lib/prosody/prosody.version")
_CONFIG = Template("""
run_as_root = true
data_path = "$folder/data"
pidfile = "$folder/prosody.pid"
interfaces = { "127.0.0.1" }
c2s_ports = { $port }
c2s_direct_tls_ports = { }
http_ports = { $web_port }
https_ports = { }
http_interfaces = { "127.0.0.1" }
consider_bosh_secure = true
consider_websocket_secure = true
s2s_ports = { }
modules_enabled = {
    "disco"; "roster"; "saslauth"; "tls"; "blocklist"; "bookmarks"; "carbons"; "dialback"; "pep"; "private";
    "smacks"; "vcard4"; "vcard_legacy"; "csi_simple"; "ping"; "register"; "time"; "uptime"; "version"; "posix";
    "bosh"; "websocket";
}
modules_disabled = { "s2s" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"
gc = { mode = "generational" }
network_backend = "epoll"
network_settings = { opportunistic_writes = true; tcp_backlog = 512 }
log = { { levels = { min = "warn" }; to = "file"; filename = "$folder/prosody.log" } }
ssl = { certificate = "$certificate"; key = "$key" }
VirtualHost "$host"
Component "conference.$host" "muc"
    muc_room_default_history_length = 0
    max_history_messages = 0
    muc_max_nick_length = 64
""")


class Prosody(Peer):
    """Internal storage: one file for each user and kind, written without fsync."""

    name = "prosody"
    archive = (
        ('"posix";', '"mam"; "posix";'),
        (
            'storage = "internal"\n',
            'storage = { archive = "sql" }\nsql = { driver = "SQLite3"; database = "archive.sqlite" }\n'
            'default_archive_policy = true\narchive_expires_after = "never"\n',
        ),
    )
    paths = {"bosh": "/http-bind", "websocket": "/xmpp-websocket"}
    title = "Prosody"
    place = 10
    program = "prosody"

    def provision(self, accounts: Sequence[Account]) -> None:
        self.configuration.write_text(
            _CONFIG.substitute(
                folder=self.folder,
                port=self.port,
                web_port=self.web_port,
                host=HOST,
                certificate=self.certificate,
                key=self.key,
            )
        )
        keys = ScramKeys()
        self._store("accounts", ((account.name, _account(keys)) for account in accounts))
        self._store("roster", ((account.name, _roster(account)) for account in accounts if account.contacts))

    def command(self) -> list[str]:
        return ["prosody", "--config", str(self.configuration), "-F"]

    @classmethod
    def version(cls) -> str:
        """As the package says it, such as `0.12.3`."""
        return _VERSION.read_text().strip() if _VERSION.exists() else "?"

    @property
    def configuration(self) -> Path:
        return self.folder / "prosody.cfg.lua"

    def _store(self, kind: str, texts: Iterable[tuple[str, str]]) -> None:
        folder = self.folder / "data" / HOST / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts:
            (folder / f"{name}.dat").write_text(text)


def _account(keys: ScramKeys) -> str:
    return (
        f'return {{ ["salt"] = "{keys.salt}"; ["iteration_count"] = {keys.iterations};'
        f' ["stored_key"] = "{keys.stored}"; ["server_key"] = "{keys.server}"; }};\n'
    )


def _roster(account: Account) -> str:
    items = "".join(
        f'["{name}@{HOST}"] = {{ ["subscription"] = "both"; ["groups"] = {{ }}; ["name"] = "{name}"; }};\n'
        for name in account.contacts
    )
    return f'return {{ [false] = {{ ["version"] = 1; ["pending"] = {{ }}; }};\n{items}}};\n'


PEER = Prosody
