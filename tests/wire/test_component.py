"""A component's stream as its server sees it (XEP-0114)."""

from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.wire.streams import infoset
from xmppd.wire.component import UNPROVEN_LIMIT, ComponentItem, ComponentStream, End, Handshake, Header, Parsers, Stanza
from xmppd.xmpp.errors import StreamError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.parsing import parse

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept'"
    b" xmlns:stream='http://etherx.jabber.org/streams' to='bus.example'>"
)
ID, SECRET = "id7", "pssst"
PROOF = sha1(f"{ID}{SECRET}".encode(), usedforsecurity=False).hexdigest().encode()
HANDSHAKE = b"<handshake>%b</handshake>" % PROOF
MESSAGE = b"<message from='a@bus.example' to='bob@localhost' id='1'><body>hi</body></message>"


def stream(limit: int = 100_000) -> ComponentStream:
    return ComponentStream(Parsers(), limit, {"bus.example": SECRET, "other.example": "another"}, ID)


def proven(limit: int = 100_000) -> ComponentStream:
    made = stream(limit)
    header, handshake = made.receive(HEADER + HANDSHAKE)
    assert isinstance(header, Header)
    assert handshake == Handshake(True)
    return made


def error(events: list[ComponentItem]) -> str:
    return events[-1].condition if events and isinstance(events[-1], StreamError) else ""


def told(events: list[ComponentItem]) -> list[object]:
    return [(e.kind, e.to, e.sender, e.letter, e.names) if isinstance(e, Stanza) else str(e) for e in events]


@pytest.mark.parametrize(
    ("old", "new", "condition"),
    [
        (b"jabber:component:accept", b"jabber:client", "invalid-namespace"),
        (b"jabber:component:accept", b"jabber:component:connect", "invalid-namespace"),
        (b"etherx.jabber.org", b"etherx.example", "invalid-namespace"),
        (b"bus.example", b"elsewhere.example", "host-unknown"),
        (b"bus.example", b"a@bus.example", "host-unknown"),
        (b"bus.example", b"bus.example/x", "host-unknown"),
        (b"bus.example", b"@", "host-unknown"),
        (b" to='bus.example'", b"", "host-unknown"),
    ],
)
def test_a_wrong_header_is_refused(old: bytes, new: bytes, condition: str) -> None:
    made = stream()
    assert error(made.receive(HEADER.replace(old, new) + HANDSHAKE)) == condition
    assert made.receive(HANDSHAKE) == []
    assert not made.proven


def test_the_domain_is_prepared() -> None:
    made = stream()
    made.receive(HEADER.replace(b"bus.example", b"BUS.Example"))
    assert made.domain == "bus.example"


@pytest.mark.parametrize(
    "shown",
    [
        b"",
        PROOF.upper(),
        PROOF[:-1],
        PROOF + b"0",
        SECRET.encode(),
        b"\xc3\xbc" * 20,
        b"<a>%b</a>" % PROOF,
        b"<![CDATA[%b]]>" % PROOF,
        b"%b<a xmlns='%%zz'/>" % PROOF,
    ],
)
def test_a_wrong_handshake_is_told_and_nothing_comes_behind_it(shown: bytes) -> None:
    made = stream()
    _, *events = made.receive(HEADER + b"<handshake>%b</handshake>" % shown + HANDSHAKE + MESSAGE)
    assert events == [Handshake(False)]
    assert made.receive(MESSAGE) == []
    assert not made.proven


@pytest.mark.parametrize("domain", [b"other.example", b"bus.example"])
def test_each_domain_has_its_own_secret(domain: bytes) -> None:
    made = stream()
    _, handshake = made.receive(HEADER.replace(b"bus.example", domain) + HANDSHAKE)
    assert handshake == Handshake(domain == b"bus.example")


def test_a_handshake_may_have_white_space_and_say_its_namespace() -> None:
    made = stream()
    _, handshake = made.receive(HEADER + b"<handshake xmlns='jabber:component:accept'>\n%b </handshake>" % PROOF)
    assert handshake == Handshake(True)


