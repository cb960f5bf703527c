"""The pool of parsers."""

from tests.wire.streams import HEADER, fed, framer
from xmppd.wire.framer import Framer, Stanza
from xmppd.wire.parsers import Parsers

MESSAGE = b"<message to='bob@localhost' id='1'><body>needs &lt;a parser&gt;</body></message>"


def idle(parsers: Parsers) -> int:
    return sum(len(kept) for kept in parsers._idle.values())


def context(number: int) -> bytes:
    return HEADER[:-1] + b" xmlns:a='urn:%d'>" % number


def test_a_thousand_streams_share_a_few_parsers() -> None:
    parsers = Parsers()
    readers = [framer(parsers=parsers) for _ in range(1000)]
    for reader in readers:
        assert len(reader.feed(MESSAGE)) == 1
    assert idle(parsers) <= 4
    assert len({id(reader._context) for reader in readers}) == 1


def test_streams_in_the_middle_have_their_own() -> None:
    parsers = Parsers()
    readers = [framer(parsers=parsers) for _ in range(10)]
    for reader in readers:
        reader.feed(MESSAGE[:30] + b">")
    assert len({id(reader._cutter) for reader in readers} - {id(None)}) in (0, 10)
    for reader in readers:
        reader.feed(b"'><body>")
    for reader in readers:
        reader.restart()
    assert idle(parsers) <= 4


def test_no_more_contexts_are_kept_than_there_may_be() -> None:
    parsers = Parsers()
    for number in range(200):
        assert len(fed([context(number), MESSAGE], Framer(parsers))) == 2
    assert len(parsers._idle) <= Parsers.CONTEXTS
    assert len(parsers._contexts) <= Parsers.CONTEXTS


def test_a_newcomer_finds_room() -> None:
    parsers = Parsers()
    for number in range(200):
        fed([context(number), MESSAGE], Framer(parsers))
    honest = framer(parsers=parsers)
    honest.feed(MESSAGE)
    before = idle(parsers)
    honest.feed(b"<message><body>")
    assert idle(parsers) == before - 1


def test_streams_of_other_namespaces_never_get_the_same_parser() -> None:
    parsers = Parsers()
    one, other = (framer(parsers=parsers, header=context(number)) for number in (1, 2))
    for _ in range(3):
        (first,), (second,) = one.feed(b"<message><a:x/></message>"), other.feed(b"<message><a:x/></message>")
        assert isinstance(first, Stanza)
        assert isinstance(second, Stanza)
        assert (first.names, second.names) == (("urn:1 x",), ("urn:2 x",))
