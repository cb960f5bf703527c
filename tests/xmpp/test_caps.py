"""Entity capabilities: the verification strings of XEP-0115 and what must not pass for another's."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from xmppd.xmpp.caps import HASHES, NS_CAPS, Announcement, Disco, Identity
from xmppd.xmpp.forms import Element, plain

CAPS = "http://jabber.org/protocol/caps"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
MUC = "http://jabber.org/protocol/muc"

EXODUS = Disco((Identity("client", "pc", "Exodus 0.9.1"),), (MUC, INFO, CAPS, ITEMS))
PSI_XML = f"""
<query xmlns='{INFO}' node='http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w='>
  <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
  <identity xml:lang='el' category='client' name='\u03a8 0.11' type='pc'/>
  <feature var='{CAPS}'/><feature var='{INFO}'/><feature var='{ITEMS}'/><feature var='{MUC}'/>
  <x xmlns='jabber:x:data' type='result'>
    <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
    <field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value></field>
    <field var='os'><value>Mac</value></field>
    <field var='os_version'><value>10.5.1</value></field>
    <field var='software'><value>Psi</value></field>
    <field var='software_version'><value>0.11</value></field>
  </x>
</query>"""
PSI = Disco.from_element(etree.fromstring(PSI_XML))


def software(form_type: str = "urn:xmpp:dataforms:softwareinfo", **values: str) -> Element:
    return plain("result", form_type, values)


def test_the_simple_example_of_the_xep() -> None:
    assert EXODUS.ver() == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_the_complex_example_of_the_xep() -> None:
    assert PSI.ver() == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_what_was_announced_is_checked_against_what_was_answered() -> None:
    assert EXODUS.matches("QgayPKawpkPSDYmwT/WM94uAlu0=")
    assert not EXODUS.matches("q07IKJEyjvHSyhy//CH0CxmKi8w=")
    assert not replace(EXODUS, features=(MUC,)).matches("QgayPKawpkPSDYmwT/WM94uAlu0=")


@pytest.mark.parametrize("algorithm", HASHES)
def test_each_hash_gives_a_string_of_its_own(algorithm: str) -> None:
    ver = EXODUS.ver(algorithm)
    assert EXODUS.matches(ver, algorithm)
    assert [other for other in HASHES if EXODUS.matches(ver, other)] == [algorithm]


@pytest.mark.parametrize("algorithm", ["md5", "", "sha1", "SHA-1"])
def test_a_hash_that_is_not_known_is_not_believed(algorithm: str) -> None:
    assert not EXODUS.matches(EXODUS.ver(), algorithm)
    with pytest.raises(ValueError, match="none of the hashes"):
        EXODUS.ver(algorithm)


def test_it_reads_back_as_it_was_written() -> None:
    query = PSI.to_element("http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w=")
    wire = etree.fromstring(etree.tostring(query))
    assert wire.get("node") == "http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w="
    read = Disco.from_element(wire)
    assert (read.identities, read.features) == (PSI.identities, PSI.features)
    assert read.ver() == PSI.ver()


def test_writing_leaves_the_forms_where_they_are() -> None:
    form = software(os="Mac")
    disco = Disco(forms=(form,))
    disco.to_element()
    assert form.getparent() is None
    assert disco.to_element()[0].tag == form.tag


def test_a_form_without_a_hidden_form_type_counts_for_nothing() -> None:
    shown = etree.fromstring(
        "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>a</value></field>"
        "<field var='os'><value>Mac</value></field></x>"
    )
    assert replace(EXODUS, forms=(shown, plain("result", "", {"os": "Mac"}))).ver() == EXODUS.ver()


@pytest.mark.parametrize(
    "disco",
    [
        Disco((Identity("client", "pc"), Identity("client", "pc"))),
        Disco((Identity("", "pc"),)),
        Disco((Identity("client", ""),)),
        Disco(features=(MUC, MUC)),
        Disco(features=("",)),
        Disco(forms=(software(os="Mac"), software(os="Linux"))),
        Disco(forms=(etree.fromstring("<x xmlns='jabber:x:data'/>"),)),
        Disco(
            forms=(
                etree.fromstring(
                    "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>a</value>"
                    "<value>b</value></field></x>"
                ),
            )
        ),
        Disco((Identity("client", "pc", f"Exodus<{MUC}"),)),
        Disco((Identity("client", "pc/en"),)),
        Disco(features=(f"{MUC}<{INFO}",)),
        Disco(forms=(software("a<b"),)),
        Disco(forms=(software(os="Mac<os_version<1"),)),
    ],
)
def test_an_ill_formed_answer_has_no_string(disco: Disco) -> None:
    assert disco.flaw()
    assert not disco.matches("")
    with pytest.raises(ValueError, match=r"."):
        disco.ver()


def test_one_name_in_two_languages_and_one_form_type_said_twice_are_in_order() -> None:
    assert not PSI.flaw()
    twice = etree.fromstring(
        "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>a</value>"
        "<value>a</value></field></x>"
    )
    assert not Disco(forms=(twice,)).flaw()


def test_an_announcement_is_found_in_a_presence() -> None:
    presence = etree.fromstring(
        f"<presence><c xmlns='{NS_CAPS}' hash='sha-1' node='http://psi-im.org' ver='q0='/></presence>"
    )
    found = Announcement.find(presence)
    assert found == Announcement("http://psi-im.org", "q0=")
    assert found.query_node == "http://psi-im.org#q0="
    assert etree.tostring(found.to_element()) == etree.tostring(presence[0])


def test_an_announcement_before_version_1_4_has_no_hash() -> None:
    presence = etree.fromstring(
        f"<presence><c xmlns='{NS_CAPS}' node='http://psi-im.org' ver='0.9' ext='csn'/></presence>"
    )
    assert Announcement.find(presence) == Announcement("http://psi-im.org", "0.9", "")


@pytest.mark.parametrize(
    "c",
    ["", f"<c xmlns='{NS_CAPS}' hash='sha-1' ver='a'/>", f"<c xmlns='{NS_CAPS}' node='a'/>", "<c node='a' ver='b'/>"],
)
def test_an_announcement_of_nothing_is_none(c: str) -> None:
    assert Announcement.find(etree.fromstring(f"<presence>{c}</presence>")) is None


@given(st.permutations(PSI.identities), st.permutations(PSI.features))
def test_order_does_not_matter(identities: list[Identity], features: list[str]) -> None:
    assert replace(PSI, identities=tuple(identities), features=tuple(features)).ver() == PSI.ver()


TOKEN = st.text(st.sampled_from("ab\uffff\U00010000"), min_size=1, max_size=3)
DISCO = st.builds(
    Disco,
    st.lists(st.builds(Identity, TOKEN, TOKEN, TOKEN, TOKEN), unique=True, max_size=3).map(tuple),
    st.lists(TOKEN, unique=True, max_size=3).map(tuple),
)


@given(DISCO)
def test_strings_are_sorted_by_their_octets(disco: Disco) -> None:
    octets = sorted(feature.encode() for feature in disco.features)
    assert [factor.encode() for factor in disco._factors()][len(disco.identities) :] == octets
