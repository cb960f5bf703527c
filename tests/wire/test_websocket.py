"""A stream over WebSocket, without sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.wire.items import End, Header, Item, Nonza
from xmppd.wire.parsers import Parsers
from xmppd.wire.websocket import WebSocketStream
from xmppd.wire.whole import elements, standalone
from xmppd.xmpp import namespaces as ns
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.parsing import parse
from xmppd.xmpp.stanza import Stanza

OPEN = f"<open xmlns='{ns.FRAMING}' to='localhost' version='1.0' xml:lang='cs'/>".encode()
MESSAGE = b"<message xmlns='jabber:client' to='bob@localhost'><body>a &gt; b</body><x xmlns='urn:x'/></message>"
AUTHENTICATED = 4


def a_stream(limit: int = 100_000) -> WebSocketStream:
    return WebSocketStream(Parsers(), limit, 0)


def opened(state: int = AUTHENTICATED) -> WebSocketStream:
    stream = a_stream()
    assert isinstance(stream.receive(OPEN), Header)
    stream.open("localhost", "id")
    stream.grant(state)
    return stream


def condition(item: Item) -> str:
    return item.condition if isinstance(item, StreamError) else ""


def test_open_is_a_header() -> None:
    header = a_stream().receive(OPEN)
    assert isinstance(header, Header)
    assert (header.attributes["to"], header.lang) == ("localhost", "cs")


def test_a_stanza_has_its_letter_and_the_language_of_the_stream() -> None:
    stanza = opened().receive(MESSAGE)
    assert isinstance(stanza, Stanza)
    assert stanza.letter == b"<body>a &gt; b</body><x xmlns='urn:x'/>"
    assert stanza.names == ("jabber:client body", "urn:x x")
    assert (stanza.to, stanza.lang) == (JID.parse("bob@localhost"), "cs")


def test_close_is_the_end() -> None:
    assert isinstance(opened().receive(f"<close xmlns='{ns.FRAMING}'/>".encode()), End)


def test_other_elements_are_nonzas() -> None:
    item = opened().receive(b"<r xmlns='urn:xmpp:sm:3'/>")
    assert isinstance(item, Nonza)
    assert item.name == "urn:xmpp:sm:3 r"


def test_every_cut_is_an_error() -> None:
    for cut in range(len(MESSAGE)):
        assert isinstance(opened().receive(MESSAGE[:cut]), StreamError), MESSAGE[:cut]
        assert isinstance(opened().receive(MESSAGE[cut:]), StreamError) or not cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "bad-format"),
        (b" <presence/>", "bad-format"),
        (MESSAGE + MESSAGE, "bad-format"),
        (MESSAGE + b"text", "not-well-formed"),
        (b"</stream:stream>", "not-well-formed"),
        (MESSAGE + b"</stream:stream>", "bad-format"),
        (b"<?xml version='1.0'?>" + MESSAGE, "not-well-formed"),
        (b"<!-- a -->" + MESSAGE, "restricted-xml"),
        (b"<!DOCTYPE a>" + MESSAGE, "not-well-formed"),
        (b"<message xmlns='jabber:client'>&lol;</message>", "restricted-xml"),
        (b"<foo xmlns='jabber:client'/>", "unsupported-stanza-type"),
        (b"<message xmlns='jabber:client'>" + b"a" * 100_001 + b"</message>", "policy-violation"),
        (OPEN, "bad-format"),
    ],
)
def test_what_is_no_message_is_an_error(text: bytes, expected: str) -> None:
    assert condition(opened().receive(text)) == expected


def test_white_space_behind_the_element_is_passed_over() -> None:
    assert isinstance(opened().receive(MESSAGE + b"\n"), Stanza)


def test_before_the_login_stanzas_are_short_and_iqs() -> None:
    stream = opened(0)
    assert condition(stream.receive(MESSAGE)) == "not-authorized"
    assert condition(stream.receive(b"<iq xmlns='jabber:client'>" + b"<a/>" * 5000 + b"</iq>")) == "policy-violation"
    assert isinstance(stream.receive(b"<iq xmlns='jabber:client' type='get' id='a'/>"), Stanza)


@pytest.mark.parametrize("version", ["0.9", "", "new"])
def test_another_version_is_not_spoken(version: str) -> None:
    opening = OPEN.replace(b"1.0", version.encode())
    assert condition(a_stream().receive(opening)) == "unsupported-version"


def test_the_error_comes_in_messages_of_their_own() -> None:
    pieces = a_stream().error(StreamError("host-unknown"), "localhost")
    assert [parse(piece).tag for piece in pieces] == [
        f"{{{ns.FRAMING}}}open",
        f"{{{ns.STREAM}}}error",
        f"{{{ns.FRAMING}}}close",
    ]


def test_an_end_is_said_once() -> None:
    stream = opened()
    assert stream.close()
    assert not stream.close()
    assert not stream.error(StreamError("conflict"), "localhost")


@given(st.text(max_size=50))
def test_a_stanza_alone_is_the_stanza(text: str) -> None:
    stanza = Stanza("message", JID.parse("bob@localhost"), None, "chat", text, "en")
    found = parse(standalone(stanza)) if text.isprintable() else None
    assert found is None or (found.tag, found.get("id", "")) == (f"{{{ns.CLIENT}}}message", text)


@given(st.binary(max_size=100))
def test_garbage_is_an_error_or_whole_elements(text: bytes) -> None:
    parsers = Parsers()
    for item in elements(parsers, text, "", 1000)[:-1]:
        assert not isinstance(item, StreamError)
    # what went wrong leaves nothing behind for the next
    (after,) = elements(parsers, MESSAGE, "", 1000)
    assert isinstance(after, Stanza)
