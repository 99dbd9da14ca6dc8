"""Working hours: when people are there, and how long something has waited in hours that count. Pure, exact.

A day's windows are local times of a zone; what is counted are the instants (UTC) between. Public holidays
come from the `holidays` package, Turkey's religious ones and the half days before them included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import msgspec
from holidays.constants import HALF_DAY, PUBLIC

from tekil.definitions import Flaw
from tekil.definitions.document import Place
from tekil.privacy.iys.calendar import HALF_DAY_ENDS, days_off

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
USUAL = "09:00-18:00"

SPAN = re.compile(r"([1-9][0-9]{0,4}) (minute|hour)s?")
WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])|24h")

DAYS_MAX = 800
"""So many days are looked through for working hours; who has none in two years has none."""

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Window = tuple[int, int]
"""From and until, in microseconds since the epoch."""


class HoursSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When people work. `days` gives windows by day, like `mon: 09:00-12:00 13:00-18:00`; `24h` is all of it.

    `holidays` is a country whose public holidays are free, empty for none; `closed` are further days (ISO).
    """

    zone: str = ""
    days: dict[str, str] = msgspec.field(default_factory=lambda: dict.fromkeys(WEEKDAYS[:5], USUAL))
    holidays: str = "TR"
    closed: tuple[str, ...] = ()


def seconds_of(span: str) -> int:
    """Return how many seconds a span such as `30 minutes` has.

    >>> seconds_of("2 hours")
    7200
    """
    found = SPAN.fullmatch(span)
    assert found is not None, "a definition in force has a span"
    return int(found[1]) * (3600 if found[2] == "hour" else 60)


def span_flaws(span: str, place: Place) -> list[Flaw]:
    """Return what is wrong with a span that somebody wrote, nothing where it is empty."""
    if not span or SPAN.fullmatch(span):
        return []
    return [Flaw(place, f"{span!r} is no span of working time; write one like 30 minutes or 4 hours.")]


def hours_flaws(spec: HoursSpec, place: Place) -> list[Flaw]:
    """Return what is wrong with working hours that somebody wrote."""
    flaws = []
    if spec.zone:
        try:
            ZoneInfo(spec.zone)
        except (KeyError, ValueError, OSError):
            flaws.append(
                Flaw((*place, "zone"), f"{spec.zone!r} is no time zone; write one like Europe/Istanbul.")
            )
    if spec.holidays and spec.holidays not in holidays.list_supported_countries(include_aliases=False):
        told = f"Nobody knows the holidays of {spec.holidays!r}; write a country like TR, or nothing."
        flaws.append(Flaw((*place, "holidays"), told))
    for name, text in spec.days.items():
        if name not in WEEKDAYS:
            flaws.append(Flaw((*place, "days", name), f"A day is one of {', '.join(WEEKDAYS)}."))
        elif not _is_day(text):
            told = f"{text!r} are no hours; write 09:00-18:00, several with a space between them, in order."
            flaws.append(Flaw((*place, "days", name), told))
    if not any(spec.days.values()):
        flaws.append(Flaw((*place, "days"), "Nobody ever works by these hours."))
    for day in spec.closed:
        try:
            date.fromisoformat(day)
        except ValueError:
            flaws.append(Flaw((*place, "closed"), f"{day!r} is no day; write one like 2026-12-31."))
    return flaws


def _is_day(text: str) -> bool:
    parts = text.split()
    if not all(WINDOW.fullmatch(part) for part in parts):
        return False
    ends = [minute for part in parts for minute in _minutes(part)]
    return all(early < late for early, late in pairwise(ends))


def _minutes(window: str) -> tuple[int, int]:
    if window == "24h":
        return 0, 24 * 60
    hour, minute, end_hour, end_minute = (int(n) for n in re.findall(r"[0-9]{2}", window))
    return hour * 60 + minute, end_hour * 60 + end_minute


class Hours:
    """Working hours that are in force. `zone` stands where the definition names none."""

    def __init__(self, spec: HoursSpec, zone: str) -> None:
        """Take hours that were found to be without flaws."""
        self._zone = ZoneInfo(spec.zone or zone)
        self._country = spec.holidays
        self._closed = frozenset(date.fromisoformat(day) for day in spec.closed)
        self._days: Mapping[int, list[tuple[int, int]]] = {
            WEEKDAYS.index(name): [_minutes(part) for part in text.split()]
            for name, text in spec.days.items()
        }
        self._windows = lru_cache(maxsize=1024)(self._windows_of)

    def day(self, at: int) -> date:
        """Return the local day of an instant (microseconds)."""
        return (_EPOCH + timedelta(microseconds=at)).astimezone(self._zone).date()

    def works_on(self, day: date) -> bool:
        """Return whether anybody works on a day."""
        return bool(self._windows(day))

    def is_open(self, at: int) -> bool:
        """Return whether people are there at an instant."""
        return any(begin <= at < end for begin, end in self._windows(self.day(at)))

    def after(self, at: int, seconds: int) -> int:
        """Return the first instant by which so many working seconds have passed since `at`.

        No time passes while nobody is there. Of no seconds at all it is the first instant at which somebody
        is. Far in the future where nobody ever works again.
        """
        left = seconds * SECOND_US
        for begin, end in self._from(at):
            start = max(begin, at)
            if left <= end - start and (left or start < end):
                return start + left
            left -= end - start
        return at + DAYS_MAX * DAY_US

    def between(self, start: int, end: int) -> float:
        """Return how many working seconds lie between two instants, 0 where the end comes first."""
        worked = 0
        for begin, until in self._from(start):
            if begin >= end:
                break
            worked += min(until, end) - max(begin, start)
        return worked / SECOND_US

    def _from(self, at: int) -> Iterator[Window]:
        """Yield the windows that end after an instant."""
        first = self.day(at) - timedelta(days=1)
        for number in range(DAYS_MAX):
            for window in self._windows(first + timedelta(days=number)):
                if window[1] > at:
                    yield window

    def _windows_of(self, day: date) -> list[Window]:
        if day in self._closed or self._is_off(day, PUBLIC):
            return []
        latest = 24 * 60
        if self._is_off(day, HALF_DAY):
            latest = HALF_DAY_ENDS.hour * 60
        found: list[Window] = []
        for begin, end in self._days.get(day.weekday(), []):
            # Where clocks are put forward, a local time may lie after a later one.
            start = max(self._instant(day, begin), found[-1][1] if found else 0)
            until = self._instant(day, min(end, latest))
            if start < until:
                found.append((start, until))
        return found

    def _is_off(self, day: date, category: str) -> bool:
        return (
            bool(self._country)
            and category in _known(self._country)
            and day in days_off(day.year, category, self._country)
        )

    def _instant(self, day: date, minutes: int) -> int:
        over, rest = divmod(minutes, 24 * 60)
        local = datetime.combine(day + timedelta(days=over), time(rest // 60, rest % 60), self._zone)
        return (local - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=64)
def _known(country: str) -> tuple[str, ...]:
    """Return the categories of holidays that are known of a country."""
    return tuple(holidays.country_holidays(country).supported_categories)
