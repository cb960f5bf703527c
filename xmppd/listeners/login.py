"""The stream features by which a client logs in and binds, whatever carries its stream."""

from __future__ import annotations

from typing import Any, Final

from xmppd.wire.features import StreamFeature

from . import authentication, binding, management, sasl2

ROWS: Final[tuple[StreamFeature[Any], ...]] = (sasl2.ROW, authentication.ROW, binding.ROW, *management.ROWS)
