"""Addresses at and past every limit of RFC 7622."""

import pickle
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.xmpp import jid
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import CACHED, JID, LONGEST_CACHED, nodeprep, resourceprep


def refused(text: str, prepare: Callable[[str], str] = JID.parse) -> str:
    with pytest.raises(StanzaError) as caught:
        prepare(text)
    assert caught.value.condition == "jid-malformed"
    return caught.value.text


def taken(text: str) -> JID | None:
    with suppress(StanzaError):
        return JID.parse(text)
    return None


class TestExamples:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("juliet@example.com", ("juliet", "example.com", "")),
            ("juliet@example.com/foo", ("juliet", "example.com", "foo")),
            ("juliet@example.com/foo bar", ("juliet", "example.com", "foo bar")),
            ("juliet@example.com/foo@bar", ("juliet", "example.com", "foo@bar")),
            (r"foo\20bar@example.com", (r"foo\20bar", "example.com", "")),
            ("fussball@example.com", ("fussball", "example.com", "")),
            ("\u03c0@example.com", ("\u03c0", "example.com", "")),
            ("\u03a3@example.com/foo", ("\u03c3", "example.com", "foo")),
            ("\u03c3@example.com/foo", ("\u03c3", "example.com", "foo")),
            ("king@example.com/\u265a", ("king", "example.com", "\u265a")),
            ("example.com", ("", "example.com", "")),
            ("example.com/foobar", ("", "example.com", "foobar")),
            ("a.example.com/b@example.net", ("", "a.example.com", "b@example.net")),
        ],
    )
    def test_what_table_1_of_the_rfc_shows_is_taken_apart(self, text: str, parts: tuple[str, str, str]) -> None:
        address = JID.parse(text)
        assert (address.local, address.domain, address.resource) == parts

    @pytest.mark.parametrize(
        "text",
        [
            '"juliet"@example.com',
            "foo bar@example.com",
            "juliet@example.com/ foo",
            "@example.com/",
            "\u265a@example.com",
            "juliet@",
            "/foobar",
        ],
    )
    def test_what_table_2_of_the_rfc_shows_is_refused(self, text: str) -> None:
        refused(text)

    def test_the_first_slash_ends_the_domain(self) -> None:
        address = JID.parse("a@b/c/d@e/f")
        assert (address.local, address.domain, address.resource) == ("a", "b", "c/d@e/f")


