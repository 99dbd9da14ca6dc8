"""What a cell means, and when it is left as it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.pull.values import as_key, as_text, as_value, day_or_time, instant, number_of

ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("42", 42),
        ("-7", -7),
        ("149,90", Decimal("149.90")),
        ("149.9", Decimal("149.9")),
        ("0,125", Decimal("0.125")),
        ("1.234,56", Decimal("1234.56")),
        ("1,234.56", Decimal("1234.56")),
        ("1.234.567", 1234567),
        ("1.234.567,8", Decimal("1234567.8")),
        ("12345678901,50", Decimal("12345678901.50")),
        ("1,2345", Decimal("1.2345")),
    ],
)
def test_a_number_that_can_mean_one_thing_is_read_with_all_its_digits(text: str, number: object) -> None:
    found = number_of(text)
    assert found == number
    assert str(found) == str(number)


@pytest.mark.parametrize("text", ["1.234", "1,234", "999.999"])
def test_a_number_that_can_mean_two_things_stays_text_until_somebody_says_which(text: str) -> None:
    assert number_of(text) is None
    plain = text.replace(".", "").replace(",", "")
    as_comma, as_point = number_of(text, "comma"), number_of(text, "point")
    thousands = as_comma if "." in text else as_point
    assert thousands == int(plain)
    assert {as_comma, as_point} == {int(plain), Decimal(plain) / 1000}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0532",
        "+905321112233",
        "5321112233",
        "00",
        "1.23.456",
        "12,34,56",
        "1 234",
        "1e5",
        "₺5",
        "-",
        "1.",
        ".5",
    ],
)
def test_identifiers_and_odd_text_are_no_numbers(text: str) -> None:
    assert number_of(text) is None


@given(st.integers(0, 10**12), st.integers(0, 99))
def test_kurus_survive_both_ways_of_writing(lira: int, kurus: int) -> None:
    turkish = f"{lira:,}".replace(",", ".") + f",{kurus:02}"
    english = f"{lira:,}.{kurus:02}"
    assert number_of(turkish) == number_of(english) == Decimal(f"{lira}.{kurus:02}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("31.12.2025 14:30", "2025-12-31T11:30:00.000Z"),
        ("31.12.2025", "2025-12-30T21:00:00.000Z"),
        ("2025-12-31", "2025-12-30T21:00:00.000Z"),
        ("2025-12-31T14:30:05Z", "2025-12-31T14:30:05.000Z"),
        ("2025-12-31T14:30:05.123456+01:00", "2025-12-31T13:30:05.123456Z"),
        ("31/12/2025 09:05:07", "2025-12-31T06:05:07.000Z"),
        ("12/31/2025", "2025-12-30T21:00:00.000Z"),
        ("2025/12/31 00:00", "2025-12-30T21:00:00.000Z"),
        ("1 Ağustos 2025 10:00", "2025-08-01T07:00:00.000Z"),
        ("15 KASIM 2025", "2025-11-14T21:00:00.000Z"),
        ("3 May 2025", "2025-05-02T21:00:00.000Z"),
        ("5 APRIL 2025", "2025-04-04T21:00:00.000Z"),
        ("1767180600", "2025-12-31T11:30:00.000Z"),
        (1767180600250, "2025-12-31T11:30:00.250Z"),
        (datetime(2025, 12, 31, 14, 30), "2025-12-31T11:30:00.000Z"),
        (date(2025, 12, 31), "2025-12-30T21:00:00.000Z"),
    ],
)
def test_an_instant_is_read_however_it_is_written(value: Any, expected: str) -> None:
    assert instant(value, ISTANBUL) == expected


@pytest.mark.parametrize(
    "value", ["31.13.2025", "29.02.2025", "dün", "", "31.12.25", "12", True, 7, float("inf"), "5 Foo 2025"]
)
def test_what_is_no_instant_is_refused_with_a_sentence(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        instant(value, ISTANBUL)


def test_a_date_that_reads_two_ways_is_asked_about() -> None:
    with pytest.raises(ValueError, match="two ways"):
        instant("03/04/2025", ISTANBUL)
    assert instant("03/04/2025", ISTANBUL, "day-first").startswith("2025-04-02T21")
    assert instant("03/04/2025", ISTANBUL, "month-first").startswith("2025-03-03T21")
    assert instant("04/04/2025", ISTANBUL).startswith("2025-04-03T21")


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 31)))
def test_an_instant_survives_being_written_in_turkish_and_in_iso(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo("Etc/GMT-3")).replace(tzinfo=None)
    turkish = instant(f"{local:%d.%m.%Y %H:%M:%S}", ZoneInfo("Etc/GMT-3"))
    assert turkish == instant(moment.isoformat() + "Z", ISTANBUL) == moment.isoformat() + ".000Z"


@given(st.text(max_size=30))
def test_no_text_makes_reading_fail_otherwise_than_by_saying_so(text: str) -> None:
    number_of(text)
    day_or_time(text)
    try:
        said = instant(text, ISTANBUL)
    except ValueError as error:
        said = str(error)
    assert said.endswith("Z") or "is not a time" in said or "two ways" in said or "calendar" in said


def test_identifiers_are_text_whatever_the_file_thought_they_were() -> None:
    assert [as_text(value) for value in (1001, 1001.0, " a ", date(2025, 1, 2))] == [
        "1001",
        "1001",
        "a",
        "2025-01-02",
    ]
    assert as_key("31.12.2025") == as_key(date(2025, 12, 31)) == "2025-12-31"
    assert as_key("1.2") == "1.2"


def test_only_untyped_text_is_given_a_meaning() -> None:
    def value(cell: Any, *, untyped: bool) -> Any:
        return as_value(cell, untyped=untyped, sign="auto", zone=ISTANBUL)

    assert value("12,50", untyped=True) == Decimal("12.50")
    assert value("12,50", untyped=False) == "12,50"
    assert value("31.12.2025", untyped=True) == "2025-12-31"
    assert value("31.12.2025 14:30", untyped=True) == "2025-12-31T14:30:00+03:00"
    assert value(datetime(2025, 1, 1, 12, tzinfo=UTC), untyped=False) == "2025-01-01T12:00:00+00:00"
    assert value(float("inf"), untyped=False) == "inf"
    assert value(b"\xc3\xa7", untyped=False) == "ç"
    assert value(timedelta(1), untyped=False) == timedelta(1)
