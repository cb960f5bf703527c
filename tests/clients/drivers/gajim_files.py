"""What Gajim's worker does with files in blocks (XEP-0047).

Gajim offers files by Jingle, and then opens a stream. What Jingle would have noted is noted here by hand; from the
opening on, all is Gajim's own. It cannot be sent one: nbxmpp 4.2.2, its library, fails on every `<open/>` it reads.
"""

from importlib import import_module
from pathlib import Path
from typing import Any


class Files:
    """The files of one account."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._files: dict[str, Any] = {}

    def send_file(self, sid: str, receiver: str, path: str) -> None:
        """Open a stream and send a file through it."""
        client = import_module("gajim.common.app").get_client(self._account)
        props = import_module("gajim.common.file_props").FilesProp.getNewFileProp(self._account, sid)
        size, sender = Path(path).stat().st_size, str(client.get_own_jid())
        known = {"type_": "s", "transport_sid": sid, "file_name": path, "name": Path(path).name, "size": size}
        for name, value in {**known, "sender": sender, "receiver": receiver}.items():
            setattr(props, name, value)
        self._files[sid] = props
        client.get_module("IBB").send_open(receiver, sid, open(path, "rb"))  # noqa: SIM115 - Gajim closes it

    def done(self) -> list[str]:
        """The sids of the files that Gajim has closed as complete."""
        return [sid for sid, file in self._files.items() if file.completed and file.fp.closed]
