"""A stored message is what was sent, however it lies in the table."""

import pytest

from xmppd.modules.offline.record import pack, unpack
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Stanza, from_element, parse

ALICE, BOB = JID.parse("alice@localhost/desk"), JID.parse("bob@localhost")
BODY = b"<body>Art thou not Romeo, &amp; a Montague?</body>"
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
    extra = sorted((stanza.extra or {}).values())
    return stanza.kind, stanza.to, stanza.sender, stanza.type, stanza.id, stanza.lang, stanza.letter, extra


@pytest.mark.parametrize("stanza", MESSAGES.values(), ids=MESSAGES)
def test_a_message_is_what_it_was(stanza: Stanza) -> None:
    kept = unpack(pack(stanza))
    assert parts(kept) == parts(stanza)
    assert kept.names == stanza.names
    assert (kept.flaw, kept.passage) == (None, None)
    assert parts(from_element(parse(kept.data.replace(b"<message", b"<message xmlns='jabber:client'", 1)))) == (
        parts(from_element(parse(stanza.data.replace(b"<message", b"<message xmlns='jabber:client'", 1))))
    )


@pytest.mark.parametrize("stanza", MESSAGES.values(), ids=MESSAGES)
def test_one_element_more_is_its_last(stanza: Stanza) -> None:
    kept = unpack(pack(stanza), DELAY)
    assert kept.letter == stanza.letter + DELAY
    assert kept.names == (*stanza.names, "urn:xmpp:delay delay")
    assert kept.data.endswith(DELAY + b"</message>")


def test_it_goes_on_to_somebody_else() -> None:
    kept = unpack(pack(MESSAGES["a chat message"]))
    there = JID.parse("carol@localhost")
    assert parts(kept.replace(to=there)) == parts(MESSAGES["a chat message"].replace(to=there))
    assert kept.addressed(there).data == MESSAGES["a chat message"].addressed(there).data


def test_what_no_stanza_has_it_has_not() -> None:
    kept = unpack(pack(MESSAGES["a chat message"]))
    assert not hasattr(kept, "nothing")


def test_rows_of_the_first_layout_are_read() -> None:
    row = b"bob@localhost\0alice@localhost/desk\0chat\0m1\0en\0jabber:client body\0c\1d\2" + BODY
    stanza = unpack(row, DELAY)
    assert parts(stanza) == ("message", BOB, ALICE, "chat", "m1", "en", BODY + DELAY, ["d"])
    assert stanza.names == ("jabber:client body", "urn:xmpp:delay delay")
    assert parts(unpack(b"\0\0\0\0\0\0\2" + BODY)) == ("message", None, None, "", "", "", BODY, [])
