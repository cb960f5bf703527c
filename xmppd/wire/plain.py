"""The slow road of framing: a letter that leans on prefixes declared outside of it, written in plain form."""

from __future__ import annotations

from lxml import etree

from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.stanza import escape, join

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def plain_letter(context: tuple[tuple[str, str], ...], stanza: bytes) -> bytes:
    """The letter of `stanza`, which stood in a stream with the header namespaces `context`, in plain form."""
    declared = "".join(f" xmlns{':' if prefix else ''}{prefix}='{escape(uri)}'" for prefix, uri in context)
    try:
        outer = etree.fromstring(b"<x%b>%b</x>" % (declared.encode(), stanza), _PARSER)
    except etree.XMLSyntaxError as error:
        raise StreamError("not-well-formed", error.msg or "") from None
    etree.cleanup_namespaces(outer)
    element = outer[0]
    children = list(element.iterchildren("{*}*"))
    return join(children) if children else escape(element.text or "").encode()
