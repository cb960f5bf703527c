"""The slow road of framing: what prefixes on a tag must not change."""

import pytest

from xmppd.wire.plain import plain_letter
from xmppd.xmpp.errors import StreamError


def test_the_text_of_an_element_with_a_prefixed_attribute_stays() -> None:
    auth = (
        b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'"
        b" xmlns:ga='http://www.google.com/talk/protocol/auth' ga:client-uses-full-bind-result='true'>biwsbj1h</auth>"
    )
    assert plain_letter((("", "jabber:client"),), auth) == b"biwsbj1h"


def test_text_stays_escaped() -> None:
    assert plain_letter((("a", "urn:a"),), b"<a:b>2 &lt; 3 &amp; 4</a:b>") == b"2 &lt; 3 &amp; 4"


def test_a_prefix_in_the_content_stays_declared() -> None:
    letter = plain_letter(
        (("xs", "urn:xs"), ("no", "urn:no")), b"<a:b xmlns:a='urn:a'><a:t type='xs:int'>xs:x</a:t></a:b>"
    )
    assert letter == b"<t xmlns:xs='urn:xs' type='xs:int'>xs:x</t>"


def test_an_element_in_no_namespace_stays_there() -> None:
    letter = plain_letter(
        (("", "jabber:client"),), b"<p:message xmlns:p='jabber:client'><a xmlns=''><b/></a></p:message>"
    )
    assert letter == b"<a xmlns=''><b></b></a>"


def test_declarations_that_multiply_are_refused() -> None:
    declared = b"".join(b" xmlns:a%d='%b'" % (n, b"u" * 100) for n in range(100))
    used = b" ".join(b"a%d:" % n for n in range(100))
    with pytest.raises(StreamError, match="policy-violation"):
        plain_letter((("", "jabber:client"),), b"<message%b>%b</message>" % (declared, b"<a b=' %b'/>" % used * 100))
