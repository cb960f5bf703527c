"""The tag of <body/>, as careless and as malicious clients write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from xmppd.wire.bosh_body import HTTPBIND, RESTART, BadBody, Body, parse

BODY = f"<body rid='1' sid='a' xmlns='{HTTPBIND}'><presence xmlns='jabber:client'/></body>".encode()


def refused(xml: bytes) -> bool:
    try:
        parse(xml)
    except BadBody:
        return True
    return False


@pytest.mark.parametrize(
    ("xml", "attributes", "inner"),
    [
        (f"<body rid='1' xmlns='{HTTPBIND}'/>", {"rid": "1"}, b""),
        (f'<body  rid="1"  xmlns="{HTTPBIND}" ></body>', {"rid": "1"}, b""),
        (f"\n<?xml version='1.0' encoding='UTF-8'?>\n<body rid='1' xmlns='{HTTPBIND}'/>\n", {"rid": "1"}, b""),
        (f"<body\n\trid = '1'\n xmlns='{HTTPBIND}'\n/>", {"rid": "1"}, b""),
        (f"<b:body rid='1' xmlns:b='{HTTPBIND}'><a/></b:body>", {"rid": "1"}, b"<a/>"),
        (f"<body to='&lt;&#228;é&gt;' xmlns='{HTTPBIND}'/>", {"to": "<äé>"}, b""),
        (f"<body a='>' xmlns='{HTTPBIND}'><a/></body>", {"a": ">"}, b"<a/>"),
        (f"<body x:restart='true' xmlns:x='urn:xmpp:xbosh' xmlns='{HTTPBIND}'/>", {RESTART: "true"}, b""),
        (f"<body xml:lang='cs' xmlns='{HTTPBIND}'> <a/> </body >", {"xml:lang": "cs"}, b" <a/> "),
    ],
)
def test_it_is_read(xml: str, attributes: dict[str, str], inner: bytes) -> None:
    body = parse(xml.encode())
    assert (body.attributes, body.inner) == (attributes, inner)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"body",
        b"<body/>",
        b"<body xmlns='jabber:client'/>",
        BODY + b"x",
        BODY[:-1],
        BODY.replace(b"</body>", b"</b>"),
        BODY.replace(b"</body>", b"</x:body>"),
        BODY.replace(b"rid='1'", b"rid='1' rid='2'"),
        BODY.replace(b"rid='1'", b"rid='1' xmlns='urn:x'"),
        BODY.replace(b"rid='1'", b"rid='1' x:a='2'"),
        BODY.replace(b"rid='1'", b"rid='1' xmlns:a='u' xmlns:a='v'"),
        BODY.replace(b"rid='1'", b"rid='1' xmlns:a='u' xmlns:b='u' a:x='' b:x=''"),
        BODY.replace(b"rid='1'", b"rid='1' xmlns:stream='urn:x'"),
        BODY.replace(b"rid='1'", b"rid='\x01'"),
        BODY.replace(b"rid='1'", b"rid='\xff'"),
        BODY.replace(b"rid='1'", b"rid='&lol;'"),
        b"<?xml version='1.0' encoding='ISO-8859-1'?>" + BODY,
        b"<!DOCTYPE body [<!ENTITY a 'b'>]>" + BODY,
        b"<!-- a -->" + BODY,
        "<body rid='1' xmlns='http://jabber.org/protocol/httpbind'/>".encode("utf-16"),
    ],
)
def test_what_is_none_is_refused(xml: bytes) -> None:
    assert refused(xml)


def test_every_cut_is_refused() -> None:
    assert all(refused(BODY[:cut]) for cut in range(len(BODY)))


@pytest.mark.parametrize("rid", ["0", "-1", "+1", "1.0", "", "x", "٣", "9" * 17, str(2**53)])
def test_a_request_id_is_a_positive_number_within_bounds(rid: str) -> None:
    with pytest.raises(BadBody):
        Body({"rid": rid}, b"").rid  # noqa: B018


def test_the_largest_request_id_is_one() -> None:
    assert Body({"rid": str(2**53 - 1)}, b"").rid == 2**53 - 1


@given(st.dictionaries(st.sampled_from(["rid", "sid", "to", "key", "ack"]), st.text(max_size=20), max_size=4))
def test_attributes_are_what_a_parser_sees(attributes: dict[str, str]) -> None:
    try:
        element = etree.Element(f"{{{HTTPBIND}}}body", attributes, nsmap={None: HTTPBIND})  # type: ignore[dict-item]
    except ValueError:
        return  # no XML at all
    assert parse(etree.tostring(element)).attributes == dict(etree.fromstring(etree.tostring(element)).attrib)


@given(st.binary(max_size=200))
def test_garbage_is_refused(xml: bytes) -> None:
    assert refused(xml)
    assert refused(b"<body " + xml)
