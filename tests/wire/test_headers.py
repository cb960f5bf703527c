"""A header that is read without a parser says what a parser would say."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire.streams import HEADER, MESSAGE, STREAM, fed, told
from xmppd.wire.framer import Framer, Item, Parsers
from xmppd.wire.headers import MOST, _read, plain_header

CLIENT = "jabber:client"
COMPONENT = "jabber:component:accept"
PLAIN = {
    "a declaration": HEADER,
    "none": HEADER[HEADER.index(b"<stream") :],
    "double quotes": HEADER.replace(b"'", b'"'),
    "an encoding": HEADER.replace(b"'1.0'?>", b"'1.0' encoding='UTF-8' ?>\r\n"),
    "white space": HEADER.replace(b" to=", b"\n\t to=").replace(b"'>", b"' >"),
    "addresses": HEADER.replace(b" to=", b" from='alice@localhost/a b' id='7' to="),
    "the least": b"<stream:stream xmlns:stream='%b' xmlns='jabber:client'>" % STREAM.encode(),
}
OTHERS = {
    "entities": HEADER.replace(b"localhost", b"local&#104;ost"),
    "letters of many bytes": HEADER.replace(b"localhost", "löcal".encode()),
    "another namespace": HEADER.replace(b"jabber:client", b"jabber:server"),
    "another stream": HEADER.replace(b"etherx", b"ether"),
    "another prefix": HEADER.replace(b"<stream:", b"<s:").replace(b"xmlns:stream", b"xmlns:s"),
    "one more prefix": HEADER.replace(b" to=", b" xmlns:a='urn:a' to="),
    "an unknown attribute": HEADER.replace(b" to=", b" too="),
    "an attribute twice": HEADER.replace(b" to=", b" to='a' to="),
    "a namespace twice": HEADER.replace(b" to=", b" xmlns='jabber:client' to="),
    "no namespace": HEADER.replace(b" xmlns='jabber:client'", b""),
    "no white space": HEADER.replace(b" to=", b"to="),
    "white space around": HEADER.replace(b" to=", b" to = "),
    "a tab in a value": HEADER.replace(b"localhost", b"local\thost"),
    "a bracket in a value": HEADER.replace(b"localhost", b"local>host"),
    "an empty element": HEADER.replace(b"'>", b"'/>"),
    "a byte order mark": b"\xef\xbb\xbf" + HEADER,
    "a longer one": HEADER.replace(b"localhost", b"a" * MOST),
    "another version of XML": HEADER.replace(b"version='1.0'?>", b"version='1.1'?>"),
}


class Slow(Framer):
    """One that knows parsers alone."""

    __slots__ = ()

    def _plain_header(self, buffer: bytes) -> list[Item]:
        return []


def both(pieces: Sequence[bytes], content: str = CLIENT, limit: int = 16384) -> tuple[list[object], list[object]]:
    """What comes of these pieces, and of the same by a parser; a message behind them shows what the stream then is."""
    fast, slow = Framer(Parsers(), content, limit), Slow(Parsers(), content, limit)
    said = [told(fed([*pieces, MESSAGE, b"<stream:features a='1'/>", b"<a:b/>"], reader)) for reader in (fast, slow)]
    assert fast._over == slow._over
    assert fast._over or fast.lang == slow.lang
    return said[0], said[1]


@pytest.mark.parametrize("stream", PLAIN.values(), ids=PLAIN)
def test_what_nearly_everybody_writes_needs_no_parser(stream: bytes) -> None:
    assert plain_header(stream, CLIENT)
    parsers = Parsers()
    assert len(Framer(parsers).feed(stream)) == 1
    assert all(not idle for idle in parsers._idle.values())


@pytest.mark.parametrize("stream", OTHERS.values(), ids=OTHERS)
def test_all_else_is_left_to_one(stream: bytes) -> None:
    assert plain_header(stream, CLIENT) is None


@pytest.mark.parametrize("stream", [*PLAIN.values(), *OTHERS.values()], ids=[*PLAIN, *OTHERS])
@pytest.mark.parametrize("behind", [b"", b" \n", MESSAGE, b"<message>", b"<a:b/>", b"</stream:stream>", b"x", b"</a>"])
def test_either_road_says_the_same(stream: bytes, behind: bytes) -> None:
    fast, slow = both([stream + behind])
    assert fast == slow
    fast, slow = both([stream[:-1], stream[-1:], behind])
    assert fast == slow


def test_a_component_s_header_is_as_plain() -> None:
    stream = HEADER.replace(CLIENT.encode(), COMPONENT.encode())
    assert plain_header(stream, COMPONENT)
    assert plain_header(stream, CLIENT) is None
    fast, slow = both([stream], COMPONENT)
    assert fast == slow


@pytest.mark.parametrize("limit", [len(HEADER) - 1, len(HEADER)])
def test_a_header_has_the_limit_of_a_stanza(limit: int) -> None:
    fast, slow = both([HEADER], limit=limit)
    assert fast == slow
    assert (fast[0] == "policy-violation") is (limit < len(HEADER))


def test_what_a_client_says_behind_its_header_is_not_remembered() -> None:
    _read.cache_clear()
    for password in (b"c2VjcmV0", b"aHVudGVyMg=="):
        assert plain_header(HEADER + b"<auth>%b</auth>" % password, CLIENT)
    assert _read.cache_info().misses == 1


def test_a_long_header_in_many_pieces_costs_little() -> None:
    reader = Framer(Parsers(), limit=16384)
    begin = HEADER.replace(b"localhost", b"a" * 15_000)[:-40]
    for piece in (begin, *[b">"] * 500):
        assert not reader.feed(piece)
    assert plain_header(begin + b">", CLIENT) is None


NAMES = ["to", "from", "id", "version", "xml:lang", "xmlns", "xmlns:stream", "xmlns:a", "a", "a:b", "To"]
VALUES = [
    "localhost",
    "1.0",
    "de",
    CLIENT,
    COMPONENT,
    STREAM,
    "",
    " ",
    "a b",
    "ü",
    "&amp;",
    "&lt;",
    "<",
    ">",
    "\t",
    "\x00",
    "'",
    '"',
    "\x7f",
]
MARKS = ["'", '"', "'", '"', "", " '"]
SPACES = [" ", " ", "\n", "\t ", "", "\x0b", "/"]
DECLARATIONS = [
    "",
    "<?xml version='1.0'?>",
    '<?xml version="1.0" encoding="utf-8"?>\n',
    "<?xml version='1.1'?>",
    "<?xml?>",
    "<!DOCTYPE a>",
]
TAGS = [
    "<stream:stream",
    "<stream:stream",
    "<stream:stream",
    "<s:stream",
    "<stream",
    "< stream:stream",
    "<stream:streams",
]
ENDS = [">", " >", "\n>", "/>", " ", "", "'>"]


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """Headers that are right, nearly right, and far from it."""
    attributes = [("xmlns", CLIENT), ("xmlns:stream", STREAM)] if draw(st.integers(0, 9)) else []
    attributes += draw(
        st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=5)), max_size=4)
    )
    text = draw(st.sampled_from(DECLARATIONS)) + draw(st.sampled_from(TAGS))
    for name, value in draw(st.permutations(attributes)):
        mark = draw(st.sampled_from(MARKS))
        text += f"{draw(st.sampled_from(SPACES))}{name}={mark}{value}{mark.strip()}"
    return (text + draw(st.sampled_from(ENDS))).encode(errors="replace")


@given(headers(), st.sampled_from([b"", b" ", MESSAGE, b"<a:b/>", b"x", b"</stream:stream>"]))
@example(HEADER, b"<message>")
def test_whatever_a_header_is_either_road_says_the_same(header: bytes, behind: bytes) -> None:
    fast, slow = both([header + behind])
    assert fast == slow


@given(headers(), st.lists(st.integers(0, 200), max_size=4))
def test_so_it_does_in_pieces(header: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(header)]
    pieces = [header[begin:end] for begin, end in pairwise(at)]
    fast, slow = both(pieces)
    assert fast == slow
