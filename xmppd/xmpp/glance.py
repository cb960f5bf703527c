"""What the first tag of a letter says, read without opening the letter where it is written in the plainest way."""

from __future__ import annotations

import re
from typing import Final

SPACE: Final = rb"[ \t\r\n]"
# A quoted value of printable ASCII without what XML would have to resolve.
VALUE: Final = rb"""(?:'[ !#-%(-;=?-~]*+'|"[ !#-%(-;=?-~]*+")"""
ATTRIBUTE: Final = re.compile(rb"([A-Za-z:]++)=(%b)" % VALUE)
TAG: Final = re.compile(rb"<[A-Za-z:]++((?:%b++[A-Za-z:]++=%b)*+)%b*+/?>" % (SPACE, VALUE, SPACE))
LONGEST: Final = 1024  # bytes that are looked at; more than any tag that is asked for has


def attributes(letter: bytes) -> dict[str, str] | None:
    """The attributes of the tag that a well-formed letter begins with, declarations among them.

    None where the letter begins with something else, or its tag is not that plain: it has to be opened then.
    """
    match = TAG.match(letter, 0, LONGEST)
    if match is None:
        return None
    return {name.decode(): value[1:-1].decode() for name, value in ATTRIBUTE.findall(match[1])}
