"""When things happen: the hours of the day, the days of the week, the shopping year of Turkey."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Istanbul")

Hours = tuple[int, ...]
"""How much goes on in each of a day's 24 hours, in no unit."""

WEB_HOURS: Hours = (14, 8, 4, 3, 2, 3, 6, 14, 26, 38, 44, 46, 50, 48, 46, 45, 46, 48, 52, 60, 72, 80, 68, 38)
STORE_HOURS: Hours = (0,) * 10 + (20, 34, 44, 50, 56, 60, 66, 72, 70, 54, 30, 8, 0, 0)
OFFICE_HOURS: Hours = (0,) * 8 + (10, 60, 80, 76, 40, 50, 70, 70, 62, 36, 8) + (0,) * 5
_TOTALS = {hours: tuple(accumulate(hours)) for hours in (WEB_HOURS, STORE_HOURS, OFFICE_HOURS)}
_HOURS = range(24)

WEB_WEEK = (1.08, 1.0, 0.97, 0.96, 0.93, 0.98, 1.12)
"""Monday to Sunday: people look from the sofa on Sunday evening and finish on Monday."""

STORE_WEEK = (0.72, 0.72, 0.78, 0.84, 1.05, 1.62, 1.27)
OFFICE_WEEK = (1.3, 1.2, 1.15, 1.1, 1.0, 0.2, 0.0)


def midnight(day: date) -> float:
    """Return the instant a day begins in Istanbul, in seconds since 1970 UTC."""
    return datetime.combine(day, time(), ZONE).timestamp()


def moment(rng: Random, day_start: float, hours: Hours = WEB_HOURS) -> float:
    """Draw an instant within the day that starts at `day_start`, by the weight of its hours."""
    hour = rng.choices(_HOURS, cum_weights=_TOTALS[hours])[0]
    return day_start + (hour + rng.random()) * 3600


def liveliness(instant: datetime) -> float:
    """Return how busy the web shop is at an instant, where 1 is the average of a day."""
    local = instant.astimezone(ZONE)
    return WEB_HOURS[local.hour] * 24 / sum(WEB_HOURS) * WEB_WEEK[local.weekday()]


def days_between(first: date, last: date) -> list[date]:
    """Return every day from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