class TestLength:
    @pytest.mark.parametrize("letter", ["a", "\u00e9", "\u4e2d", "\U00020000"])
    def test_a_local_or_resource_part_has_1023_bytes_and_no_more(self, letter: str) -> None:
        size = len(letter.encode())
        full = letter * (1023 // size) + "a" * (1023 % size)
        for text, longer in ((f"{full}@b", f"{full}a@b"), (f"b/{full}", f"b/{full}a")):
            assert JID.parse(text) == text
            assert "longer than 1023 bytes" in refused(longer) or "too long" in refused(longer)

    def test_a_domain_has_1023_bytes_and_no_more(self) -> None:
        full = ".".join(["a" * 63] * 16)[:-1] + "b"
        assert len(full) == 1023
        assert JID.parse(full).domain == full
        assert "longer than 1023 bytes" in refused(f"{full[:-64]}.{'b' * 60}.c.d.e")

    def test_all_three_parts_may_be_full_at_once(self) -> None:
        text = f"{'a' * 1023}@{'.'.join(['a' * 63] * 16)}/{'a' * 1023}"
        assert len(JID.parse(text)) == 3071

    def test_a_label_has_63_bytes_and_no_more(self) -> None:
        assert JID.parse(f"{'a' * 63}.example")
        refused(f"{'a' * 64}.example")
        refused("\u00fc" * 60 + ".example")

    def test_what_is_long_only_before_it_is_prepared_is_short_enough(self) -> None:
        assert JID.parse("b/" + "\u00ad" * 2000 + "x").resource == "x"

    def test_what_is_long_only_once_it_is_prepared_is_too_long(self) -> None:
        refused("b/" + "\ufdfa" * 300)  # one letter that stands for eighteen

    @pytest.mark.parametrize("text", ["a" * 10_000_000, "\u00fc" * 1_000_000, "." * 1_000_000, "\u3002" * 1_000_000])
    def test_nobody_can_keep_the_server_busy_with_one_address(self, text: str) -> None:
        for where in (text, f"{text}@b", f"a@{text}"):
            refused(where)


class TestEmpty:
    @pytest.mark.parametrize("text", ["", "@", "/", "@/", "@b", "a@", "a@/c", "b/", "a@b/", "/c", "@b/c", ".", "a@."])
    def test_a_part_that_is_announced_has_to_come(self, text: str) -> None:
        refused(text)

    @pytest.mark.parametrize("text", ["\u00ad@b", "a@\u00ad", "b/\u00ad"])
    def test_a_part_of_nothing_visible_is_empty(self, text: str) -> None:
        refused(text)


class TestCharacters:
    @pytest.mark.parametrize(
        "character", "\"&'/:<>@ \x00\n\x7f\x85\u00a0\u2028\u202e\u2460\u265a\U0001f427\ue000\ufffd"
    )
    def test_what_a_localpart_cannot_have(self, character: str) -> None:
        address = taken(f"x{character}x@b")
        assert address is None or character not in address.local

    @pytest.mark.parametrize("character", "!#$%*+,-.;=?[\\]^_`{|}~0")
    def test_what_a_localpart_can_have(self, character: str) -> None:
        assert JID.parse(f"x{character}x@b").local == f"x{character}x"

    @pytest.mark.parametrize(
        "character", "\x00\t\n\r\x1f\x7f\x85\u2028\u2029\u200e\u202e\u1100\ue000\uffff\ud800\U000e0001"
    )
    def test_what_a_resourcepart_cannot_have(self, character: str) -> None:
        for text in (f"b/x{character}x", f"b/x{character}", f"b/{character}"):
            assert f"U+{ord(character):04X}" in refused(text)

    @pytest.mark.parametrize("character", ["\U0001f427", "\u265a", "\u05d0", "1", "<", "'", "/", "@", ":", "\u0323a"])
    def test_what_a_resourcepart_can_have(self, character: str) -> None:
        assert JID.parse(f"b/x{character}").resource == f"x{character}"

    def test_a_right_to_left_resource_may_end_in_a_digit(self) -> None:
        assert JID.parse("b/\u05e9\u05dc\u05d5\u05dd1").resource == "\u05e9\u05dc\u05d5\u05dd1"

    @pytest.mark.parametrize("space", ["\u00a0", "\u1680", "\u2003", "\u3000"])
    def test_each_kind_of_space_in_a_resource_is_a_space(self, space: str) -> None:
        assert JID.parse(f"b/x{space}y").resource == "x y"

    def test_variation_selectors_and_joiners_do_not_count(self) -> None:
        assert JID.parse("b/\u2764\ufe0f").resource == "\u2764"

    @pytest.mark.parametrize("text", ["\ud800@b", "a@\ud800", "a\udcff@b", "b/\udfff"])
    def test_half_a_character_is_refused(self, text: str) -> None:
        refused(text)


class TestCase:
    def test_local_and_domain_are_folded_and_the_resource_is_not(self) -> None:
        assert JID.parse("Juliet@Example.COM/Balcony") == "juliet@example.com/Balcony"

    @pytest.mark.parametrize(
        ("one", "other"), [("\u00c9", "\u00e9"), ("\u0416", "\u0436"), ("\uff21", "a"), ("\u212b", "\u00e5")]
    )
    def test_letters_of_all_alphabets_fold(self, one: str, other: str) -> None:
        assert JID.parse(f"{one}@b") == JID.parse(f"{other}@b") == f"{other}@b"

    @pytest.mark.parametrize("letter", ["\u1d2c", "\u03f9"])
    def test_a_letter_that_would_become_a_capital_is_refused(self, letter: str) -> None:
        refused(f"{letter}dmin@b")

    def test_composed_and_decomposed_letters_are_one(self) -> None:
        assert JID.parse("e\u0301@b/e\u0301") == "\u00e9@b/\u00e9"


class TestDomain:
    @pytest.mark.parametrize(
        ("text", "domain"),
        [
            ("example.com.", "example.com"),
            ("EXAMPLE.com", "example.com"),
            ("b\u00fccher.example", "b\u00fccher.example"),
            ("B\u00dcCHER.example.", "b\u00fccher.example"),
            ("xn--bcher-kva.example", "b\u00fccher.example"),
            ("XN--BCHER-KVA.example", "b\u00fccher.example"),
            ("bu\u0308cher.example", "b\u00fccher.example"),
            ("\u4e2d\u56fd\u3002example", "\u4e2d\u56fd.example"),
            ("\uff45xample.com", "example.com"),
            ("stra\u00dfe.example", "stra\u00dfe.example"),
            ("my_container", "my_container"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:DB8:0:0::1]", "[2001:db8::1]"),
        ],
    )
    def test_one_name_has_one_form(self, text: str, domain: str) -> None:
        assert JID.parse(f"a@{text}/c").domain == domain
        assert JID.parse(domain) == domain

    @pytest.mark.parametrize(
        "text",
        [
            "a..b",
            ".a",
            "a..",
            "-a",
            "a-",
            "a.-b",
            "a b",
            "a:5222",
            "a\n",
            "1.2.3.4 x",
            "a@b@c",
            "<a>",
            "xn--a",
            "xn--999999999",
            "xn--",
            "\u2603.net",
            "\u200d",
            "a\u0338b<",
            "\uff20",
            "a\uff0fb",
            "[::1",
            "[::1]x",
            "[::g]",
            "[::1%eth0]",
            "[127.0.0.1]",
            "[]",
        ],
    )
    def test_what_is_no_domain_is_refused(self, text: str) -> None:
        refused(text)
        refused(f"a@{text}" if "@" not in text else text)


class TestString:
    def test_an_address_is_the_string_it_prepares_to(self) -> None:
        address = JID.parse("Juliet@Example.com/x")
        assert isinstance(address, str)
        assert {address: 1}["juliet@example.com/x"] == 1
        assert f"{address}" == "juliet@example.com/x"

    def test_bare_drops_the_resource_and_is_itself_without_one(self) -> None:
        full = JID.parse("a@b/c")
        assert (full.bare, full.bare.local, full.bare.resource) == ("a@b", "a", "")
        assert full.bare is full.bare
        assert full.bare.bare is full.bare
        assert JID.parse("b/c").bare == "b"

    def test_a_resource_can_be_changed_for_another(self) -> None:
        assert JID.parse("a@b/c").with_resource("d") == JID.parse("a@b/d")
        assert JID.parse("a@b").with_resource("d").bare == "a@b"

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_an_address_can_be_pickled(self, protocol: int) -> None:
        address = JID.parse("a@b/c")
        copy = pickle.loads(pickle.dumps(address, protocol))
        assert type(copy) is JID
        assert (copy, copy.local, copy.domain, copy.resource, copy.bare) == (address, "a", "b", "c", "a@b")


class TestParts:
    @pytest.mark.parametrize("text", ["a@b", "a/b", "", "a b", "a" * 1024, "\ud800"])
    def test_what_is_no_localpart_is_refused(self, text: str) -> None:
        refused(text, nodeprep)

    @pytest.mark.parametrize("text", ["", "\n", " a", "a" * 1024, "\ud800"])
    def test_what_is_no_resourcepart_is_refused(self, text: str) -> None:
        refused(text, resourceprep)

    def test_parts_are_prepared_as_in_an_address(self) -> None:
        assert nodeprep("Juliet") == "juliet"
        assert resourceprep("Balcony/1@2") == "Balcony/1@2"


class TestCache:
    def test_it_holds_a_bounded_number_of_addresses(self) -> None:
        assert jid._parse.cache_info().maxsize == CACHED

    def test_an_address_of_kilobytes_takes_no_room_in_it(self) -> None:
        before = jid._parse.cache_info().currsize
        for number in range(100):
            JID.parse(f"a@b/{number:0{LONGEST_CACHED}}")
        assert jid._parse.cache_info().currsize == before

    def test_a_common_address_is_prepared_once(self) -> None:
        assert JID.parse("a@b/cached") is JID.parse("a@b/cached")


# Any text at all, with what makes trouble more often than chance would have it.
ODD = (
    "@/.: -xn\u00ad\u200d\u3002\uff0e\uff0f\uff20\u00df\u03c2\u0130\u0345\u1d2c"
    "\u1e9e\u05d0\u0661\u1100\u1161\ufb01\ufdfa\u2460"
)
TEXT = st.text(st.one_of(st.characters(), st.sampled_from(ODD)), max_size=12)
ADDRESS = st.one_of(
    st.text(max_size=20),
    st.builds("{}@b".format, TEXT),
    st.builds("a@{}".format, TEXT),
    st.builds("a@xn--{}".format, TEXT),
    st.builds("b/{}".format, TEXT),
    st.builds("{}@{}/{}".format, TEXT, TEXT, TEXT),
)


@given(ADDRESS)
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    address = taken(text)
    if address is None:
        refused(text)
    else:
        assert address.domain


@given(ADDRESS)
def test_what_is_prepared_stays_as_it_is(text: str) -> None:
    address = taken(text)
    if address is not None:
        again = JID.parse(str(address))
        assert again == address
        assert (again.local, again.domain, again.resource) == (address.local, address.domain, address.resource)


@given(ADDRESS)
def test_no_part_of_an_address_can_break_out_of_it(text: str) -> None:
    address = taken(text)
    if address is not None:
        assert not set(address.local) & set("\"&'/:<>@ ")
        assert not set(address.domain) & set("\"&'/<>@ ")
        assert not any(ord(character) < 32 for character in address)
        assert all(len(part.encode()) <= 1023 for part in (address.local, address.domain, address.resource))


@given(ADDRESS)
def test_a_pickled_address_is_the_same(text: str) -> None:
    address = taken(text)
    if address is not None:
        assert pickle.loads(pickle.dumps(address)) == address
