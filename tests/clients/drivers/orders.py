"""The far end of a puppet's strings: reads orders, has them obeyed, writes answers. Imports only the standard library.

An order is one line of JSON, `[verb, argument, ...]`. Its answer is one line too: what the method of that name
returned, or the traceback as a string.
"""

import json
import os
import traceback
from typing import Any


class Orders:
    """Orders from standard input, for a main loop that says when there is something to read."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w", buffering=1)
        # What the client itself prints must not mix with answers.
        os.dup2(2, 1)
        self._pending = b""

    def read(self, actor: object) -> None:
        """Read what is there and have `actor` obey it; end the process where the input ends."""
        block = os.read(0, 65536)
        if not block:
            os._exit(0)
        *lines, self._pending = (self._pending + block).split(b"\n")
        for line in lines:
            self._answers.write(json.dumps(_obey(actor, *json.loads(line))) + "\n")


def _obey(actor: object, verb: str, *arguments: Any) -> Any:
    try:
        return getattr(actor, verb)(*arguments)
    except Exception:  # A client that died of one order could not be asked what it showed.
        return traceback.format_exc()
