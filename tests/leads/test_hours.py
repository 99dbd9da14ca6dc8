"""Working hours: exact, whatever the zone, over weekends, bayrams and the half days before them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.leads.hours import DAY_US, Hours, HoursSpec, hours_flaws, seconds_of, span_flaws

ISTANBUL = "Europe/Istanbul"
USUAL = Hours(HoursSpec(), ISTANBUL)
SHIFTS = Hours(
    HoursSpec(days={"mon": "09:00-12:00 13:00-18:00", "sat": "10:00-14:00"}, closed=("2026-03-02",)), ISTANBUL
)
BERLIN = Hours(
    HoursSpec(days=dict.fromkeys(("sat", "sun", "mon"), "00:30-06:15"), holidays="DE"), "Europe/Berlin"
)
ALWAYS = Hours(
    HoursSpec(days=dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "24h"), holidays=""),
    "America/New_York",
)


def at(text: str) -> int:
    """An instant, told in Turkish time."""
    local = datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=3)
    return int(local.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("said", "minutes", "due"),
    [
        # A Wednesday morning; before work; after it; over the weekend.
        ("2026-03-04 10:00", 30, "2026-03-04 10:30"),
        ("2026-03-04 03:00", 30, "2026-03-04 09:30"),
        ("2026-03-04 17:50", 30, "2026-03-05 09:20"),
        ("2026-03-06 17:45", 30, "2026-03-09 09:15"),
        ("2026-03-06 17:45", 15, "2026-03-06 18:00"),
        # Ramazan Bayramı 2026: its eve, Thursday 19 March, ends at 13:00; Friday to Sunday are free.
        ("2026-03-19 12:45", 30, "2026-03-23 09:15"),
        ("2026-03-19 14:00", 30, "2026-03-23 09:30"),
        # Kurban Bayramı 2026: from Tuesday 26 May at 13:00 to Saturday.
        ("2026-05-26 12:30", 60, "2026-06-01 09:30"),
        # 23 April, a Thursday, is free.
        ("2026-04-22 17:59", 2, "2026-04-24 09:01"),
    ],
)
def test_due_is_counted_in_hours_in_which_somebody_is_there(said: str, minutes: int, due: str) -> None:
    assert USUAL.after(at(said), minutes * 60) == at(due)
    assert USUAL.between(at(said), at(due)) == minutes * 60


def test_shifts_closed_days_and_a_break_at_noon() -> None:
    assert SHIFTS.after(at("2026-02-28 13:30"), 3600) == at("2026-03-07 10:30")
    assert SHIFTS.after(at("2026-03-09 11:30"), 3600) == at("2026-03-09 13:30")
    assert not SHIFTS.works_on(SHIFTS.day(at("2026-03-02 10:00")))
    assert SHIFTS.is_open(at("2026-03-09 11:59"))
    assert not SHIFTS.is_open(at("2026-03-09 12:00"))


INSTANTS = st.integers(at("2025-01-01 00:00"), at("2027-12-31 00:00"))
SECONDS = st.integers(0, 60 * 3600)
HOURS = st.sampled_from([USUAL, SHIFTS, BERLIN, ALWAYS])


@given(HOURS, INSTANTS, SECONDS)
def test_exactly_so_much_work_lies_between_now_and_due(hours: Hours, now: int, seconds: int) -> None:
    due = hours.after(now, seconds)
    assert due >= now
    assert hours.between(now, due) == seconds
    # Not a moment sooner.
    assert hours.between(now, due - 1) < seconds or seconds == 0
    assert seconds or hours.is_open(due)


@given(HOURS, INSTANTS, SECONDS, SECONDS)
def test_waiting_twice_is_waiting_longer(hours: Hours, now: int, first: int, more: int) -> None:
    if more:
        assert hours.after(hours.after(now, first), more) == hours.after(now, first + more)
    assert hours.after(now, first) <= hours.after(now, first + more)


@given(HOURS, INSTANTS, st.integers(0, 30 * DAY_US), st.integers(0, 30 * DAY_US))
def test_work_adds_up_and_never_exceeds_the_clock(hours: Hours, now: int, first: int, more: int) -> None:
    middle, end = now + first, now + first + more
    whole = hours.between(now, end)
    assert hours.between(now, middle) + hours.between(middle, end) == pytest.approx(whole, abs=1e-3)
    assert whole <= (first + more) / 1e6
    assert hours is not ALWAYS or whole == pytest.approx((first + more) / 1e6, abs=1e-3)


def test_who_never_works_is_never_late() -> None:
    never = Hours(HoursSpec(days={"mon": "09:00-10:00"}, closed=()), ISTANBUL)
    assert never.after(at("2026-03-04 10:00"), 400 * 3600) > at("2027-01-01 00:00")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (HoursSpec(zone="Mars/Base"), "no time zone"),
        (HoursSpec(holidays="XX"), "Nobody knows the holidays"),
        (HoursSpec(days={"monday": "09:00-18:00"}), "A day is one of"),
        (HoursSpec(days={"mon": "18:00-09:00"}), "are no hours"),
        (HoursSpec(days={"mon": "13:00-18:00 09:00-12:00"}), "are no hours"),
        (HoursSpec(days={}), "Nobody ever works"),
        (HoursSpec(closed=("31.12.2026",)), "is no day"),
    ],
)
def test_hours_that_mean_nothing_are_refused(spec: HoursSpec, told: str) -> None:
    [flaw] = hours_flaws(spec, ("spec", "hours"))
    assert told in flaw.text


def test_spans_are_written_in_minutes_and_hours() -> None:
    assert (seconds_of("1 minute"), seconds_of("30 minutes"), seconds_of("4 hours")) == (60, 1800, 14400)
    assert not span_flaws("", ("spec",))
    assert span_flaws("2 days", ("spec",))
