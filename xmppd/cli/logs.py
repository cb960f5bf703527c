"""Where the log goes: stderr, one line a fact."""

from __future__ import annotations

import logging
import os
import sys


def log_to_stderr(level: str) -> None:
    """Log what xmppd says at `level` and above, and warnings of libraries. systemd's journal adds the time itself."""
    time = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"{time}%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    set_level(level)


def set_level(level: str) -> None:
    """From now on, this level."""
    logging.getLogger("xmppd").setLevel(level.upper())
