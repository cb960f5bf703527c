"""The slow road of framing: what prefixes on a tag must not change."""

from xmppd.wire.plain import plain_letter


def test_the_text_of_an_element_with_a_prefixed_attribute_stays() -> None:
    auth = (
        b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'"
        b" xmlns:ga='http://www.google.com/talk/protocol/auth' ga:client-uses-full-bind-result='true'>biwsbj1h</auth>"
    )
    assert plain_letter((("", "jabber:client"),), auth) == b"biwsbj1h"


def test_text_stays_escaped() -> None:
    assert plain_letter((("a", "urn:a"),), b"<a:b>2 &lt; 3 &amp; 4</a:b>") == b"2 &lt; 3 &amp; 4"
