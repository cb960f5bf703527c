"""Errors: each defined condition on the wire, with the type and the text that go with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from xmppd.xmpp.errors import NS_STANZAS, NS_STREAMS, STANZA_CONDITIONS, STREAM_CONDITIONS, StanzaError, StreamError
from xmppd.xmpp.namespaces import STREAM

TYPES = {"auth", "cancel", "continue", "modify", "wait"}
PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))


def stanza_error(error: StanzaError) -> etree._Element:
    return etree.fromstring(error.to_xml())


def stream_error(error: StreamError) -> etree._Element:
    return etree.fromstring(f"<stream:stream xmlns:stream='{STREAM}'>{error.to_xml()}</stream:stream>")[0]


@pytest.mark.parametrize("condition", STANZA_CONDITIONS)
def test_each_stanza_condition_has_a_type_of_the_rfc_and_comes_first(condition: str) -> None:
    element = stanza_error(StanzaError(condition))
    assert element.get("type") in TYPES
    assert [child.tag for child in element] == [f"{{{NS_STANZAS}}}{condition}"]


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ("forbidden", "auth"),
        ("bad-request", "modify"),
        ("service-unavailable", "cancel"),
        ("recipient-unavailable", "wait"),
    ],
)
def test_the_usual_type_goes_with_a_condition(condition: str, kind: str) -> None:
    assert StanzaError(condition).kind == kind


def test_another_type_can_be_given() -> None:
    assert stanza_error(StanzaError("service-unavailable", kind="wait")).get("type") == "wait"


def test_a_condition_that_no_rfc_defines_is_refused() -> None:
    with pytest.raises(KeyError):
        StanzaError("out-of-paper")
    with pytest.raises(ValueError, match="no stream error of RFC 6120"):
        StreamError("forbidden")


def test_a_text_for_people_and_a_condition_of_ones_own_follow() -> None:
    error = StanzaError("not-acceptable", "no more than 5", application="<limit xmlns='urn:example'/>")
    condition, text, application = stanza_error(error)
    assert condition.tag == f"{{{NS_STANZAS}}}not-acceptable"
    assert (text.tag, text.text) == (f"{{{NS_STANZAS}}}text", "no more than 5")
    assert application.tag == "{urn:example}limit"


@pytest.mark.parametrize("condition", sorted(STREAM_CONDITIONS))
def test_each_stream_condition_stands_in_a_stream_error(condition: str) -> None:
    element = stream_error(StreamError(condition, "why"))
    assert element.tag == f"{{{STREAM}}}error"
    assert [child.tag for child in element] == [f"{{{NS_STREAMS}}}{condition}", f"{{{NS_STREAMS}}}text"]


@given(PRINTABLE)
def test_no_text_can_break_out_of_its_error(text: str) -> None:
    found = stanza_error(StanzaError("bad-request", text)).findtext(f"{{{NS_STANZAS}}}text", "")
    assert found == text
    assert stream_error(StreamError("bad-format", text)).findtext(f"{{{NS_STREAMS}}}text", "") == text


@pytest.mark.parametrize("error", [StanzaError("bad-request", "why"), StreamError("bad-format", "why")])
def test_the_log_shows_condition_and_text(error: Exception) -> None:
    assert str(error) in ("bad-request: why", "bad-format: why")
