"""A client's stream as its server sees it (RFC 6120 4)."""

import pytest
from lxml import etree

from tests.wire.streams import HEADER, MESSAGE, error
from xmppd.wire.client import UNAUTHENTICATED_LIMIT, ClientStream, Header, Nonza, Parsers, Stanza, State
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID

IQ = b"<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"


NOTHING = 0


def begun(state: State = NOTHING, limit: int = 100_000) -> ClientStream:
    stream = ClientStream(Parsers(), limit, 0)
    stream.grant(state)
    (header,) = stream.receive(HEADER)
    assert isinstance(header, Header)
    return stream


@pytest.mark.parametrize(
    ("old", "new", "condition"),
    [
        (b"jabber:client", b"jabber:server", "invalid-namespace"),
        (b" xmlns='jabber:client'", b"", "invalid-namespace"),
        (b"http://etherx.jabber.org/streams", b"http://etherx.jabber.org/stream", "invalid-namespace"),
        (b" version='1.0' xml", b" xml", "unsupported-version"),
        (b"version='1.0' xml", b"version='0.9' xml", "unsupported-version"),
        (b"version='1.0' xml", b"version='' xml", "unsupported-version"),
        (b"version='1.0' xml", b"version='one' xml", "unsupported-version"),
    ],
)
def test_a_wrong_header_has_its_error(old: bytes, new: bytes, condition: str) -> None:
    assert error(ClientStream(Parsers(), 1000, 0).receive(HEADER.replace(old, new))) == condition


@pytest.mark.parametrize("version", [b"1.0", b"1.1", b"2.0", b"10.3", b"1", b"9" * 500])
def test_a_newer_version_is_taken_for_ours(version: bytes) -> None:
    stream = ClientStream(Parsers(), 1000, 0)
    assert isinstance(stream.receive(HEADER.replace(b"'1.0' xml", b"'%b' xml" % version))[0], Header)


def test_stanzas_before_login_are_not_authorized() -> None:
    assert error(begun().receive(MESSAGE)) == "not-authorized"
    assert error(begun(State.SECURE).receive(b"<presence/>")) == "not-authorized"
    assert isinstance(begun().receive(IQ)[0], Stanza)  # old clients register before they log in
    assert isinstance(begun(State.AUTHENTICATED).receive(MESSAGE)[0], Stanza)


def test_nothing_comes_behind_an_error() -> None:
    stream = begun()
    assert [type(item) for item in stream.receive(b"<a xmlns='u'/>" + MESSAGE + IQ)] == [Nonza, StreamError]
    assert stream.receive(IQ) == []


def test_nobody_needs_long_stanzas_before_login() -> None:
    long = IQ.replace(b"/></iq>", b">" + b"a" * UNAUTHENTICATED_LIMIT + b"</bind></iq>")
    stream = begun()
    assert error(stream.receive(long)) == "policy-violation"
    stream = begun()
    stream.grant(State.AUTHENTICATED)
    assert isinstance(stream.receive(long)[0], Stanza)


def test_the_limit_of_the_configuration_may_be_lower() -> None:
    stream = begun(limit=500)
    assert error(stream.receive(IQ + b"<iq id='%b'/>" % (b"a" * 500))) == "policy-violation"


def test_the_answering_header_is_whole() -> None:
    stream = begun()
    sent = stream.open("localhost", "id7", JID("al'ice", "localhost")) + stream.close()
    assert sent.endswith(b"</stream:stream>")
    root = etree.fromstring(sent)
    assert root.tag == "{http://etherx.jabber.org/streams}stream"
    assert (root.get("from"), root.get("to"), root.get("id")) == ("localhost", "al'ice@localhost", "id7")
    assert root.get("version") == "1.0"
    assert root.nsmap[None] == "jabber:client"


def test_an_error_before_the_header_comes_behind_one() -> None:
    stream = ClientStream(Parsers(), 1000, 0)
    root = etree.fromstring(b"".join(stream.error(StreamError("host-unknown", "<no>"), "localhost")))
    condition, text = root[0]
    assert condition.tag == "{urn:ietf:params:xml:ns:xmpp-streams}host-unknown"
    assert text.text == "<no>"


def test_an_error_after_a_restart_comes_behind_a_new_header() -> None:
    stream = begun()
    stream.open("localhost", "1")
    stream.restart()
    assert b"".join(stream.error(StreamError("bad-format"), "localhost")).startswith(b"<?xml")


def test_a_stream_ends_once() -> None:
    stream = begun()
    stream.open("localhost", "1")
    assert stream.close() == b"</stream:stream>"
    assert stream.close() == b""
    assert stream.error(StreamError("bad-format"), "localhost") == ()


def test_a_stream_that_never_began_has_no_end() -> None:
    assert ClientStream(Parsers(), 1000, 0).close() == b""


def test_after_a_restart_the_rules_are_the_same() -> None:
    stream = begun()
    stream.restart()
    assert [type(item) for item in stream.receive(HEADER + IQ + MESSAGE)] == [Header, Stanza, StreamError]
