"""Turkish business days, and until when a consent must have reached İYS."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from holidays.constants import HALF_DAY, PUBLIC

TURKEY = ZoneInfo("Europe/Istanbul")

BUSINESS_DAYS = 3
"""How many business days after a consent İYS still takes it."""

HALF_DAY_ENDS = time(13)
"""When the eve of a bayram and of Republic Day stop being business days."""


@lru_cache(maxsize=64)
def days_off(year: int, category: str, country: str = "TR") -> frozenset[date]:
    """Return the days of a year on which a country rests, for the whole day or for half of it."""
    return frozenset(holidays.country_holidays(country, years=[year], categories=(category,)))


def is_business_day(day: date) -> bool:
    """Return whether people work on a day, be it half of it: no weekend, no public holiday."""
    return day.weekday() < 5 and day not in days_off(day.year, PUBLIC)


def is_half_day(day: date) -> bool:
    """Return whether a business day ends at 13:00."""
    return is_business_day(day) and day in days_off(day.year, HALF_DAY)


def deadline(consent_at: datetime) -> datetime:
    """Return the instant (UTC) from which İYS takes a consent no more: the end of the third business day.

    The day of the consent itself does not count. A half day counts as one; where it is the third, it ends at
    13:00: whoever keeps to that is never late, however an office reads it.
    """
    day = consent_at.astimezone(TURKEY).date()
    counted = 0
    while counted < BUSINESS_DAYS:
        day += timedelta(days=1)
        counted += is_business_day(day)
    if is_half_day(day):
        return datetime.combine(day, HALF_DAY_ENDS, TURKEY).astimezone(UTC)
    return datetime.combine(day + timedelta(days=1), time(), TURKEY).astimezone(UTC)
