"""İYS's rules, one by one, and held against the stand-in's own reading of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.privacy.iys.calendar import TURKEY, deadline, is_business_day, is_half_day
from tekil.privacy.iys.rules import TEXTS, check, instant, recipient
from tekil.store.iys import IysRecord
from tests.privacy.iys.stand_in import TRT, StandIn

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TURKEY)


def record(status: str = "ONAY", when: datetime = NOW, **more: str) -> IysRecord:
    made = IysRecord(
        "id", "t", "phone", "MESAJ", "BIREYSEL", status, "HS_WEB", int(when.timestamp() * 1_000_000)
    )
    return msgspec.structs.replace(made, **more)  # type: ignore[arg-type]


HOUR_AGO = NOW - timedelta(hours=1)
PHONE = "+905321234567"


@pytest.mark.parametrize(
    ("code", "asked", "value", "last"),
    [
        ("", record(), PHONE, None),
        ("type_unknown", record(type="FAKS"), PHONE, None),
        ("recipient_type_unknown", record(recipient_type="KURUM"), PHONE, None),
        ("status_unknown", record("BELKI"), PHONE, None),
        ("source_unknown", record(source="HS_TELEPATI"), PHONE, None),
        ("recipient_unknown", record(), None, None),
        ("recipient_invalid", record(), "+4915112345678", None),
        ("recipient_invalid", record(), "a@b.co", None),
        ("recipient_invalid", record(type="EPOSTA"), PHONE, None),
        ("date_in_future", record(when=NOW + timedelta(seconds=1)), PHONE, None),
        ("date_before_2015", record(when=at("2015-04-30 23:59:59")), PHONE, None),
        ("first_is_refusal", record("RET"), PHONE, None),
        ("status_repeated", record(), PHONE, record(when=HOUR_AGO)),
        ("date_not_newer", record("RET", HOUR_AGO), PHONE, record(when=HOUR_AGO)),
        ("", record("RET"), PHONE, record(when=HOUR_AGO)),
        ("overdue", record(when=at("2026-02-26 23:00:00")), PHONE, None),
        ("", record(when=at("2026-02-27 00:00:00")), PHONE, None),
    ],
)
def test_each_rule_has_its_code(
    code: str, asked: IysRecord, value: str | None, last: IysRecord | None
) -> None:
    assert check(asked, value, last, NOW).code == code
    assert code == "" or all(TEXTS[code])


def test_a_refusal_that_is_late_is_told_all_the_same_and_marked() -> None:
    old = record("RET", at("2026-02-20 10:00:00"))
    verdict = check(old, PHONE, record(when=at("2026-02-01 10:00:00")), NOW)
    assert (verdict.code, verdict.late) == ("", True)


def test_addresses_are_written_as_iys_has_them() -> None:
    assert recipient("email", "İNFO@Example.com") == "info@example.com"
    assert recipient("phone", PHONE) == PHONE
    assert recipient("phone", "+90532123456") is None
    assert recipient("email", "nobody") is None


@pytest.mark.parametrize(
    ("consent", "ends"),
    [
        ("2026-03-02 10:00", "2026-03-06 00:00"),  # Monday: Tuesday, Wednesday, Thursday
        ("2026-03-05 23:59", "2026-03-11 00:00"),  # over a weekend
        ("2026-03-18 09:00", "2026-03-25 00:00"),  # Ramazan bayramı, its eve the first of the three
        ("2026-03-16 09:00", "2026-03-19 13:00"),  # the eve is the third, and ends at one
        ("2026-05-21 09:00", "2026-05-26 13:00"),  # so does Kurban bayramı's
        ("2026-05-22 09:00", "2026-06-02 00:00"),  # four days of bayram and a weekend
        ("2026-04-22 09:00", "2026-04-29 00:00"),  # 23 April
        ("2026-10-27 09:00", "2026-11-03 00:00"),  # 28 October a half day, 29 October a holiday
        ("2026-12-30 09:00", "2027-01-06 00:00"),  # new year
    ],
)
def test_three_turkish_business_days(consent: str, ends: str) -> None:
    assert deadline(at(consent)) == at(ends)


def test_an_eve_is_a_half_day_unless_nobody_works_then_anyway() -> None:
    assert is_half_day(at("2026-03-19").date())
    assert not is_half_day(at("2026-03-18").date())
    assert not is_business_day(at("2026-03-20").date())
    assert not is_business_day(at("2026-03-21").date())


consents = st.datetimes(datetime(2026, 1, 5), datetime(2026, 12, 20))


@given(consents)
def test_two_readings_of_the_calendar_agree(when: datetime) -> None:
    local = when.replace(microsecond=0, tzinfo=TRT)
    assert deadline(local) == StandIn(lambda: local).closed_at(local)


@given(
    st.lists(st.tuples(st.sampled_from(["ONAY", "RET"]), st.integers(-30, 8 * 24)), max_size=8),
    consents,
)
def test_whatever_is_told_in_whatever_order_we_and_the_stand_in_say_the_same(
    said: list[tuple[str, int]], start: datetime
) -> None:
    first = start.replace(microsecond=0, tzinfo=TRT)
    for hours in range(0, 8 * 24, 60):
        now = first + timedelta(hours=hours)
        there = StandIn(lambda now=now: now)  # type: ignore[misc]
        last: IysRecord | None = None
        for status, offset in said:
            asked = record(status, first + timedelta(hours=offset))
            told = {
                "type": "MESAJ",
                "source": "HS_WEB",
                "recipient": PHONE,
                "recipientType": "BIREYSEL",
                "status": status,
                "consentDate": instant(asked.consent_at).astimezone(TRT).strftime("%Y-%m-%d %H:%M:%S"),
            }
            ours, theirs = check(asked, PHONE, last, now).code, there.verdict(told)
            assert (ours == "") == (theirs is None), (ours, theirs)
            if theirs is None:
                there.take(told)
                last = asked
