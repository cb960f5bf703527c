"""The resource that a client asks for, read without opening the letter where it is plainly written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.streams import HEADER, framer
from xmppd.listeners.binding import PLAIN, resource_of
from xmppd.wire.framer import Stanza
from xmppd.xmpp import namespaces as ns


def asked(letter: bytes) -> Stanza | None:
    items = framer(header=HEADER).feed(b"<iq type='set' id='1'>%b</iq>" % letter)
    return items[0] if items and isinstance(items[0], Stanza) else None


def by_parser(stanza: Stanza) -> str:
    return stanza.element.findtext(f"{{{ns.BIND}}}bind/{{{ns.BIND}}}resource") or ""


BIND = f"<bind xmlns='{ns.BIND}'>".encode()


@pytest.mark.parametrize(
    ("inside", "resource"),
    [
        (b"<resource>phone</resource>", "phone"),
        (b"<required/><resource>my \"phone\" #1 'x'</resource>", "my \"phone\" #1 'x'"),
        (b"<resource></resource>", ""),
        (b"<required/>", ""),
        (b"", ""),
    ],
)
def test_what_nearly_everybody_writes_is_read_at_once(inside: bytes, resource: str) -> None:
    letter = BIND + inside + b"</bind>"
    assert PLAIN.fullmatch(letter)
    stanza = asked(letter)
    assert stanza is not None
    assert resource_of(stanza) == by_parser(stanza) == resource


TAGS = [BIND, BIND.replace(b"'", b'"'), BIND.replace(b">", b"/>"), b"<bind>", b"</bind>", b"<required/>", b"<resource>"]
MORE = [b"</resource>", b"<resource/>", b"<resource xmlns='urn:x'>", b"</b:resource>", b"<![CDATA[<]]>", b">", b"]]>"]
TEXT = [b"a", b" ", b"\n", b"&amp;", b"'", b'"', b"\xc3\xbc", b"<b:resource xmlns:b='%b'>" % ns.BIND.encode()]
PIECES = st.sampled_from([*TAGS, *MORE, *TEXT])


@given(st.lists(PIECES, max_size=8))
def test_whatever_is_written_either_road_says_the_same(pieces: list[bytes]) -> None:
    for letter in (b"".join(pieces), BIND + b"<resource>" + b"".join(pieces) + b"</resource></bind>"):
        stanza = asked(letter)
        if stanza is not None and stanza.names[:1] == (f"{ns.BIND} bind",):
            assert resource_of(stanza) == by_parser(stanza)
