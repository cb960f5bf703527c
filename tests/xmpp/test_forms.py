"""Data forms: what is asked, what a submission is taken for, and what is refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.fields import NS_VALIDATE
from xmppd.xmpp.forms import MOST_FIELDS, MOST_VALUES, Element, Field, Form, Submission, find, plain, table
from xmppd.xmpp.jid import JID

BOT = "jabber:bot"
X = "{jabber:x:data}"
FEATURES = {"contests": "Contests", "news": "News", "polls": "Polls", "search": "Search"}

# The form of XEP-0004, example 2.
CREATE = Form(
    BOT,
    [
        "Section 1: Bot",
        Field("text-single", "botname", "The name of your bot", limit=30),
        Field("text-multi", "description", "Helpful description of your bot"),
        Field("boolean", "public", "Public bot?", required=True),
        Field("text-private", "password", "Password for special access"),
        "Section 2: Features",
        Field("list-multi", "features", "What features?", ["news", "search"], options=FEATURES),
        Field("list-single", "maxsubs", "Subscribers", "20", key="most", options={"10": "", "20": "", "none": "None"}),
        Field("jid-multi", "invitelist", "People to invite", desc="Tell all your friends!", most=3),
        Field("jid-single", "owner", "Owner"),
        Field("hidden", "ticket", default="t1"),
    ],
    title="Bot Configuration",
    instructions="Fill out this form\nto configure your new bot!",
)


def submitted(**values: str | list[str]) -> Element:
    return plain("submit", BOT, {"public": "1", **values})


def refused(element: Element, form: Form = CREATE) -> str:
    with pytest.raises(StanzaError) as caught:
        form.read(element)
    return f"{caught.value.condition}: {caught.value.text}"


def typed(**declaration: Any) -> Form:
    return Form("", [Field("text-single", "x", **declaration)])


def alone(text: str) -> Element:
    return plain("submit", "", {"x": text})


class TestAsked:
    def test_a_form_has_title_then_instructions_line_by_line_then_its_type(self) -> None:
        first = list(CREATE.ask())[:4]
        assert [element.tag for element in first] == [f"{X}title", f"{X}instructions", f"{X}instructions", f"{X}field"]
        assert [element.text for element in first[1:3]] == ["Fill out this form", "to configure your new bot!"]
        assert (first[3].get("var"), first[3].get("type"), first[3][0].text) == ("FORM_TYPE", "hidden", BOT)

    def test_instructions_without_a_title_come_first(self) -> None:
        root = Form(BOT, [], instructions="Go on").ask()
        assert [element.tag for element in root] == [f"{X}instructions", f"{X}field"]

    def test_fields_keep_their_order_and_headings_stand_between(self) -> None:
        fields = CREATE.ask().findall(f"{X}field")[1:]
        assert [field.get("var") or field[0].text for field in fields[:6]] == [
            "Section 1: Bot",
            "botname",
            "description",
            "public",
            "password",
            "Section 2: Features",
        ]

    def test_a_field_shows_label_description_obligation_defaults_and_options(self) -> None:
        assert etree.tostring(
            Form(
                "", [Field("list-single", "a", "A", "1", desc="Of all", required=True, options={"1": "One", "2": ""})]
            ).ask(),
            encoding="unicode",
        ) == (
            '<x xmlns="jabber:x:data" type="form"><field type="list-single" var="a" label="A"><desc>Of all</desc>'
            '<required/><value>1</value><option label="One"><value>1</value></option>'
            '<option label="2"><value>2</value></option></field></x>'
        )

    def test_known_values_take_the_place_of_defaults(self) -> None:
        asked = Submission.parse(CREATE.ask({"most": "none", "public": False, "owner": JID("", "a.example")}))
        assert (asked.values["maxsubs"], asked.values["public"], asked.values["owner"]) == (
            ["none"],
            ["0"],
            ["a.example"],
        )
        assert asked.values["features"] == ["news", "search"]

    def test_what_is_more_than_text_is_said_in_words_of_xep_0122(self) -> None:
        root = Form("", [Field("text-single", "n", datatype="xs:integer", least=0, greatest=9)]).ask()
        assert root.nsmap["xdv"] == NS_VALIDATE
        validate = root[0][0]
        assert (validate.get("datatype"), validate[0].tag) == ("xs:integer", f"{{{NS_VALIDATE}}}range")
        assert dict(validate[0].attrib) == {"min": "0", "max": "9"}

    @pytest.mark.parametrize(
        ("field", "method"),
        [
            (Field("text-single", "d", datatype="xs:date"), "basic"),
            (Field("list-single", "d", options={"a": ""}, open=True), "open"),
            (Field("text-single", "d", datatype="xs:date", least=date(2020, 1, 1)), "range"),
        ],
    )
    def test_the_method_of_validation_fits_the_declaration(self, field: Field, method: str) -> None:
        assert etree.QName(Form("", [field]).ask()[0][0][0]).localname == method

    def test_a_list_that_needs_some_says_how_many(self) -> None:
        validate = Form("", [Field("list-multi", "l", options=FEATURES, fewest=1, most=3)]).ask()[0][0]
        assert [(etree.QName(child).localname, dict(child.attrib)) for child in validate] == [
            ("basic", {}),
            ("list-range", {"min": "1", "max": "3"}),
        ]

    def test_a_form_of_plain_text_declares_no_prefix(self) -> None:
        assert "xdv" not in CREATE.ask().nsmap


class TestRead:
    def test_the_submission_of_the_xep_is_read(self) -> None:
        element = plain(
            "submit",
            BOT,
            {
                "botname": "The Jabber Google Bot",
                "description": ["This bot enables you to send requests to", "Google"],
                "public": "0",
                "password": "v3r0na",
                "features": ["news", "search"],
                "maxsubs": "none",
                "invitelist": ["Juliet@capulet.com", "benvolio@montague.net"],
                "owner": "Romeo@Montague.net",
                "ticket": "t1",
            },
        )
        assert CREATE.read(element) == {
            "botname": "The Jabber Google Bot",
            "description": "This bot enables you to send requests to\nGoogle",
            "public": False,
            "password": "v3r0na",
            "features": ["news", "search"],
            "most": "none",
            "invitelist": ["juliet@capulet.com", "benvolio@montague.net"],
            "owner": "romeo@montague.net",
            "ticket": "t1",
        }

    def test_what_was_left_out_is_not_among_the_values(self) -> None:
        assert CREATE.read(submitted()) == {"public": True}

    def test_unknown_fields_are_passed_over(self) -> None:
        assert CREATE.read(submitted(colour="blue")) == {"public": True}

    def test_headings_cannot_be_submitted(self) -> None:
        element = submitted()
        etree.SubElement(element, f"{X}field", {"type": "fixed"})
        assert CREATE.read(element) == {"public": True}

    def test_a_cancelled_form_has_no_values(self) -> None:
        assert CREATE.read(etree.fromstring("<x xmlns='jabber:x:data' type='cancel'/>")) is None

    def test_a_submission_need_not_name_the_form_type(self) -> None:
        assert CREATE.read(plain("submit", "", {"public": "1"})) == {"public": True}

    @pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("0", False), ("false", False)])
    def test_a_boolean_has_four_spellings(self, text: str, value: bool) -> None:
        assert CREATE.read(submitted(public=text)) == {"public": value}

    def test_an_emptied_text_is_a_value_and_so_is_an_emptied_list(self) -> None:
        values = CREATE.read(submitted(botname="", description=[], features=[], invitelist=[""]))
        assert values == {"public": True, "botname": "", "description": "", "features": [], "invitelist": []}

    def test_an_emptied_choice_or_address_is_no_value(self) -> None:
        assert CREATE.read(submitted(maxsubs="", owner="")) == {"public": True}

    def test_the_empty_text_can_be_an_option(self) -> None:
        form = Form("", [Field("list-single", "x", options={"": "None", "a": ""})])
        assert form.read(alone("")) == {"x": ""}

    def test_addresses_that_come_twice_count_once(self) -> None:
        values = CREATE.read(submitted(invitelist=["a@b.example", "A@B.example", "c@b.example"]))
        assert values is not None
        assert values["invitelist"] == [JID("a", "b.example"), JID("c", "b.example")]

    def test_other_choices_are_taken_where_the_list_is_open(self) -> None:
        form = Form("", [Field("list-single", "x", options=FEATURES, open=True)])
        assert form.read(alone("jokes")) == {"x": "jokes"}

    @pytest.mark.parametrize(
        ("datatype", "text", "value"),
        [
            ("xs:integer", "42", 42),
            ("xs:integer", "-1", -1),
            ("xs:date", "2003-10-05", date(2003, 10, 5)),
            ("xs:dateTime", "2003-10-05T00:00:00-07:00", datetime(2003, 10, 5, 7, tzinfo=UTC)),
        ],
    )
    def test_a_datatype_gives_a_value_of_its_kind(self, datatype: Any, text: str, value: object) -> None:
        assert typed(datatype=datatype).read(alone(text)) == {"x": value}
        assert typed(datatype=datatype).read(alone("")) == {}


class TestRefused:
    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"public": "yes"}, "not-acceptable: field Public bot? (public): is neither true (1) nor false (0)"),
            ({"public": ""}, "not-acceptable: field Public bot? (public): is required"),
            ({"public": ["1", "0"]}, "bad-request: field 'public' has more than one value"),
            ({"botname": ["a", "b"]}, "bad-request: field 'botname' has more than one value"),
            (
                {"botname": "a" * 31},
                "not-acceptable: field The name of your bot (botname): is longer than 30 characters",
            ),
            ({"maxsubs": "30"}, "not-acceptable: field Subscribers (maxsubs): is none of: 10, 20, none"),
            ({"features": ["news", "war"]}, "not-acceptable: field What features? (features): is none of: contests, "),
            ({"owner": "a@@b"}, "not-acceptable: field Owner (owner): holds no address"),
            (
                {"invitelist": ["a@b.example", "/x"]},
                "not-acceptable: field People to invite (invitelist): holds no address",
            ),
            (
                {"invitelist": ["a.example", "b.example", "c.example", "d.example"]},
                "not-acceptable: field People to invite (invitelist): takes 0 to 3 values, not 4",
            ),
        ],
    )
    def test_a_wrong_value_is_refused_with_the_name_of_its_field(self, values: dict[str, Any], reason: str) -> None:
        assert refused(submitted(**values)).startswith(reason)

    def test_a_required_field_that_is_left_out_is_refused(self) -> None:
        assert "(public): is required" in refused(plain("submit", BOT, {"botname": "b"}))

    def test_a_list_with_too_few_choices_is_refused(self) -> None:
        form = Form("", [Field("list-multi", "x", options=FEATURES, fewest=2)])
        assert "takes 2 to 100 values, not 1" in refused(alone("news"), form)
        assert "is required" in refused(alone(""), form)

    def test_the_refused_value_is_not_repeated(self) -> None:
        form = Form("", [Field("text-private", "x", limit=5)])
        assert "secret" not in refused(alone("secret word"), form)

    @pytest.mark.parametrize(
        ("declaration", "text", "reason"),
        [
            ({"datatype": "xs:integer"}, "ten", "is no whole number"),
            ({"datatype": "xs:integer"}, "1" * 5000, "longer than"),
            ({"datatype": "xs:integer"}, "1" * 4000, "is no whole number"),
            ({"datatype": "xs:integer", "least": 1}, "0", "may not be under 1"),
            ({"datatype": "xs:integer", "greatest": 9}, "10", "may not be over 9"),
            ({"datatype": "xs:date"}, "5th of May", "is no date"),
            ({"datatype": "xs:date", "least": date(2003, 10, 5)}, "2003-10-04", "may not be under 2003-10-05"),
            ({"datatype": "xs:dateTime"}, "2003-10-05", "is no date and time"),
        ],
    )
    def test_a_value_outside_its_datatype_or_range_is_refused(
        self, declaration: dict[str, Any], text: str, reason: str
    ) -> None:
        assert reason in refused(alone(text), typed(**declaration))

    @pytest.mark.parametrize("kind", ["form", "result"])
    def test_only_a_submission_is_read(self, kind: Any) -> None:
        assert refused(plain(kind, BOT, {"public": "1"})).startswith(
            "bad-request: a form is submitted with type submit"
        )

    def test_another_form_is_refused(self) -> None:
        assert refused(plain("submit", "jabber:cat", {"public": "1"})) == "bad-request: FORM_TYPE must be jabber:bot"

    @pytest.mark.parametrize(
        "xml",
        [
            "<x xmlns='jabber:x:data'/>",
            "<x xmlns='jabber:x:data' type='sumbit'/>",
            "<x xmlns='jabber:x:dada' type='submit'/>",
            "<x xmlns='jabber:x:data' type='submit'><field var='a'/><field var='a'/></x>",
        ],
    )
    def test_what_is_no_form_is_a_bad_request(self, xml: str) -> None:
        assert refused(etree.fromstring(xml)).startswith("bad-request")

    def test_a_heading_that_is_sent_back_without_its_type_says_nothing(self) -> None:
        form = "<x xmlns='jabber:x:data' type='submit'><field><value>Of all</value></field><field var='a'/></x>"
        assert Submission.parse(etree.fromstring(form)).values == {"a": []}

    def test_a_form_beyond_all_measure_is_refused(self) -> None:
        assert "at most" in refused(plain("submit", BOT, {f"f{n}": "" for n in range(MOST_FIELDS + 1)}))
        assert "at most" in refused(plain("submit", BOT, {"f": [""] * (MOST_VALUES + 1)}))


class TestResults:
    def test_a_result_shows_values_without_headings_and_passwords(self) -> None:
        element = CREATE.result({"botname": "b", "public": True, "password": "v3r0na", "description": "one\ntwo"})
        shown = Submission.parse(element)
        assert (shown.kind, shown.form_type) == ("result", BOT)
        assert shown.values == {"botname": ["b"], "public": ["1"], "description": ["one", "two"]}
        assert element.find(f"{X}instructions") is None

    def test_a_table_has_a_head_and_a_row_for_each_item(self) -> None:
        columns = [Field("text-single", "name", "Name"), Field("jid-single", "jid", "Address", key="address")]
        rows = [{"name": "Juliet", "address": JID("juliet", "capulet.com")}, {"name": "Nobody"}]
        element = table(columns, rows, form_type="jabber:iq:search", title="Found")
        reported, *items = element[2:]
        assert [dict(field.attrib) for field in reported] == [
            {"type": "text-single", "var": "name", "label": "Name"},
            {"type": "jid-single", "var": "jid", "label": "Address"},
        ]
        assert [[(field.get("var"), field[0].text) for field in item] for item in items] == [
            [("name", "Juliet"), ("jid", "juliet@capulet.com")],
            [("name", "Nobody"), ("jid", "")],
        ]


class TestDeclared:
    def test_an_extension_adds_a_field_and_replaces_another(self) -> None:
        form = CREATE.with_fields(Field("boolean", "botname", "Named?"), Field("boolean", "new"), "The end")
        assert [field.var or field.default for field in form.fields][-2:] == ["new", "The end"]
        assert form.fields[1].kind == "boolean"
        assert len(form.fields) == len(CREATE.fields) + 2
        assert (form.title, form.form_type) == (CREATE.title, BOT)

    def test_two_fields_of_one_name_are_refused(self) -> None:
        with pytest.raises(ValueError, match="declares twice: x"):
            Form(BOT, [Field("boolean", "x"), Field("hidden", "x")])
        with pytest.raises(ValueError, match="declares twice: k"):
            Form(BOT, [Field("boolean", "x", key="k"), Field("hidden", "y", key="k")])

    def test_a_field_without_a_var_is_refused(self) -> None:
        with pytest.raises(ValueError, match="needs a var"):
            Field("boolean", "")


class TestParsed:
    def test_a_form_type_that_is_not_hidden_counts_for_nothing(self) -> None:
        xml = "<x xmlns='jabber:x:data' type='{}'><field var='FORM_TYPE'><value>a</value></field></x>"
        assert Submission.parse(etree.fromstring(xml.format("result"))).form_type == ""
        assert Submission.parse(etree.fromstring(xml.format("submit"))).form_type == "a"

    def test_a_form_is_found_in_a_query(self) -> None:
        query = etree.fromstring("<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='cancel'/></query>")
        assert find(query) is query[0]
        assert find(query[0]) is None


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=20)
FILLED = st.fixed_dictionaries(
    {
        "botname": PLAIN,
        "description": st.lists(PLAIN, min_size=1, max_size=4).map("\n".join),
        "public": st.booleans(),
        "password": PLAIN,
        "features": st.lists(st.sampled_from(list(FEATURES)), unique=True),
        "most": st.sampled_from(["10", "20", "none"]),
        "invitelist": st.lists(
            st.sampled_from(["a@b.example", "b.example", "c@d.example/x"]).map(JID.parse), unique=True
        ),
        "owner": st.just(JID.parse("romeo@montague.net")),
        "ticket": PLAIN,
    }
)


@given(FILLED)
def test_a_form_that_is_sent_back_as_it_was_asked_changes_nothing(values: dict[str, Any]) -> None:
    wire = etree.fromstring(etree.tostring(CREATE.ask(values)))
    wire.set("type", "submit")
    assert CREATE.read(wire) == values
