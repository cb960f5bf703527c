"""The namespaces that a stream header declares, and that all in the stream may lean on."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp import namespaces as ns

Context = tuple[tuple[str, str], ...]
"""(prefix, namespace): first that of the header itself, then the others in their order."""

USUAL: Final[Context] = (("stream", ns.STREAM), ("", ns.CLIENT))
"""As nearly all clients declare them."""
