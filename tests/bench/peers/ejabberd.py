"""ejabberd from Debian's package, with its default modules, set up for speed."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from string import Template

from tests.bench.accounts import HOST, Account, write_portable
from tests.bench.peer import Peer

_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
_CONFIG = Template("""
hosts: [$host]
loglevel: warning
log_rotate_size: infinity
certfiles: ["$folder/both.pem"]
auth_password_format: scram
disable_sasl_mechanisms: [digest-md5, X-OAUTH2]
listen:
  - {port: $port, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true, max_stanza_size: 262144, backlog: 512}
  - {port: $web_port, ip: "127.0.0.1", module: ejabberd_http, backlog: 512,
     request_handlers: {/http-bind: mod_bosh, /xmpp-websocket: ejabberd_http_ws}}
acl:
  local: {user_regexp: ""}
access_rules:
  local: {allow: local}
  c2s: {allow: all}
  pubsub_createnode: {allow: local}
  trusted_network: {allow: all}
shaper_rules:
  offline: 1000000
api_permissions: {}
modules:
  mod_adhoc: {}
  mod_admin_extra: {}
  mod_announce: {}
  mod_avatar: {}
  mod_blocking: {}
  mod_bosh: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_client_state: {}
  mod_configure: {}
  mod_disco: {}
  mod_last: {}
  mod_muc:
    history_size: 0
    min_message_interval: 0
    min_presence_interval: 0
    max_users: 10000
    max_users_presence: 10000
    max_user_conferences: 10000
    default_room_options: {max_users: 10000, mam: false, logging: false}
  mod_offline: {access_max_user_messages: offline}
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub: {access_createnode: pubsub_createnode, plugins: [flat, pep]}
  mod_push: {}
  mod_push_keepalive: {}
  mod_roster: {versioning: true}
  mod_shared_roster: {}
  mod_sic: {}
  mod_stream_mgmt: {resend_on_timeout: if_offline}
  mod_vcard: {search: false}
  mod_vcard_xupdate: {}
  mod_version: {}
""")
_IMPORT = 'io:format("imported ~p~n", [ejabberd_piefxis:import_file(<<"{path}">>)]), init:stop().'


class Ejabberd(Peer):
    """Mnesia: a transaction log in memory pages, written without fsync."""

    name = "ejabberd"
    archive = (("  mod_last: {}\n", "  mod_last: {}\n  mod_mam: {default: always}\n"),)
    title = "ejabberd"
    place = 20
    program = "ejabberdctl"

    @classmethod
    def missing(cls) -> str | None:
        return None if os.path.exists("/usr/sbin/ejabberdctl") else "ejabberd is not installed"

    def provision(self, accounts: Sequence[Account]) -> None:
        (self.folder / "both.pem").write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        self.configuration.write_text(
            _CONFIG.substitute(folder=self.folder, port=self.port, web_port=self.web_port, host=HOST)
        )
        portable = self.folder / "accounts.xml"
        write_portable(accounts, portable)
        command = [*self.command(), "-eval", _IMPORT.format(path=portable)]
        done = subprocess.run(
            command, env=self.environment(), cwd=self.folder, capture_output=True, text=True, check=False
        )
        if "imported ok" not in done.stdout:
            raise RuntimeError(f"ejabberd did not import the accounts: {done.stdout[-2000:]} {done.stderr[-2000:]}")

    def command(self) -> list[str]:
        return [
            "erl", "-noinput", "+K", "true", "+P", "250000", "+S", "1:1", "+SDcpu", "1:1", "+SDio", "1",
            "-mnesia", "dir", f'"{self.folder}/mnesia"', "-s", "ejabberd",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "EJABBERD_CONFIG_PATH": str(self.configuration),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
            "EJABBERD_PID_PATH": str(self.folder / "ejabberd.pid"),
            "ERL_LIBS": str(_LIBRARIES),
            "ERL_MAX_PORTS": "32000",
            "ERL_CRASH_DUMP_BYTES": "0",
            "HOME": str(self.folder),
        }

    @classmethod
    def version(cls) -> str:
        """As the package's folder says it, such as `23.01`."""
        found = next(_LIBRARIES.glob("ejabberd-*"), None)
        match = re.search(r"ejabberd-(\S+?)(-\d+)?$", found.name) if found else None
        return match[1] if match else "?"

    @property
    def configuration(self) -> Path:
        return self.folder / "ejabberd.yml"


PEER = Ejabberd
