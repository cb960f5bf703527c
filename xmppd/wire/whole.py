"""Elements that come and go whole, as in WebSocket messages and BOSH bodies: nothing is inherited from a header."""

from __future__ import annotations

from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import Stanza

from .context import USUAL, Context
from .cutter import WHITESPACE
from .items import End, Item
from .parsers import Parsers

DECLARED: Final = b" xmlns='jabber:client'"
STREAM_DECLARED: Final = f" xmlns:stream='{ns.STREAM}'"


def elements(parsers: Parsers, xml: bytes, lang: str, limit: int, context: Context = USUAL) -> list[Item]:
    """The elements in `xml`, in order, each of at most `limit` bytes.

    `lang` is what stanzas inherit. A child without a namespace is in the stream's, as over TCP.
    A `StreamError` for what is no sequence of whole elements is the last item.
    """
    end = len(xml)
    if not xml.endswith(b">"):
        end = len(xml.rstrip(WHITESPACE))
        if not xml.endswith(b">", 0, end):
            return [] if not end else [_torn()]
    cutter = parsers.take(context, ns.CLIENT)
    cutter.begin()
    items = cutter.cut(xml, 0, end, lang, limit)
    if cutter.depth == 0 and cutter.done == end:
        parsers.give(cutter)
        return items
    cutter.close()
    if items and isinstance(items[-1], StreamError):
        return items
    if items and isinstance(items[-1], End):
        items.pop()
    return [*items, _torn()]


def _torn() -> StreamError:
    return StreamError("not-well-formed", "every message holds whole elements, and no text beside them")


def standalone(stanza: Stanza) -> bytes:
    """The stanza as it goes out where no header says its namespace."""
    data, cut = stanza.data, len(stanza.kind) + 1
    return b"%b%b%b" % (data[:cut], DECLARED, data[cut:])


def stream_error(error: StreamError) -> bytes:
    """The `<stream:error/>` element, which declares its prefix."""
    return error.to_xml().replace("<stream:error", f"<stream:error{STREAM_DECLARED}", 1).encode()
