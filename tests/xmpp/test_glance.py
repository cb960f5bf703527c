"""What is read of a letter's first tag without opening it is what opening it would show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from xmppd.xmpp.glance import LONGEST, attributes
from xmppd.xmpp.stanza import Stanza

NAMES = ("ver", "node", "xml:lang", "a:b", "xmlns", "Ver")


def opened(letter: bytes, name: str) -> str | None:
    stanza = Stanza("iq", letter=letter)
    assert stanza.element is not None
    return stanza.attribute(name)


@pytest.mark.parametrize(
    ("letter", "found"),
    [
        (b"<query xmlns='jabber:iq:roster'/>", {"xmlns": "jabber:iq:roster"}),
        (b"<query\n xmlns='jabber:iq:roster' ver='' ></query>", {"xmlns": "jabber:iq:roster", "ver": ""}),
        (b'<q node="a b" ver="1"><r ver="3"/></q>', {"node": "a b", "ver": "1"}),
        (b"<q/>", {}),
    ],
)
def test_a_plain_tag_is_read(letter: bytes, found: dict[str, str]) -> None:
    assert attributes(letter) == found


@pytest.mark.parametrize(
    "letter",
    [
        b"",
        b"text<q ver='1'/>",
        b"<q ver='&amp;'/>",
        "<q ver='ü'/>".encode(),
        b"<q ver = '1'/>",
        b"<q ver='>'/>",
        b"<q ver='\"'/>",
        b"<q ver='\t'/>",
        b"<q-r ver='1'/>",
        b"<q ver='%b'/>" % (b"a" * LONGEST),
    ],
)
def test_any_other_is_left_to_a_parser(letter: bytes) -> None:
    assert attributes(letter) is None
    assert Stanza("iq", letter=letter).attribute("ver") == opened(letter, "ver")


VALUES = st.sampled_from(["", "1", "a b", "ü", "'", "&", "<", ">", "\t", "\n"]) | st.text(
    st.characters(min_codepoint=32, max_codepoint=1000), max_size=8
)


@given(st.dictionaries(st.sampled_from(["ver", "node", "Ver"]), VALUES), st.sampled_from(["q", "query", "ver"]), VALUES)
def test_whatever_a_tag_is_either_road_says_the_same(said: dict[str, str], tag: str, text: str) -> None:
    element = etree.Element(f"{{urn:x}}{tag}", said, nsmap={None: "urn:x", "a": "urn:a"})  # type: ignore[dict-item]
    element.set("{urn:a}b", "hidden")
    element.text = text
    for letter in (etree.tostring(element), etree.tostring(element, encoding="utf-8")):
        for name in NAMES[:2] + NAMES[5:]:
            assert Stanza("iq", letter=letter).attribute(name) == opened(letter, name) == said.get(name)
