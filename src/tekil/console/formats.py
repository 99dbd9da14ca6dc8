"""Numbers, spans and instants as people of a language write them, in the workspace's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tekil.console.language import Words

Instant = datetime | str | int | None
"""UTC: a datetime (one without a zone is UTC), ISO 8601 text, or microseconds since the epoch."""

SWAP = str.maketrans({",": ".", ".": ","})


def parse(instant: Instant) -> datetime | None:
    """Return an instant with its zone, or nothing where there is none."""
    if instant is None or instant == "":
        return None
    if isinstance(instant, int):
        return datetime.fromtimestamp(instant / 1_000_000, UTC)
    if isinstance(instant, str):
        try:
            instant = datetime.fromisoformat(instant)
        except ValueError:
            return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


class Formats:
    """Writes figures for one language and one time zone."""

    def __init__(self, words: Words, zone: str) -> None:
        """Take the language's words, and the zone that days are counted in."""
        self._words = words
        self._turkish = words.language == "tr"
        self.zone = ZoneInfo(zone)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return 1.234.567,8 or 1,234,567.8."""
        text = f"{value:,.{decimals}f}"
        return text.translate(SWAP) if self._turkish else text

    def percent(self, part: float, whole: float) -> str:
        """Return how much of the whole a part is: %12,5 or 12.5%. Something never reads as nothing."""
        share = 100 * part / whole if whole else 0.0
        text = self.number(share, 1)
        if 0 < share < 0.1:
            text = "<" + self.number(0.1, 1)
        elif 99.9 < share < 100:
            text = ">" + self.number(99.9, 1)
        elif share in (0.0, 100.0):
            text = self.number(share)
        return f"%{text}" if self._turkish else f"{text}%"

    def seconds(self, value: float | None) -> str:
        """Return a span: 0,42 s below ten seconds, whole seconds or minutes above."""
        if value is None:
            return "–"
        if value < 10:
            return self._words("time.seconds", n=self.number(value, 2 if value < 1 else 1))
        if value < 120:
            return self._words("time.seconds", n=self.number(value))
        return self._words("time.minutes", n=self.number(value / 60))

    def local(self, instant: Instant) -> datetime | None:
        """Return an instant in the workspace's zone."""
        parsed = parse(instant)
        return None if parsed is None else parsed.astimezone(self.zone)

    def iso(self, instant: Instant) -> str:
        """Return an instant for a `datetime` attribute."""
        parsed = parse(instant)
        return "" if parsed is None else parsed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def clock(self, instant: Instant, seconds: bool = False) -> str:
        """Return the time of day: 16:31, or 16:31:07."""
        local = self.local(instant)
        return "–" if local is None else local.strftime("%H:%M:%S" if seconds else "%H:%M")

    def day(self, day: date) -> str:
        """Return 22 Kasım 2026 or 22 November 2026."""
        return f"{day.day} {self._words(f'month.{day.month}')} {day.year}"

    def full(self, instant: Instant) -> str:
        """Return the day and the time of day."""
        local = self.local(instant)
        return "–" if local is None else f"{self.day(local.date())}, {local:%H:%M}"

    def heading(self, day: date, today: date) -> str:
        """Return a day as a timeline's heading says it: today, yesterday, or its weekday and date."""
        if day == today:
            return self._words("time.today")
        if day == today - timedelta(days=1):
            return self._words("time.yesterday")
        return f"{self.day(day)}, {self._words(f'weekday.{day.isoweekday()}')}"

    def ago(self, instant: Instant, now: datetime | None = None) -> str:
        """Return how long ago an instant was, in words; the day where that is over a week."""
        parsed = parse(instant)
        if parsed is None:
            return "–"
        passed = ((now or datetime.now(UTC)) - parsed).total_seconds()
        if passed < 5:
            return self._words("time.now")
        for limit, unit, key in ((60, 1, "seconds"), (3600, 60, "minutes"), (86400, 3600, "hours")):
            if passed < limit:
                return self._words(f"time.{key}_ago", n=int(passed // unit))
        if passed < 7 * 86400:
            return self._words.count("time.days_ago", int(passed // 86400), str(int(passed // 86400)))
        return self.day(parsed.astimezone(self.zone).date())
