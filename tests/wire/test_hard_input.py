"""What no honest peer sends: each gets the right error, at a bounded cost."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.streams import HEADER, MESSAGE, error, fed, framer, stanza
from xmppd.wire.cutter import Bounds
from xmppd.wire.framer import Framer, Item, Parsers, Stanza
from xmppd.xmpp.errors import StreamError

LAUGHS = (
    "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY a 'lol'>"
    + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9))
    + "]><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>&j;</stream:stream>"
).encode()

FORBIDDEN = {
    "a billion laughs": (LAUGHS, "restricted-xml"),
    "a document type in the stream": (HEADER + b"<!DOCTYPE a>", "not-well-formed"),
    "a processing instruction before": (b"<?php a?>" + HEADER, "restricted-xml"),
    "a processing instruction within": (HEADER + b"<message><?php a?></message>", "restricted-xml"),
    "a processing instruction between": (HEADER + b"<?php a?>", "restricted-xml"),
    "a comment before": (b"<!-- a -->" + HEADER, "restricted-xml"),
    "a comment within": (HEADER + b"<message><!-- a --></message>", "restricted-xml"),
    "a comment between": (HEADER + b"<!-- a -->", "restricted-xml"),
    "an entity of its own": (HEADER + b"<message><body>&nbsp;</body></message>", "restricted-xml"),
    "such an entity in an attribute": (HEADER + b"<message id='&nbsp;'/>", "restricted-xml"),
    "a second declaration": (HEADER + b"<?xml version='1.0'?>", "not-well-formed"),
    "another encoding": (b"<?xml version='1.0' encoding='ISO-8859-1'?>" + HEADER[21:], "unsupported-encoding"),
    "UTF-16": ("\ufeff<?xml version='1.0'?>".encode("utf-16-be"), "unsupported-encoding"),
    "UTF-16 the other way": ("<?xml version='1.0'?>".encode("utf-16-le"), "unsupported-encoding"),
    "HTTP": (b"GET / HTTP/1.1\r\n", "not-well-formed"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "not-well-formed"),
    "an unbound prefix of an element": (HEADER + b"<message><a:b/></message>", "not-well-formed"),
    "an unbound prefix of an attribute": (HEADER + b"<message a:b='c'/>", "not-well-formed"),
    "an unbound prefix of the header": (b"<stream:stream xmlns='jabber:client'>", "not-well-formed"),
    "invalid UTF-8": (HEADER + b"<message><body>\xc3\x28</body></message>", "not-well-formed"),
    "too long a form of UTF-8": (HEADER + b"<message><body>\xc0\xbc</body></message>", "not-well-formed"),
    "half a surrogate pair": (HEADER + b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
    "NUL": (HEADER + b"<message><body>\x00</body></message>", "not-well-formed"),
    "NUL as a reference": (HEADER + b"<message><body>&#0;</body></message>", "not-well-formed"),
    "a control character": (HEADER + b"<message><body>\x08</body></message>", "not-well-formed"),
    "overlapping elements": (HEADER + b"<message><a><b></a></b></message>", "not-well-formed"),
    "an attribute twice": (HEADER + b"<message id='1' id='2'/>", "not-well-formed"),
    "an attribute twice by its namespace": (
        HEADER + b"<message xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'/>",
        "not-well-formed",
    ),
    "an attribute without quotes": (HEADER + b"<message id=1/>", "not-well-formed"),
    "a bracket in an attribute": (HEADER + b"<message id='<'/>", "not-well-formed"),
    "a space in a namespace": (HEADER + b"<message><a xmlns='b c'/></message>", "not-well-formed"),
    "text between stanzas": (HEADER + b"hello", "bad-format"),
    "text before a stanza": (HEADER + b"hello <message/>", "bad-format"),
    "CDATA between stanzas": (HEADER + b"<![CDATA[hello]]><message/>", "bad-format"),
    "a reference between stanzas": (HEADER + b"&#65;<message/>", "bad-format"),
    "no stream": (MESSAGE, "bad-format"),
    "a stream in no namespace": (b"<stream>", "invalid-namespace"),
    "a stream in a wrong namespace": (b"<s:stream xmlns:s='urn:s'>", "invalid-namespace"),
    "a stanza of no kind": (HEADER + b"<mail/>", "unsupported-stanza-type"),
    "65 levels": (HEADER + b"<message>" + b"<a>" * 64, "policy-violation"),
    "10,000 levels": (HEADER + b"<message>" + b"<a>" * 10_000, "policy-violation"),
    "65 attributes": (
        HEADER + b"<message %b/>" % b" ".join(b"a%d=''" % n for n in range(65)),
        "policy-violation",
    ),
    "65 attributes inside": (
        HEADER + b"<message><x %b/></message>" % b" ".join(b"a%d=''" % n for n in range(65)),
        "policy-violation",
    ),
    "65 namespaces of the header": (
        HEADER[:-1] + b"".join(b" xmlns:a%d='urn:a'" % n for n in range(65)) + b">",
        "policy-violation",
    ),
    "10 MB of an attribute": (HEADER + b"<message id='" + b"a" * 10_000_000, "policy-violation"),
    "10 MB of an attribute, finished": (HEADER + b"<message id='" + b"a" * 10_000_000 + b"'/>", "policy-violation"),
    "10 MB of a name": (HEADER + b"<message" + b"a" * 10_000_000 + b">", "policy-violation"),
    "10 MB of a header": (HEADER[:-1] + b" a='" + b"a" * 10_000_000 + b"'>", "policy-violation"),
}


@pytest.mark.parametrize(("stream", "condition"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_is_forbidden_has_its_error(stream: bytes, condition: str) -> None:
    assert error(fed([stream])) == condition


@pytest.mark.parametrize(("stream", "condition"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_in_small_pieces_too(stream: bytes, condition: str) -> None:
    size = 1 if len(stream) < 30_000 else 1400
    assert error(fed(stream[at : at + size] for at in range(0, len(stream), size))) == condition


def test_64_levels_and_64_attributes_are_allowed() -> None:
    stanza(b"<message>" + b"<a>" * 63 + b"</a>" * 63 + b"</message>")
    stanza(b"<message %b/>" % b" ".join(b"a%d=''" % n for n in range(64)))


def test_the_bounds_can_be_set() -> None:
    parsers = Parsers(Bounds(depth=3, attributes=8))
    assert error(framer(parsers=parsers).feed(b"<message><a><b><c>")) == "policy-violation"
    assert isinstance(framer(parsers=parsers).feed(b"<message><a><b/></a></message>")[0], Stanza)


def sized(size: int) -> bytes:
    frame = b"<message><body></body></message>"
    return frame.replace(b"></body", b">%b</body" % (b"a" * (size - len(frame))))


@pytest.mark.parametrize("size", [1, 999, 1000, 1001, 4096])
def test_a_stanza_may_have_as_many_bytes_as_the_limit_and_not_one_more(size: int) -> None:
    def pieces(stream: bytes) -> list[bytes]:
        return [stream[at : at + size] for at in range(0, len(stream), size)]

    stream = b" \n" + sized(1000)
    assert isinstance(fed(pieces(stream), framer(limit=1000))[-1], Stanza)
    stream = MESSAGE + b" \n" + sized(1001) + MESSAGE
    items = fed(pieces(stream), framer(limit=1000))
    assert [type(item) for item in items] == [Stanza, StreamError]
    assert error(items) == "policy-violation"


def test_the_limit_holds_for_each_stanza_of_one_read() -> None:
    assert len(framer(limit=1000).feed(sized(1000) * 20)) == 20
    items = framer(limit=1000).feed(sized(1000) * 3 + sized(1001) + sized(1000))
    assert len(items) == 4
    assert error(items) == "policy-violation"


def test_a_stanza_without_an_end_is_held_up_to_the_limit_only() -> None:
    reader = framer(limit=10_000)
    items: list[Item] = reader.feed(b"<message>")
    held = 0
    for _ in range(1000):
        items = reader.feed(b"<a>hello</a>" * 5)
        if items:
            break
        held = len(reader._buffer)
    assert error(items) == "policy-violation"
    assert 9_900 < held <= 10_000
    assert not reader._buffer


def trickled(reader: Framer, piece: bytes) -> int:
    """How many such pieces a framer takes before it has enough."""
    for number in count():
        items = reader.feed(piece)
        if items:
            assert error(items) == "policy-violation"
            return number
    raise AssertionError


@pytest.mark.parametrize("inside", [b"<message id='", b"<!--", b"<message><![CDATA["])
def test_brackets_that_trickle_in_cost_little(inside: bytes) -> None:
    reader = framer(limit=1 << 20)
    reader.feed(inside)
    assert trickled(reader, b">") < 40_000


def test_text_that_trickles_in_costs_little() -> None:
    reader = framer(limit=1 << 20)
    reader.feed(b"<message><body>")
    assert 10_000 < trickled(reader, b"a") < 40_000


def test_a_big_stanza_in_packets_is_served() -> None:
    reader = framer(limit=1 << 20)
    stream = b"<message id='>'><body>" + b"<b>a</b> > " * 90_000 + b"</body></message>"
    assert len(fed((stream[at : at + 1400] for at in range(0, len(stream), 1400)), reader)) == 1


def test_a_slow_sender_of_a_real_stanza_is_served() -> None:
    stream = b"<message to='a@b' id='a>b'><body>%b</body></message>" % (b"long > " * 700)
    assert len(fed((stream[at : at + 1] for at in range(len(stream))), framer())) == 1


def test_a_flood_of_names_wears_a_parser_out() -> None:
    parsers = Parsers()
    reader = framer(parsers=parsers)
    numbers = count()
    seen = set()
    for _ in range(50):
        xml = b"<message><x>%b</x></message>" % b"".join(b"<a%x/>" % next(numbers) for _ in range(1000))
        assert len(reader.feed(xml)) == 1
        idle = [each for kept in parsers._idle.values() for each in kept]
        assert all(each.fed <= Parsers.WORN + len(xml) for each in idle)
        seen |= set(map(id, idle))
    assert len(idle) <= 1


def test_so_it_does_where_the_stream_never_rests() -> None:
    reader = framer()
    numbers = count()
    reader.feed(b"<message>")
    for _ in range(5000):
        (item,) = reader.feed(b"<a%x/></message><message>" % next(numbers))
        assert isinstance(item, Stanza)
        assert reader._cutter is None or reader._cutter.fed <= Parsers.WORN + 1000


def test_a_parser_that_was_given_up_loses_nothing() -> None:
    reader = framer()
    reader.feed(b"<message>")
    items = []
    for number in range(5000):
        items += reader.feed(b"<body>%d</body></message><message>" % number)
    assert [item.letter for item in items if isinstance(item, Stanza)] == [b"<body>%d</body>" % n for n in range(5000)]


GARBAGE = st.lists(
    st.one_of(
        st.sampled_from(
            [HEADER, MESSAGE, b"<", b">", b"/>", b"</", b"'", b'"', b"<message", b"</message>", b"xmlns:a='"]
        )
        | st.sampled_from(
            [b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"?>", b"&", b";", b"=", b"\x00", b"\xff", b" "]
        )
        | st.sampled_from(
            [b"<!DOCTYPE", b"</stream:stream>", b"stream:", b"xml:lang='", b"<a:b ", b"&#", b"&amp;", b":"]
        ),
        st.binary(max_size=8),
    ),
    max_size=40,
)


@given(GARBAGE, st.booleans())
def test_garbage_is_answered_with_one_error_at_most(pieces: list[bytes], begun: bool) -> None:
    reader = framer(header=HEADER if begun else b"", limit=500)
    items = fed(pieces, reader)
    wrong = [at for at, item in enumerate(items) if isinstance(item, StreamError)]
    assert wrong in ([], [len(items) - 1])


@given(GARBAGE)
def test_garbage_says_the_same_in_one_piece(pieces: list[bytes]) -> None:
    whole, parts = fed([b"".join(pieces)], framer()), fed(pieces, framer())
    good = [item for item in whole if not isinstance(item, StreamError)]
    assert [type(item) for item in parts[: len(good)]] == [type(item) for item in good]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_XML_never_raise(data: bytes) -> None:
    Framer(Parsers()).feed(data)
    framer().feed(data)
