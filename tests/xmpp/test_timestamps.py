"""Dates and times as XEP-0082 writes them."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.xmpp.timestamps import (
    format_date,
    format_datetime,
    format_offset,
    parse_date,
    parse_datetime,
    parse_offset,
)

MOON = datetime(1969, 7, 21, 2, 56, 15, tzinfo=UTC)
ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
AWARE = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)


def test_both_examples_of_the_xep_name_one_moment() -> None:
    assert parse_datetime("1969-07-21T02:56:15Z") == MOON
    assert parse_datetime("1969-07-20T21:56:15-05:00") == MOON


def test_a_moment_is_read_in_utc() -> None:
    assert parse_datetime("1969-07-20T21:56:15-05:00").tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2002-09-10T23:08:25.1Z", 100_000),
        ("2002-09-10T23:08:25.123Z", 123_000),
        ("2002-09-10T23:08:25.1234569Z", 123_456),
    ],
)
def test_fractions_have_any_number_of_digits(text: str, micros: int) -> None:
    assert parse_datetime(text).microsecond == micros


def test_blanks_around_the_text_do_not_matter() -> None:
    assert parse_datetime("\n 1969-07-21T02:56:15Z ") == MOON


@given(AWARE)
def test_what_is_written_reads_back(moment: datetime) -> None:
    text = format_datetime(moment)
    assert text.endswith("Z")
    assert parse_datetime(text) == moment


def test_whole_seconds_have_no_fraction() -> None:
    assert format_datetime(MOON) == "1969-07-21T02:56:15Z"
    assert format_datetime(MOON.replace(microsecond=5)) == "1969-07-21T02:56:15.000005Z"


def test_a_number_is_seconds_since_1970() -> None:
    assert format_datetime(0) == "1970-01-01T00:00:00Z"
    assert format_datetime(1.5) == "1970-01-01T00:00:01.500000Z"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        format_datetime(datetime(2020, 1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2002-09-10",
        "2002-09-10T23:08:25",
        "2002-09-10 23:08:25Z",
        "2002-09-10T23:08Z",
        "2002-09-10T23:08:25.Z",
        "2002-09-10T23:08:25+0500",
        "2002-09-10T23:08:25+24:00",
        "2002-09-10T23:08:25+00:60",
        "2002-13-10T23:08:25Z",
        "2002-02-30T23:08:25Z",
        "2002-09-10T24:00:00Z",
        "2002-09-10T23:08:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "20020910T23:08:25",
        "\uff12002-09-10T23:08:25Z",
    ],
)
def test_what_is_no_moment_is_refused_with_the_text_in_the_error(text: str) -> None:
    with pytest.raises(ValueError, match="is no date and time") as caught:
        parse_datetime(text)
    assert repr(text) in str(caught.value)


@given(st.text())
def test_nothing_but_a_value_error_comes_of_garbage(text: str) -> None:
    for parse in (parse_datetime, parse_date, parse_offset):
        with suppress(ValueError):
            parse(text)


@given(st.dates())
def test_a_day_reads_back(day: date) -> None:
    assert parse_date(format_date(day)) == day


@pytest.mark.parametrize(
    "text", ["1776-7-4", "1776-02-30", "17760704", "1776-W27-4", "1776-07-04Z", "1776-07-04T00:00:00Z"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        parse_date(text)


@given(st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_an_offset_reads_back(minutes: int) -> None:
    offset = timedelta(minutes=minutes)
    assert parse_offset(format_offset(offset)) == offset


@pytest.mark.parametrize(("minutes", "text"), [(0, "Z"), (330, "+05:30"), (-420, "-07:00"), (-30, "-00:30")])
def test_offsets_are_written_as_xep_0082_says(minutes: int, text: str) -> None:
    assert format_offset(timedelta(minutes=minutes)) == text
