"""Acknowledgements are recognised by their bytes, and only where they are what they look like."""

import pytest

from tests.wire.streams import MESSAGE, framer, told
from xmppd.wire.acks import at_the_end

A = b"<a xmlns='urn:xmpp:sm:3' h='7'/>"
R = b"<r xmlns='urn:xmpp:sm:3'/>"
LONG = b"<a xmlns='urn:xmpp:sm:3' h='7' ></a>"


@pytest.mark.parametrize(
    "data",
    [
        A,
        R,
        A + R,
        MESSAGE + R,
        MESSAGE + A + R,
        MESSAGE + A + R + A + R + A + R,
        A + MESSAGE + R,
        MESSAGE + R * 8,
        MESSAGE + R * 9,
        MESSAGE + (A + R) * 100,
        b"<message id='x'>" + R * 100,
        b'<a xmlns="urn:xmpp:sm:3" h="0" />',
        b"<a xmlns='urn:xmpp:sm:3' h='4294967295'/>" + R,
        b"<message><body><![CDATA[" + A + b"]]></body></message>" + R,
        b"<message><x>" + R + b"</x></message>" + A,
        b"<message id='x'>" + A + R,
        b"<message><body><![CDATA[" + A,
        b"<message id='" + A,
        MESSAGE + b"text" + R,
        b" \n" + R,
        R + b"</stream:stream>",
    ],
)
def test_what_comes_at_once_is_what_comes_byte_by_byte(data: bytes) -> None:
    whole, slow = framer(), framer()
    at_once = told(whole.feed(data))
    byte_by_byte = [each for at in range(len(data)) for each in told(slow.feed(data[at : at + 1]))]
    assert at_once == byte_by_byte
    assert told(whole.feed(MESSAGE)) == told(slow.feed(MESSAGE))


@pytest.mark.parametrize("data", [LONG, A.replace(b"sm:3", b"sm:2"), b"<a h='7' xmlns='urn:xmpp:sm:3'/>", MESSAGE, b""])
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    assert at_the_end(data) == (len(data), [])


def test_those_that_others_write_are_the_same() -> None:
    assert told(framer().feed(A)) == told(framer().feed(LONG))


@pytest.mark.parametrize("before", [b"", MESSAGE, MESSAGE.replace(b"hi", b"&amp;")], ids=["alone", "plain", "parsed"])
@pytest.mark.parametrize("limit", [65536, 262144])
def test_ten_thousand_at_once_are_as_many(before: bytes, limit: int) -> None:
    *_, last = items = framer(limit).feed(before + R * 10_000)
    assert len(items) == 10_000 + bool(before)
    assert told([last]) == told(framer().feed(R))
