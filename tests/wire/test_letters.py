"""A letter cut out of a stream says what the whole stanza said, whatever its prefixes and quotes."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.wire.streams import HEADER, fed, framer, infoset, nonza, stanza
from xmppd.wire.framer import Framer, Header, Nonza, Parsers, Stanza

DECLARED = {"stream": "http://etherx.jabber.org/streams", "h": "urn:header", "c": "jabber:client"}
RICH_HEADER = HEADER[:-1] + b" xmlns:h='urn:header' xmlns:c=\"jabber:client\">"
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)
TEXT = st.text(
    st.one_of(st.sampled_from("&<>'\"/: =]h"), st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
    max_size=12,
).filter(lambda text: not set(text) & {"\ufffe", "\uffff"})


def quoted(value: str, quote: str) -> str:
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(quote, f"&#{ord(quote)};")
    return f"{quote}{value}{quote}"


def text(value: str, cdata: bool) -> str:
    if cdata and "]]>" not in value:
        return f"<![CDATA[{value}]]>"
    return value.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")


@st.composite
def elements(draw: st.DrawFn, depth: int, prefixes: frozenset[str], kind: str = "") -> str:
    """An element with declarations, attributes and children of every sort."""
    quotes = st.sampled_from("'\"")
    local = draw(st.dictionaries(NAMES.filter(lambda name: not name.startswith("xml")), st.just("urn:l"), max_size=2))
    known = sorted(prefixes | set(local))
    tag = draw(NAMES)
    if kind:
        tag = draw(st.sampled_from([kind, f"c:{kind}"])) if "c" not in local else kind
    elif known and draw(st.booleans()):
        tag = f"{draw(st.sampled_from(known))}:{tag}"
    attributes = {f"xmlns:{prefix}": uri for prefix, uri in local.items()}
    if not kind and draw(st.booleans()):
        attributes["xmlns"] = draw(st.sampled_from(["urn:d", "jabber:client", ""]))
    attributes |= draw(st.dictionaries(NAMES.map("a".__add__), TEXT, max_size=2))
    if known and draw(st.booleans()):
        attributes[f"{draw(st.sampled_from(known))}:p"] = draw(TEXT)
    inside = "".join(f" {name}={quoted(value, draw(quotes))}" for name, value in attributes.items())
    if draw(st.booleans()) and not kind:
        return f"<{tag}{inside}/>"
    parts = [text(draw(TEXT), draw(st.booleans()))] if not kind else [draw(st.sampled_from(["", " ", "\n"]))]
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        parts.append(draw(elements(depth - 1, frozenset(known))))
        parts.append(text(draw(TEXT), draw(st.booleans())) if not kind else "")
    return f"<{tag}{inside}>{''.join(parts)}</{tag}>"


STANZAS = elements(3, frozenset(DECLARED), "message")


def in_context(header: bytes, xml: bytes) -> bytes:
    return infoset(header[header.index(b"<stream") :] + xml + b"</stream:stream>")


@given(STANZAS, st.integers(1, 30))
def test_a_letter_says_the_same_on_another_stream(xml: str, size: int) -> None:
    xml = xml.encode()
    expected = in_context(RICH_HEADER, xml)
    (item,) = fed([xml[at : at + size] for at in range(0, len(xml), size)], framer(header=RICH_HEADER))
    assert isinstance(item, Stanza)
    item.lang = ""
    assert in_context(HEADER, item.data) == expected


@given(STANZAS)
def test_a_letter_can_be_opened(xml: str) -> None:
    item = stanza(xml, header=RICH_HEADER)
    inside = [etree.QName(child) for child in item.element]
    assert item.names == tuple(f"{name.namespace} {name.localname}".removeprefix("None ") for name in inside)


def test_a_fast_letter_is_the_very_bytes() -> None:
    letter = b"<body  xml:lang = \"en\" >1 &gt; 2<![CDATA[<]]></body >\n<x:y xmlns:x='urn:x'/>"
    assert stanza(b"<message>" + letter + b"</message>").letter == letter


@pytest.mark.parametrize(
    "xml",
    [
        "<c:message><c:body>a</c:body></c:message>",
        "<message><c:body>a</c:body></message>",
        "<p:message xmlns:p='jabber:client'><p:body>a</p:body></p:message>",
        "<p:message xmlns:p='jabber:client' xmlns='urn:other'><body xmlns='jabber:client'>a</body></p:message>",
    ],
)
def test_prefixed_stanzas_become_plain(xml: str) -> None:
    message = stanza(xml, header=RICH_HEADER)
    assert message.kind == "message"
    assert message.letter == b"<body>a</body>"
    assert message.names == ("jabber:client body",)


def test_a_prefix_of_the_header_is_declared_in_the_letter() -> None:
    message = stanza("<message><h:x h:y='1'/></message>", header=RICH_HEADER)
    assert infoset(message.letter) == infoset(b"<x xmlns='urn:header' xmlns:h='urn:header' h:y='1'/>")


def test_so_is_the_prefix_of_the_stream_itself() -> None:
    message = stanza("<message><stream:x/></message>")
    assert infoset(message.letter) == infoset(b"<x xmlns='http://etherx.jabber.org/streams'/>")


def test_a_prefixed_attribute_survives() -> None:
    message = stanza("<message h:shiny='yes' id='1'><body>a</body></message>", header=RICH_HEADER)
    assert b"<body>a</body>" in message.data
    assert infoset(message.data.replace(b" xml:lang='de'", b"")) == infoset(
        b"<message id='1' xmlns:n='urn:header' n:shiny='yes'><body>a</body></message>"
    )


def test_a_prefixed_nonza_keeps_its_text() -> None:
    auth = nonza("<s:auth xmlns:s='urn:sasl' mechanism='PLAIN' s:a='1'>AGE=</s:auth>")
    assert (auth.name, auth.letter, auth.attributes["mechanism"]) == ("urn:sasl auth", b"AGE=", "PLAIN")


@pytest.mark.parametrize(
    "header",
    [
        b"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>",
        b"<b:stream xmlns='jabber:client' xmlns:a='http://etherx.jabber.org/streams'"
        b" xmlns:b='http://etherx.jabber.org/streams'>",
        b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:x=\"it's\" y='>'>",
        b"<stream:stream\nxmlns='jabber:client'\nxmlns:stream='http://etherx.jabber.org/streams' xmlns:x='&amp;&lt;'>",
        b"<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'>",
    ],
)
def test_a_header_may_have_any_prefixes(header: bytes) -> None:
    reader = Framer(Parsers())
    tag = header[1:].split(None, 1)[0]
    prefix = b"c:" if b":c=" in header else b""
    message = b"<%bmessage><%bbody>a</%bbody></%bmessage>" % ((prefix,) * 4)
    items = fed([header, message, message, b"</%b>" % tag], reader)
    assert isinstance(items[0], Header)
    names = [item.names if isinstance(item, Stanza) else item for item in items[1:3]]
    assert names == [("jabber:client body",)] * 2
    assert type(items[3]).__name__ == "End"


def test_a_nonza_inherits_its_own_namespace() -> None:
    enable = nonza("<enable xmlns='urn:sm'><child/></enable>")
    assert isinstance(enable, Nonza)
    assert enable.names == ("urn:sm child",)
    assert enable.element[0].tag == "{urn:sm}child"
