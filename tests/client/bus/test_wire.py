"""What the bus says and understands, letter by letter."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.client.bus.invalidation import EVERYTHING, MOST_IDS, Invalidation, invalidation
from xmppd.client.bus.wire import Mark, read_message, write_beat, write_done, write_invalidate, write_join

ROOM = "cache@conference.example.org"
MARK = Mark("web1", "1x7f", 118)
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


def from_room(text: str, nick: str = "web1") -> Element:
    """A stanza as the room passes it on."""
    xml = fromstring(text.replace("<message ", "<message xmlns='jabber:client' ", 1))
    xml.set("from", f"{ROOM}/{nick}")
    return xml


def plain(body: str, inside: str = "") -> Element:
    return from_room(f"<message type='groupchat'><body>{body}</body>{inside}</message>")


def test_the_example_of_the_page() -> None:
    what = invalidation(["user:42"], ["team:7"], ["img/"])
    assert write_invalidate(ROOM, MARK, what, confirm=True) == (
        "<message to=\"cache@conference.example.org\" type='groupchat' id='1x7f-118'>"
        "<body>user:42\n#team:7\nimg/*</body>"
        "<invalidate xmlns='urn:xmppd:bus:0' origin=\"web1\" epoch=\"1x7f\" seq='118' confirm='true'>"
        "<key>user:42</key><tag>team:7</tag><prefix>img/</prefix></invalidate>"
        "<store xmlns='urn:xmpp:hints'/></message>"
    )


@given(keys=st.sets(NAMES), tags=st.sets(NAMES), prefixes=st.sets(NAMES, min_size=1))
def test_what_is_written_is_read(keys: set[str], tags: set[str], prefixes: set[str]) -> None:
    what = invalidation(keys, tags, prefixes)
    heard = read_message(from_room(write_invalidate(ROOM, MARK, what, confirm=False)), ROOM)
    assert heard is not None
    assert (heard.invalidation, heard.mark, heard.confirm) == (what, MARK, False)


def test_a_body_alone_names_a_key_on_each_line() -> None:
    heard = read_message(plain("user:42\n  user:43  \n\n"), ROOM)
    assert heard is not None
    assert heard.invalidation.keys == {"user:42", "user:43"}
    assert heard.mark is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("<invalidate xmlns='urn:xmppd:bus:0'><all/></invalidate>", "everything"),
        ("<invalidate xmlns='urn:xmppd:bus:0'><regex>.*</regex></invalidate>", "words of a later version"),
        (f"<invalidate xmlns='urn:xmppd:bus:0'>{'<key>a</key>' * (MOST_IDS + 1)}</invalidate>", "more than we read"),
    ],
)
def test_what_drops_everything(said: str, why: str) -> None:
    heard = read_message(plain("x", said), ROOM)
    assert heard is not None
    assert heard.invalidation == EVERYTHING, why


@pytest.mark.parametrize("attributes", ["", "origin='web1' epoch='1' seq='-1'", "origin='web1' epoch='1' seq='٣'"])
def test_a_mark_that_is_none_still_invalidates(attributes: str) -> None:
    said = f"<invalidate xmlns='urn:xmppd:bus:0' {attributes}><key>a</key></invalidate>"
    heard = read_message(plain("a", said), ROOM)
    assert heard is not None
    assert heard.mark is None
    assert heard.invalidation.keys == {"a"}


def test_nobody_counts_for_another() -> None:
    heard = read_message(from_room(write_invalidate(ROOM, MARK, EVERYTHING, confirm=False), nick="mallory"), ROOM)
    assert heard is not None
    assert heard.mark is None
    assert read_message(from_room(write_beat(ROOM, MARK), nick="mallory"), ROOM) is None


def test_only_the_room_numbers_its_archive() -> None:
    ids = "<stanza-id xmlns='urn:xmpp:sid:0' by='{}' id='{}'/>"
    heard = read_message(plain("a", ids.format("mallory@example.org", "1") + ids.format(ROOM, "2")), ROOM)
    assert heard is not None
    assert heard.archived == "2"


def test_a_beat_and_a_done() -> None:
    beat = read_message(from_room(write_beat(ROOM, MARK)), ROOM)
    done = read_message(from_room(write_done(f"{ROOM}/web1", MARK), nick="web2"), ROOM)
    assert beat is not None
    assert done is not None
    assert (beat.kind, beat.mark) == ("beat", MARK)
    assert (done.kind, done.mark, done.sender) == ("done", MARK, f"{ROOM}/web2")


def test_who_hears_of_resets_does_not_mind() -> None:
    beat = read_message(from_room(write_beat(ROOM, MARK, 3)), ROOM)
    assert beat is not None
    assert beat.mark == MARK
    assert " resets='3'/>" in write_join(f"{ROOM}/web1", MARK, 10.0, 3)


@pytest.mark.parametrize(
    "text",
    [
        "<message type='groupchat'><subject>hello</subject></message>",
        "<message type='error'><body>user:42</body></message>",
        "<message type='chat'><body>user:42</body></message>",
        "<message type='groupchat'><body/></message>",
    ],
)
def test_what_says_nothing(text: str) -> None:
    assert read_message(from_room(text), ROOM) is None


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\nb", "x" * 1001, "\x00", 42])
def test_a_name_that_cannot_be_sent(name: str) -> None:
    with pytest.raises(ValueError, match=r"name has 1 to|one line|is a str"):
        invalidation([name])


def test_nothing_is_no_invalidation() -> None:
    with pytest.raises(ValueError, match="at least one"):
        invalidation()


@given(st.sets(st.text("ab", min_size=1, max_size=1000), max_size=40), st.sets(NAMES, max_size=1200))
def test_parts_are_small_and_make_the_whole(keys: set[str], tags: set[str]) -> None:
    what = Invalidation(frozenset(keys), frozenset(tags))
    parts = list(what.split())
    whole = Invalidation()
    for part in parts:
        assert len(write_invalidate(ROOM, MARK, part, confirm=True).encode()) < 65536
        whole |= part
    assert whole == what
    assert sum(map(len, parts)) == len(what)
