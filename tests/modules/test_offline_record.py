"""A stored message is what was sent, however it lies in the table."""

import pytest

from xmppd.modules.offline.record import pack, unpack
from xmppd.xmpp.jid import JID
from xmppd.xmpp.passage import STORED
from xmppd.xmpp.stanza import Stanza

ALICE, BOB = JID.parse("alice@localhost/desk"), JID.parse("bob@localhost")
BODY = b"<body>Art thou not Romeo, &amp; a Montague?</body>"
DELAYED = "urn:xmpp:delay delay"
DELAY = b"<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>"

MESSAGES = {
    "a chat message": Stanza("message", BOB, ALICE, "chat", "m1", "en", BODY),
    "one without an id": Stanza("message", BOB, ALICE, "chat", letter=BODY),
    "one of a server": Stanza("message", BOB, JID.parse("localhost"), letter=BODY),
    "one from nobody": Stanza("message", BOB, letter=BODY),
    "an empty one": Stanza("message", BOB, ALICE, "chat", "m1"),
    "addresses with quotes": Stanza("message", JID.parse('bob@localhost/"'), JID.parse("b@c/<&'>"), "", "m1", "", BODY),
    "an id with everything": Stanza("message", BOB, ALICE, "chat", "<a>='b'&\"\n", "en-GB", BODY),
    "further attributes": Stanza(
        "message", BOB, ALICE, "chat", "m1", "", BODY, extra={"xmlns:a0": "urn:a", "a0:b": "1 > 0", "c": "d"}
    ),
    "letters of many bytes": Stanza("message", BOB, ALICE, "chat", "ü", "", "<body>€ 𝄞 é</body>".encode()),
}


def parts(stanza: Stanza) -> tuple[object, ...]:
    envelope = stanza.kind, stanza.to, stanza.sender, stanza.type, stanza.id, stanza.lang, stanza.extra
    return *envelope, stanza.letter, stanza.names


@pytest.mark.parametrize("stanza", MESSAGES.values(), ids=MESSAGES)
def test_a_message_is_what_it_was(stanza: Stanza) -> None:
    kept = unpack(pack(stanza))
    assert parts(kept) == parts(stanza)
    assert (kept.flaw, kept.passage) == (None, None)
    assert pack(kept) == pack(stanza)


@pytest.mark.parametrize("stanza", MESSAGES.values(), ids=MESSAGES)
def test_one_element_more_is_its_last(stanza: Stanza) -> None:
    kept = unpack(pack(stanza), DELAY, DELAYED)
    assert kept.letter == stanza.letter + DELAY
    assert kept.names == (*stanza.names, DELAYED)
    assert kept.data == stanza.with_child(DELAY.decode(), DELAYED).data


def test_it_goes_on_to_somebody_else() -> None:
    chat, there = MESSAGES["a chat message"], JID.parse("carol@localhost")
    assert parts(unpack(pack(chat)).replace(to=there)) == parts(chat.replace(to=there))
    assert unpack(pack(chat)).addressed(there).data == chat.addressed(there).data


def test_its_passage_stays_when_it_is_read() -> None:
    kept = unpack(pack(MESSAGES["a chat message"]))
    kept.passage = STORED
    assert kept.id == "m1"
    assert kept.passage is STORED


def test_what_only_goes_out_is_not_read() -> None:
    kept = unpack(b"<message from='@' to='bob@localhost'>" + BODY, DELAY)
    assert kept.data == b"<message from='@' to='bob@localhost'>" + BODY + DELAY + b"</message>"
    assert kept.flaw is not None, "now it is read, and its sender has no address any more"
    assert kept.flaw.condition == "jid-malformed"


ODD = {
    "a namespace that is no URI": b"<message><x xmlns='urn:%'/>",
    "an id that is no name": b"<message xml:id='1 2'><body>hi</body>",
    "a long name": b"<message><%b xmlns='urn:x'/>" % (b"x" * 60_000),
}


@pytest.mark.parametrize("packed", ODD.values(), ids=ODD)
def test_what_libxml2_would_not_read_is_read(packed: bytes) -> None:
    assert unpack(packed, DELAY, DELAYED).names[-1] == DELAYED


def test_what_no_stanza_has_it_has_not() -> None:
    assert not hasattr(unpack(pack(MESSAGES["a chat message"])), "nothing")


def test_rows_of_the_first_layout_are_read() -> None:
    row = b"bob@localhost\0alice@localhost/desk\0chat\0m1\0en\0jabber:client body\0c\1d\2" + BODY
    sent = Stanza("message", BOB, ALICE, "chat", "m1", "en", BODY, extra={"c": "d"})
    assert parts(unpack(row, DELAY, DELAYED)) == parts(sent.with_child(DELAY.decode(), DELAYED))
    assert parts(unpack(b"\0\0\0\0\0\0\2" + BODY)) == parts(Stanza("message", letter=BODY, names=()))
