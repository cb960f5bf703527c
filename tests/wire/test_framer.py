"""A stream of bytes, cut anywhere, says the same."""

import pytest

from tests.wire.streams import HEADER, MESSAGE, error, fed, framer, nonza, stanza, told
from xmppd.wire.framer import End, Framer, Header, Nonza, Parsers, Stanza
from xmppd.xmpp.errors import StreamError

STREAMS = {
    "stanzas and keepalives": HEADER
    + MESSAGE
    + b" \n"
    + b"<presence/>\r\n<iq type='get' id='2'><a xmlns='urn:a'/></iq>",
    "the end": HEADER + MESSAGE + b"</stream:stream>",
    "a bare header": HEADER[HEADER.index(b"<stream") :] + MESSAGE,
    "white space before the header": b"\n \t" + HEADER + MESSAGE,
    "a byte order mark": b"\xef\xbb\xbf" + HEADER + MESSAGE,
    "brackets in attributes": HEADER
    + b"""<message id='a>b' to="bob@localhost/'>'"><x xmlns='urn:x' y="/>" z='>'/>1 > 2</message><message id="/>"/>""",
    "a bracket in a namespace": HEADER + b"<message xmlns:x='a>b'><x:y/></message><presence/>",
    "brackets in the header": HEADER[:-1] + b" a='>' b='\">'>" + MESSAGE,
    "CDATA": HEADER + b"<message><body><![CDATA[<b> ]] > ]]></body></message><presence/>",
    "entities": HEADER + b"<message id='&lt;&amp;&#62;'><body>&quot;&apos;&#x20AC;</body></message>",
    "letters of many bytes": HEADER + "<message id='ü'><body>€ 𝄞 é</body></message>".encode(),
    "empty stanzas": HEADER + b"<presence/><message id='1' /><iq></iq>",
    "nonzas": HEADER + b"<r xmlns='urn:xmpp:sm:3'/><auth xmlns='urn:sasl' mechanism='X'>AGE=</auth>",
    "an end tag with white space": HEADER + b"<message ><body >hi</body\n></message \n><presence/>",
    "prefixes": HEADER[:-1] + b" xmlns:c='jabber:client' xmlns:f='urn:f'>" + b"<c:message f:a='1'><f:x/></c:message>",
    "two errors": HEADER + MESSAGE + b"<message></presence>" + MESSAGE,
    "a comment": HEADER + MESSAGE + b"<!-- > -- > --><presence/>",
    "a comment inside": HEADER + b"<message><!-- a > b --></message><presence/>",
    "a document type": b"<?xml version='1.0'?><!DOCTYPE a [ <!ENTITY b 'c>'> ]>" + HEADER + MESSAGE,
    "text between stanzas": HEADER + MESSAGE + b"text > <presence/>",
    "not XML": b"GET / HTTP/1.1\r\n\r\n<html>",
    "UTF-16": "<?xml version='1.0'?><stream>".encode("utf-16-le"),
    "after the end": HEADER + b"</stream:stream> <message/>",
    "no header": MESSAGE + MESSAGE,
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_cut_anywhere_gives_the_same(stream: bytes) -> None:
    whole = told(fed([stream]))
    assert whole
    for at in range(1, len(stream)):
        assert told(fed([stream[:at], stream[at:]])) == whole, stream[:at]


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_stream_in_small_pieces_gives_the_same(stream: bytes, size: int) -> None:
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert told(fed(pieces)) == told(fed([stream]))


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_nothing_comes_behind_an_error_or_the_end(stream: bytes) -> None:
    for reader in (framer(header=b""), framer(header=b"")):
        items = fed([stream, b" ", MESSAGE, HEADER], reader)
        last = [isinstance(item, StreamError | End) for item in items]
        assert True not in last[:-1]


def test_a_header_is_told() -> None:
    (header,) = fed([HEADER])
    assert header == Header({"to": "localhost", "version": "1.0"}, "de", "jabber:client")


def test_an_envelope_is_read_and_the_letter_stays_sealed() -> None:
    message = stanza(
        "<message to='Bob@LOCALHOST/x' from='a@b' type='chat' id='7'> <body>a&amp;b</body><x xmlns='u'/></message>"
    )
    assert (message.kind, message.to, message.sender, message.type, message.id) == (
        "message",
        "bob@localhost/x",
        "a@b",
        "chat",
        "7",
    )
    assert message.letter == b" <body>a&amp;b</body><x xmlns='u'/>"
    assert message.names == ("jabber:client body", "u x")


def test_the_language_of_the_stream_is_stamped_where_the_stanza_has_none() -> None:
    assert stanza("<message/>").lang == "de"
    assert stanza("<message xml:lang='en'/>").lang == "en"


def test_unknown_attributes_survive() -> None:
    message = stanza("<message id='1' shiny='ye&apos;s' ver='2' xml:space='preserve'/>")
    assert message.extra == {"shiny": "ye's", "ver": "2", "xml:space": "preserve"}
    assert b"shiny='ye&apos;s'" in message.data


def test_a_malformed_address_is_a_flaw_of_the_stanza_not_of_the_stream() -> None:
    message = stanza("<message to='@localhost' from='a@b' id='1'/>")
    assert message.flaw is not None
    assert message.flaw.condition == "jid-malformed"
    assert message.to is None


def test_white_space_between_stanzas_is_not_kept() -> None:
    reader = framer(limit=64)
    assert fed([b" " * 50] * 10, reader) == []
    assert not reader._buffer
    assert len(reader.feed(MESSAGE)) == 1


def test_several_stanzas_in_one_read() -> None:
    assert [item.id for item in framer().feed(MESSAGE * 500) if isinstance(item, Stanza)] == ["1"] * 500


@pytest.mark.parametrize("first", [10, 100, 1000, 10_000])
@pytest.mark.parametrize("second", [10, 100, 1000])
def test_a_tag_torn_behind_a_bracket_is_not_put_off(first: int, second: int) -> None:
    reader = framer()
    assert reader.feed(b"<message id='" + b"a" * first + b">") == []
    assert len(reader.feed(b"b" * second + b"'/>")) == 1


def test_after_a_restart_a_new_header_is_expected() -> None:
    reader = framer()
    reader.feed(b"<message><body>")
    reader.restart()
    assert told(fed([HEADER, MESSAGE], reader)) == told(fed([HEADER + MESSAGE]))


def test_a_restart_forgets_an_error() -> None:
    reader = framer()
    assert error(reader.feed(b"<a xmlns='urn:a'/><<>")) == "not-well-formed"
    reader.restart()
    assert isinstance(reader.feed(HEADER)[0], Header)


def test_an_idle_stream_holds_no_parser() -> None:
    reader = framer()
    reader.feed(MESSAGE)
    assert reader._cutter is None
    reader.feed(b"<message><body>")
    assert reader._cutter is not None


def test_a_nonza_as_an_element() -> None:
    element = nonza("<auth xmlns='urn:sasl' mechanism='PLAIN'><a>b</a></auth>").element
    assert element.tag == "{urn:sasl}auth"
    assert element.findtext("{urn:sasl}a") == "b"


def test_a_nonza_without_a_namespace() -> None:
    assert nonza("<message xmlns=''><body/></message>").name == "message"


def test_a_password_is_not_shown() -> None:
    assert "c2VjcmV0" not in repr(nonza("<auth xmlns='urn:sasl'>c2VjcmV0</auth>"))


def test_streams_take_turns_with_one_parser() -> None:
    parsers = Parsers()
    one, other = framer(parsers=parsers), framer(parsers=parsers)
    items = fed([b"<message id='a'><bo"], one)
    items += fed([b"<message id='b'>"], other)
    items += fed([b"dy/></message><presence id='c'><x"], one)
    items += fed([b"<body/></message>"], other)
    items += fed([b" xmlns='urn:x'/></presence>"], one)
    assert [(item.id, item.letter) for item in items if isinstance(item, Stanza)] == [
        ("a", b"<body/>"),
        ("b", b"<body/>"),
        ("c", b"<x xmlns='urn:x'/>"),
    ]


def test_an_error_on_one_stream_leaves_the_others_alone() -> None:
    parsers = Parsers()
    one, other = framer(parsers=parsers), framer(parsers=parsers)
    other.feed(b"<message id='b'>")
    assert error(one.feed(b"<message></body>")) == "not-well-formed"
    assert isinstance(other.feed(b"<body/></message>")[0], Stanza)


def test_framers_know_their_kind_of_stanzas() -> None:
    header = HEADER.replace(b"jabber:client", b"jabber:server")
    reader = Framer(Parsers(), "jabber:server")
    _, message, wrong = fed([header, b"<message/>", b"<message xmlns='jabber:client'/>"], reader)
    assert isinstance(message, Stanza)
    assert isinstance(wrong, Nonza)