@pytest.mark.parametrize(
    ("sent", "condition"),
    [
        (MESSAGE, "not-authorized"),
        (b"<iq type='get' id='1' from='bus.example' to='localhost'><a xmlns='b'/></iq>", "not-authorized"),
        (b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>", "unsupported-stanza-type"),
        (b"<hello/>", "unsupported-stanza-type"),
        (b"hello", "bad-format"),
        (b"<!-- hello -->", "restricted-xml"),
        (b"<handshake></message>", "not-well-formed"),
        (b"<handshake>" + b"a" * UNPROVEN_LIMIT, "policy-violation"),
    ],
)
def test_nothing_comes_before_the_handshake(sent: bytes, condition: str) -> None:
    assert error(stream().receive(HEADER + sent)) == condition


@pytest.mark.parametrize(
    ("sent", "condition"),
    [
        (b"<message to='bob@localhost'/>", "improper-addressing"),
        (b"<message from='a@other.example' to='bob@localhost'/>", "invalid-from"),
        (b"<message from='a@sub.bus.example' to='bob@localhost'/>", "invalid-from"),
        (b"<message from='localhost' to='bob@localhost'/>", "invalid-from"),
        (HANDSHAKE, "unsupported-stanza-type"),
        (b"<hello/>", "unsupported-stanza-type"),
        (b"<message from='bus.example' to='bob@localhost'>" + b"<a>" * 100, "policy-violation"),
    ],
)
def test_what_is_illegal_after_it(sent: bytes, condition: str) -> None:
    made = proven()
    assert error(made.receive(MESSAGE + sent)) == condition
    assert made.receive(MESSAGE) == []


@pytest.mark.parametrize("sender", [b"bus.example", b"a@bus.example", b"a@BUS.example/x"])
def test_any_address_of_its_domain_is_its_own(sender: bytes) -> None:
    (item,) = proven().receive(MESSAGE.replace(b"a@bus.example", sender))
    assert isinstance(item, Stanza)
    assert item.sender == sender.lower().decode()


def test_an_address_that_is_none_is_the_stanza_s_flaw() -> None:
    (item,) = proven().receive(MESSAGE.replace(b"bob@localhost", b"@@"))
    assert isinstance(item, Stanza)
    assert item.flaw is not None
    assert item.sender == "bus.example"


def test_a_stanza_has_the_limit_of_the_configuration() -> None:
    long = MESSAGE.replace(b"hi", b"h" * 5000)
    assert [type(item) for item in proven().receive(long)] == [Stanza]
    assert error(proven(4000).receive(long)) == "policy-violation"


# Letters: what inherits the stream's namespace is the same on every stream


def letter(inside: bytes, tag: bytes = b"message from='a@bus.example' to='bob@localhost'") -> Stanza:
    (item,) = proven().receive(b"<%b>%b</%b>" % (tag, inside, tag.split()[0]))
    assert isinstance(item, Stanza), item
    return item


def test_names_are_those_of_a_client_s_stanza() -> None:
    item = letter(b"<body>hi</body><x xmlns='urn:x'/>")
    assert item.names == ("jabber:client body", "urn:x x")
    assert item.text("body") == "hi"
    assert item.letter == b"<body>hi</body><x xmlns='urn:x'/>"


@pytest.mark.parametrize("namespace", [b"jabber:client", b"jabber:component:accept"])
def test_a_stanza_may_say_its_namespace(namespace: bytes) -> None:
    item = letter(b"<body>hi</body>", b"message xmlns='%b' from='a@bus.example' to='bob@localhost' id='7'" % namespace)
    assert (item.kind, item.id, item.names, item.letter) == (
        "message",
        "7",
        ("jabber:client body",),
        b"<body>hi</body>",
    )


@pytest.mark.parametrize(
    "inside",
    [
        b"<body xmlns='jabber:component:accept'>hi</body>",
        b"<c:body xmlns:c='jabber:component:accept'>hi</c:body>",
        b"<body xmlns='jabber:client'>hi</body>",
        b"<f xmlns='urn:f'><message xmlns='jabber:component:accept'><body>jabber:component:accept</body></message></f>",
        b"<f xmlns='urn:f' a='jabber:component:accept'><g/></f>",
    ],
)
def test_what_says_the_stream_s_namespace_does_not_take_it_along(inside: bytes) -> None:
    item = letter(inside)
    wanted = inside.replace(b"xmlns='jabber:component:accept'", b"xmlns='jabber:client'")
    wanted = wanted.replace(b"xmlns:c='jabber:component:accept'", b"xmlns:c='jabber:client'")
    outside = b"<x xmlns='jabber:client'>%b</x>"
    assert infoset(outside % item.letter) == infoset(outside % wanted)


@pytest.mark.parametrize(
    ("inside", "seen"),
    [
        (b"<body>hi</body>", ["{jabber:component:accept}body"]),
        (b"<body xmlns='jabber:client'>hi</body>", ["{jabber:component:accept}body"]),
        (b"<a xmlns='urn:a'/>", ["{urn:a}a"]),
        (b"<f xmlns='urn:f'><message xmlns='jabber:client'/></f>", ["{urn:f}f", "{jabber:client}message"]),
    ],
)
def test_a_stanza_for_it_is_in_the_stream_s_namespace(inside: bytes, seen: list[str]) -> None:
    sent = stream().send(Stanza("message", JID.parse("bus.example"), JID.parse("a@b"), letter=inside))
    whole = parse(HEADER[HEADER.index(b"<stream") :] + sent + b"</stream:stream>")
    assert [element.tag for element in whole[0].iter()] == ["{jabber:component:accept}message", *seen]


# What is said


def test_the_answering_header_names_the_domain_and_the_id() -> None:
    made = stream()
    made.receive(HEADER)
    root = etree.fromstring(made.open() + made.accept() + made.close())
    assert (root.tag, root.get("from"), root.get("id")) == (
        "{http://etherx.jabber.org/streams}stream",
        "bus.example",
        ID,
    )
    assert [child.tag for child in root] == ["{jabber:component:accept}handshake"]


def test_an_error_in_the_header_comes_behind_one() -> None:
    made = stream()
    root = etree.fromstring(made.error(StreamError("host-unknown")))
    assert root[0][0].tag == "{urn:ietf:params:xml:ns:xmpp-streams}host-unknown"
    assert made.error(StreamError("host-unknown")) == made.close() == b""


def test_a_stream_ends_once() -> None:
    made = proven()
    assert made.close() == b""
    made.open()
    assert made.close() == b"</stream:stream>"
    assert made.close() == b""


# Cut anywhere, and garbage

STREAM = (
    HEADER
    + b"\n"
    + HANDSHAKE
    + MESSAGE
    + b" <iq type='get' id='2' from='bus.example' to='localhost'><q xmlns='urn:q' a='&gt;>'/></iq>"
    + b"<message from='bus.example' to='c@localhost'><body xmlns='jabber:component:accept'>1 > 2</body></message>"
    + b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
)


def test_a_stream_cut_anywhere_says_the_same() -> None:
    whole = told(stream().receive(STREAM))
    assert len(whole) == 7
    for at in range(1, len(STREAM)):
        made = stream()
        assert told(made.receive(STREAM[:at]) + made.receive(STREAM[at:])) == whole, STREAM[:at]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_so_it_does_in_small_pieces(size: int) -> None:
    made = stream()
    pieces = [made.receive(STREAM[at : at + size]) for at in range(0, len(STREAM), size)]
    assert told([event for piece in pieces for event in piece]) == told(stream().receive(STREAM))


def test_the_end_is_the_last() -> None:
    made = proven()
    assert made.receive(b"</stream:stream>" + MESSAGE) == [End()]
    assert made.receive(MESSAGE) == []


GARBAGE = st.lists(
    st.sampled_from(
        [HEADER, HANDSHAKE, MESSAGE, b"<handshake>", b"</handshake>", b"<", b">", b"'", b"</stream:stream>", b"\xff"]
    )
    | st.binary(max_size=8),
    max_size=20,
)


@given(GARBAGE, st.booleans())
def test_garbage_has_one_error_at_most_and_proves_nothing(pieces: list[bytes], begun: bool) -> None:
    made = stream()
    events = made.receive(HEADER) if begun else []
    for piece in pieces:
        events += made.receive(piece)
    wrong = [at for at, event in enumerate(events) if isinstance(event, StreamError) or event == Handshake(False)]
    assert wrong in ([], [len(events) - 1])
    first = next((at for at, event in enumerate(events) if isinstance(event, Stanza)), len(events))
    assert first == len(events) or Handshake(True) in events[:first]
