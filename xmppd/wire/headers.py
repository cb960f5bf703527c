"""The stream header as nearly every client writes it, read without a parser."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.glance import ATTRIBUTE, SPACE, VALUE

from .context import Context
from .items import Header

REMEMBERED: Final = 256  # headers: programs of one kind say the same to one host, and each login has two or three
MOST: Final = 1024  # bytes that are looked at; real headers have 200, and a long one may come in many pieces
HEADER: Final = re.compile(
    rb"(?:<\?xml version=(?:'1\.0'|\"1\.0\")(?: encoding=(?:'UTF-8'|\"UTF-8\"|'utf-8'|\"utf-8\"))? ?\?>%b*+)?"
    rb"<stream:stream((?:%b++(?:to|from|id|version|xml:lang|xmlns|xmlns:stream)=%b){2,7}+)%b*+>"
    % (SPACE, SPACE, VALUE, SPACE)
)


def plain_header(stream: bytes, content: str) -> tuple[Header, Context, int] | None:
    """The header that `stream` begins with, its namespaces, and where it ends: all as a parser would say it.

    None where it is not whole, or not of the plainest kind: a parser must look at it then.
    """
    begin = stream.find(b">", 0, MOST) + 1 if stream.startswith(b"<?") else 0
    end = stream.find(b">", begin, MOST) + 1
    # Nothing behind it may be remembered: a client in a hurry says its password there.
    return _read(stream[:end], content) if end else None


@lru_cache(REMEMBERED)
def _read(stream: bytes, content: str) -> tuple[Header, Context, int] | None:
    match = HEADER.match(stream)
    if match is None:
        return None
    found = ATTRIBUTE.findall(match[1])
    attributes = {name.decode(): value[1:-1].decode() for name, value in found}
    if len(attributes) != len(found) or attributes.pop("xmlns:stream", "") != ns.STREAM:
        return None
    if attributes.pop("xmlns", "") != content:
        return None
    lang = attributes.pop("xml:lang", "")
    return Header(attributes, lang, content), (("stream", ns.STREAM), ("", content)), match.end()
