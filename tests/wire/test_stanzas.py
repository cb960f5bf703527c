"""Stanzas that are read without a parser are what a parser would make of them."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire.streams import HEADER, MESSAGE, told
from xmppd.wire import stanzas
from xmppd.wire.framer import Framer, Header, Item, Parsers
from xmppd.wire.items import Header as HeaderItem
from xmppd.wire.stanzas import plain_items

CHAT = (
    b"<message type='chat' to='bob@localhost' id=\"m1\"><body>hi</body>"
    b"<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns=\"urn:xmpp:receipts\" /></message>"
)
PLAIN = {
    "a message": MESSAGE,
    "a chat message": CHAT,
    "a ping": b"<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
    "both": CHAT + b"<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    "nothing but a tag": b"<presence/><presence /><presence></presence>",
    "presence with capabilities": b"<presence><c xmlns='urn:caps' hash='sha-1' node='urn:n' ver='a='/></presence>",
    "a language": b"<message xml:lang='en'><body>hi</body></message>",
    "letters of many bytes": "<message id='ü'><body>€ 𝄞 é</body></message>".encode(),
    "white space in a text": b"<message><body>a\n\tb\r\nc</body></message>",
    "quotes in a text": b"<message><body>'a' \"b\" / =</body></message>",
    "its own namespace": b"<message><body xmlns='jabber:client'>hi</body></message>",
    "the same child twice": b"<message><body>a</body><body>b</body></message>",
    "an address that is none": b"<message to='@@'><body>hi</body></message>",
    "a nonza": b"<auth xmlns='urn:sasl' mechanism='SCRAM-SHA-1'>biws</auth>",
    "nonzas and stanzas": b"<a xmlns='urn:a' h='1' /><presence/><b c='' xmlns=\"urn:b\">d\n</b>",
    "a child's child": b"<message><x xmlns='urn:x'><y/></x></message>",
    "children's children": b"<message><x xmlns='urn:x'><y>a</y><z b='c'/></x><body>hi</body><v><w/></v></message>",
    "text beside a child's child": b"<message><x xmlns='urn:x'>a<y>b</y> c <y/>d</x></message>",
    "another namespace in a child": b"<message><x xmlns='urn:x'><y xmlns='urn:y'/></x></message>",
    "a child of its child's name": b"<message><x xmlns='urn:x'><x></x></x></message>",
    "a long child": b"<message><x xmlns='urn:x' a='%b'/></message>" % (b"a" * 500),
}
OTHERS = {
    "a child's child's child": b"<message><x xmlns='urn:x'><y><z/></y></x></message>",
    "an attribute of a child's child twice": b"<message><x xmlns='urn:x'><y a='' a=''/></x></message>",
    "no namespace of a child's child": b"<message><x xmlns='urn:x'><y xmlns=''/></x></message>",
    "a child's child's wrong end tag": b"<message><x xmlns='urn:x'><y></z></x></message>",
    "a child that ends in its child": b"<message><x xmlns='urn:x'><y></x></y></message>",
    "a prefix of a child's child": b"<message><x xmlns='urn:x' xmlns:a='urn:a'><a:y/></x></message>",
    "a reference": b"<message><body>&lt;</body></message>",
    "a reference in an attribute": b"<message id='&lt;'/>",
    "CDATA": b"<message><body><![CDATA[hi]]></body></message>",
    "a comment": b"<message><!-- hi --></message>",
    "a bracket in a text": b"<message><body>a > b</body></message>",
    "the end of CDATA": b"<message><body>]]></body></message>",
    "a bracket in an attribute": b"<message id='>'/>",
    "text beside children": b"<message>hi</message>",
    "white space beside them": b"<message> <body>hi</body></message>",
    "white space between stanzas": MESSAGE + b" ",
    "a prefix": b"<message><a:b xmlns:a='urn:a'/></message>",
    "a prefix of the header": b"<message><stream:b/></message>",
    "one in a text": b"<message><body> stream:b </body></message>",
    "a language of a child": b"<message><body xml:lang='en'>hi</body></message>",
    "a namespace of the stanza": b"<message xmlns='jabber:client'/>",
    "an unknown attribute": b"<message a='b'/>",
    "no namespace": b"<message><x xmlns=''/></message>",
    "a namespace that is none": b"<message><x xmlns='a b'/></message>",
    "a reserved namespace": b"<message><x xmlns='http://www.w3.org/2000/xmlns/'/></message>",
    "another": b"<message><x xmlns='http://www.w3.org/XML/1998/namespace'/></message>",
    "an attribute twice": b"<message id='1' id='2'/>",
    "an attribute twice, apart": b"<message to='a@b' id='1' to=\"a@b\"/>",
    "a sender twice": b"<message from='' type='chat' from='a@b'/>",
    "a type twice": b"<message type=\"chat\" type='chat'/>",
    "a language twice": b"<message xml:lang='en' id='1' xml:lang=''/>",
    "one of a child twice": b"<message><x a='1' b='' a='2'/></message>",
    "two namespaces": b"<message><x xmlns='urn:a' xmlns='urn:b'/></message>",
    "a tab in an attribute": b"<message id='a\tb'/>",
    "two blanks": b"<message  id='1'/>",
    "a blank in an end tag": b"<message></message >",
    "a wrong end tag": b"<message></presence>",
    "a child's wrong end tag": b"<message><a></b></message>",
    "NUL": b"<message><body>\x00</body></message>",
    "a control character": b"<message><body>\x0c</body></message>",
    "no UTF-8": b"<message><body>\xc3\x28</body></message>",
    "half a surrogate pair": b"<message><body>\xed\xa0\x80</body></message>",
    "U+FFFE": b"<message><body>\xef\xbf\xbe</body></message>",
    "U+FFFF in an attribute": b"<message id='\xef\xbf\xbf'/>",
    "past the end of Unicode": b"<message><body>\xf4\x90\x80\x80</body></message>",
    "half a stanza": MESSAGE + MESSAGE[:-3],
    "no stanza": b"<mail/>",
    "a nonza in the namespace of stanzas": b"<a xmlns='jabber:client'/>",
    "a stanza's name in another": b"<iq xmlns='urn:a'/>",
    "a nonza in none": b"<a b='c'/>",
    "a nonza with a child": b"<a xmlns='urn:a'><b/></a>",
    "a nonza's attribute twice": b"<a xmlns='urn:a' b='' b=''/>",
    "a nonza in no namespace": b"<a xmlns='urn:a b'/>",
    "the end": MESSAGE + b"</stream:stream>",
    "a name that is none": b"<message><1a/></message>",
    "a name of many letters": "<message><ä/></message>".encode(),
}


class Slow(Framer):
    """One that leaves all stanzas to parsers."""

    __slots__ = ()

    def _begin(self, header: HeaderItem, context: tuple[tuple[str, str], ...]) -> None:
        super()._begin(header, context)
        self._plain = False


def begun(kind: type[Framer], limit: int = 65536, header: bytes = HEADER) -> Framer:
    reader = kind(Parsers(), limit=limit)
    (item,) = reader.feed(header)
    assert isinstance(item, Header)
    return reader


def both(pieces: Sequence[bytes], limit: int = 65536, header: bytes = HEADER) -> tuple[list[object], list[object]]:
    """What comes of these pieces, and of the same by parsers alone; what stands behind shows how the stream goes on."""
    said = []
    for reader in (begun(Framer, limit, header), begun(Slow, limit, header)):
        items: list[Item] = []
        for piece in (*pieces, MESSAGE, b"<a:b/>"):
            items += reader.feed(piece)
        said.append(told(items))
    return said[0], said[1]


@pytest.mark.parametrize("stream", PLAIN.values(), ids=PLAIN)
def test_what_nearly_everybody_writes_needs_no_parser(stream: bytes) -> None:
    assert plain_items(stream, 65536, "")
    parsers = Parsers()
    reader = Framer(parsers)
    reader.feed(HEADER)
    assert reader.feed(stream)
    assert all(not idle for idle in parsers._idle.values())


@pytest.mark.parametrize("stream", OTHERS.values(), ids=OTHERS)
def test_all_else_is_left_to_one(stream: bytes) -> None:
    assert plain_items(stream, 65536, "") is None


EVERYTHING = {**PLAIN, **OTHERS}


@pytest.mark.parametrize("stream", EVERYTHING.values(), ids=EVERYTHING)
def test_either_road_says_the_same(stream: bytes) -> None:
    fast, slow = both([stream])
    assert fast == slow
    fast, slow = both([MESSAGE + stream])
    assert fast == slow
    for at in range(1, len(stream), 1 if len(stream) < 300 else 37):
        fast, slow = both([stream[:at], stream[at:]])
        assert fast == slow


@pytest.mark.parametrize("namespace", [b"jabber:server", b"jabber:component:accept", b"urn:x"])
def test_on_streams_of_other_namespaces_parsers_read(namespace: bytes) -> None:
    header = HEADER.replace(b"jabber:client", namespace)
    for stream in (CHAT, CHAT.replace(b"<message ", b"<message xmlns='jabber:client' ")):
        fast, slow = both([stream], header=header)
        assert fast == slow
    reader = begun(Framer, header=header)
    assert not reader._plain


@pytest.mark.parametrize("limit", [len(CHAT) - 1, len(CHAT), 2 * len(CHAT) - 1, 2 * len(CHAT)])
def test_the_limit_is_that_of_one_stanza(limit: int) -> None:
    for stream in (CHAT, CHAT + CHAT):
        fast, slow = both([stream], limit)
        assert fast == slow


def test_what_is_remembered_of_children_is_bounded() -> None:
    for number in range(3000):
        assert plain_items(b"<message><a%d/><b c='%b'/></message>" % (number, b"d" * 300), 65536, "")
    assert len(stanzas._NAMES) <= stanzas.REMEMBERED
    assert max(map(len, stanzas._NAMES)) <= stanzas.LONGEST


PIECES = [
    *("<message", "<message", "<presence", "<iq", "</message>", "</message>", "</presence>", "</iq>", "<msg", "<r"),
    *("<body", "</body>", "<body>", "<x", "</x>", "<x>", "<a:b", "<x xmlns='urn:x'", "<x xmlns:a='urn:a'"),
    *(" to='bob@localhost'", ' to="@@"', " from='a@b/c'", " id='1'", " type='chat'", " xml:lang='de'", " a='b'"),
    *(" xmlns='jabber:client'", " xmlns=''", " xmlns='urn:y'", " a:b='c'", " id='é'", " id='&lt;'", " id='>'"),
    *(">", ">", ">", "/>", "/>", " />", " ", "  ", "\n", "=", "'", '"', "hi", "é", "\ufffe", "stream:", "&amp;"),
    *("]]>", "<![CDATA[", "<!--", "-->", "<?a?>", "\x00", "\x0b", "</", "<", "&"),
]
ATTRIBUTES = [piece for piece in PIECES if piece.startswith(" ") and "=" in piece]
WHOLE = st.sampled_from([*PLAIN.values(), *(each for each in OTHERS.values())])
SHREDS = st.lists(st.sampled_from(PIECES), max_size=14).map(lambda pieces: "".join(pieces).encode())


@st.composite
def nearly(draw: st.DrawFn) -> bytes:
    """A stanza that is right but for a few bytes."""
    stream = bytearray(draw(WHOLE))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(stream)))
        stream[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from(PIECES)).encode()
    return bytes(stream)


@st.composite
def built(draw: st.DrawFn) -> bytes:
    """A stanza put together of attributes and children, each of which may be odd."""
    kind = draw(st.sampled_from(["message", "presence", "iq"]))
    attributes = "".join(draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=4)))
    children = ""
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(["body", "x", "a.b-c_d", "X1"]))
        inside = "".join(draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=3)))
        text = draw(
            st.sampled_from(["", "hi", "é", "'", '"', "\n", "&lt;", ">", "]]>", "<y/>", "stream:x", "\ufffd"])
            | st.text(max_size=4)
        )
        children += draw(st.sampled_from([f"<{name}{inside}/>", f"<{name}{inside}>{text}</{name}>"]))
    return f"<{kind}{attributes}>{children}</{kind}>".encode(errors="replace")


@st.composite
def nonzas(draw: st.DrawFn) -> bytes:
    """A nonza put together in the same way."""
    name = draw(st.sampled_from(["auth", "r", "iq", "message", "a.b"]))
    inside = "".join(draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=3)))
    text = draw(st.sampled_from(["", "AGE=", "&lt;", "<b/>", "]]>", "\ufffe"]) | st.text(max_size=4))
    return f"<{name}{inside} xmlns='urn:x'>{text}</{name}>".encode(errors="replace")


@given(st.lists(nearly() | built() | nonzas() | SHREDS | WHOLE, min_size=1, max_size=3))
@example([b"<message xmlns='jabber:client'/>"])
def test_whatever_comes_either_road_says_the_same(streams: list[bytes]) -> None:
    fast, slow = both(streams)
    assert fast == slow
    fast, slow = both([b"".join(streams)])
    assert fast == slow
