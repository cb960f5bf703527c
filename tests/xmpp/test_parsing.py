"""Names that were made up do not stay in memory, and honest letters are read whatever was sent before."""

import subprocess
import sys

import pytest

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.parsing import TOKENS, parse

FLOOD = """
from xmppd.xmpp import parsing
from lxml import etree
size = etree.memory_debugger.dict_size
honest = b"<query xmlns='jabber:iq:roster'><item jid='a@b' name='A'><group>friends</group></item></query>"
parsing.parse(honest)
for turn in range(100):
    names = (b"<a%x.%x b%x='1' xmlns='urn:%x'/>" % (turn, n, n, n) for n in range(1000))
    letter = parsing.parse(b"<m>%b</m>" % b"".join(names))
    assert len(letter) == 1000
    assert letter[999].tag == f"{{urn:3e7}}a{turn:x}.3e7", letter[999].tag
full = size()
assert parsing.FULL <= full < 2 * parsing.FULL, full
assert parsing.parse(honest)[0].get("jid") == "a@b"
assert parsing.parse(b"<new-to-us/>").tag == "new-to-us"
assert size() == full
try:
    parsing.parse(b"<a" + b"a" * 60_000 + b"/>")
except parsing.StanzaError:
    pass
else:
    raise AssertionError("a limit of libxml2 is gone")
"""


def test_a_flood_of_names_ends_in_other_tables() -> None:
    subprocess.run([sys.executable, "-c", FLOOD], check=True)


def test_what_is_past_a_limit_of_the_library_is_a_stanza_error() -> None:
    with pytest.raises(StanzaError, match="policy-violation"):
        parse(b"<a" + b"a" * 60_000 + b"/>")


@pytest.mark.parametrize(
    ("xml", "tokens"),
    [
        (b"<a b='c' d = \"e\"><f:g h:i='j'/>text</a>", {b"<a", b"b", b"d", b"<f:g", b"h:i"}),
        (b"<a xmlns='urn:a' xmlns:b = \"urn:b\">k = v</a>", {b"<a", b"xmlns='urn:a'", b'xmlns:b = "urn:b"'}),
    ],
)
def test_names_and_namespaces_are_found(xml: bytes, tokens: set[bytes]) -> None:
    assert set(TOKENS.findall(xml)) == tokens


def test_looking_for_names_takes_no_longer_in_a_hostile_letter() -> None:
    assert len(TOKENS.findall(b"<a>" + b"x" * 1_000_000 + b" " * 1_000_000 + b"y " * 100_000 + b"</a>")) == 1
