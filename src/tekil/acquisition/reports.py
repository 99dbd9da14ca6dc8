"""Reports over spend and credit as plain SELECTs: whoever sees a figure can run what it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tekil.acquisition.tables import MODELS
from tekil.dictionary.sql import quoted
from tekil.errors import BadRequest

Dimension = Literal["channel", "source", "campaign", "keyword", "day"]
DIMENSIONS: tuple[Dimension, ...] = ("channel", "source", "campaign", "keyword", "day")
FILTERS = ("channel", "source", "campaign", "keyword")
LINES_MAX = 500
DEFAULT_DAYS = 30
DEFAULT_MODEL = "last_non_direct"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the workspace, both included."""

    since: date
    until: date

    @classmethod
    def parse(cls, since: str | None, until: str | None, today: date) -> Period:
        """Read two days in ISO 8601; nothing: the last thirty. Raises `BadRequest`."""
        try:
            last = date.fromisoformat(until) if until else today
            first = date.fromisoformat(since) if since else last - timedelta(days=DEFAULT_DAYS - 1)
        except (ValueError, OverflowError) as error:
            told = f"{since!r} to {until!r} are no days; write them like 2026-11-20."
            raise BadRequest(told, code="period_invalid") from error
        if not date(1970, 1, 1) <= first <= last <= date(9000, 1, 1):
            raise BadRequest("A period ends after it begins.", code="period_invalid")
        return cls(first, last)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> Period:
        """The period of the same length just before."""
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))

    def holds(self, column: str = "day") -> str:
        """Return the condition that a day is within."""
        return f"{column} BETWEEN '{self.since}' AND '{self.until}'"

    def holds_instant(self, column: str, zone: str) -> str:
        """Return the condition that an instant is within, by the days of a zone."""
        first, after = (
            datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
            for day in (self.since, self.until + timedelta(days=1))
        )
        begin, end = (f"TIMESTAMP '{instant:%Y-%m-%d %H:%M:%S}'" for instant in (first, after))
        return f"{column} >= {begin} AND {column} < {end}"


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked: which conversion, by which model, in which period, and kept to what."""

    conversion: str
    model: str
    period: Period
    kept_to: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no model and no filter."""
        if self.model not in MODELS:
            told = f"There is no model {self.model!r}; there are {', '.join(MODELS)}."
            raise BadRequest(told, code="model_unknown")
        if unknown := sorted(self.kept_to.keys() - set(FILTERS)):
            raise BadRequest(
                f"A report can be kept to {', '.join(FILTERS)}, not {unknown[0]!r}.", code="filter_unknown"
            )

    @property
    def filters(self) -> str:
        """The conditions that it is kept to; an empty text asks for what has none."""
        return "".join(f" AND coalesce({name}, '') = {quoted(value)}" for name, value in self.kept_to.items())


def breakdown_sql(question: Question, by: Dimension, zone: str) -> str:
    """Return the SELECT of spend beside what it brought, a line each.

    What is spent and what is credited are added up in one go, so that neither is lost where the other has no
    line of its own (law 12).
    """
    asked, within = question.filters, question.period
    nothing = "CAST(0 AS DECIMAL(18, 4))"
    visits = (
        ""
        if by == "day"
        else f"""
  UNION ALL
  SELECT {by} AS name, 0 AS impressions, 0 AS clicks, {nothing} AS cost, {nothing} AS conversions,
    {nothing} AS value, 1 AS visits
  FROM touches WHERE {within.holds_instant("touched_at", zone)}{asked}"""
    )
    return f"""SELECT coalesce(name, '') AS name, CAST(sum(impressions) AS BIGINT) AS impressions,
  CAST(sum(clicks) AS BIGINT) AS clicks, sum(cost) AS cost, sum(conversions) AS conversions,
  sum(value) AS value,
  CAST(sum(visits) AS BIGINT) AS visits
FROM (
  SELECT {by} AS name, coalesce(impressions, 0) AS impressions, coalesce(clicks, 0) AS clicks,
    coalesce(amount, {nothing}) AS cost, {nothing} AS conversions, {nothing} AS value, 0 AS visits
  FROM spend WHERE {within.holds()}{asked}
  UNION ALL
  SELECT {by} AS name, 0 AS impressions, 0 AS clicks, {nothing} AS cost,
    share_{question.model} AS conversions,
    coalesce(value_{question.model}, {nothing}) AS value, 0 AS visits
  FROM credits WHERE conversion = {quoted(question.conversion)} AND {within.holds()}{asked}{visits}
) AS both_sides GROUP BY coalesce(name, '')
ORDER BY {"name" if by == "day" else "value DESC, cost DESC, name"}"""


def models_sql(question: Question) -> str:
    """Return the SELECT of what each model credits each channel with."""
    sums = ", ".join(f"sum(coalesce(value_{m}, 0)) AS {m}, sum(share_{m}) AS share_{m}" for m in MODELS)
    return f"""SELECT channel AS name, {sums}
FROM credits WHERE conversion = {quoted(question.conversion)} AND {question.period.holds()}{question.filters}
GROUP BY channel ORDER BY {question.model} DESC, name"""


def intervals_sql(conversion: str) -> str:
    """Return the SELECT of what data-driven models learned of each channel, over all of history."""
    return f"""SELECT channel AS name, model, share, low, high, error FROM channel_shares
WHERE conversion = {quoted(conversion)} ORDER BY model, share DESC, name"""


def paths_sql(question: Question, limit: int = 25) -> str:
    """Return the SELECT of the paths by which most conversions came."""
    return f"""SELECT path AS name, count(*) AS conversions, sum(coalesce(amount, 0)) AS value,
  min(touches) AS touches,
  avg(epoch(converted_at) - epoch(first_touch_at)) / 86400 AS days
FROM conversions WHERE conversion = {quoted(question.conversion)} AND counts = 1 AND {question.period.holds()}
GROUP BY path ORDER BY conversions DESC, value DESC, path LIMIT {int(limit)}"""


def people_sql(question: Question, limit: int = 100) -> str:
    """Return the SELECT of the people whom a figure is about, those who brought most first."""
    value, share = f"value_{question.model}", f"share_{question.model}"
    return f"""SELECT person_key, max(day) AS day, sum(coalesce({value}, 0)) AS value,
  sum({share}) AS conversions
FROM credits
WHERE conversion = {quoted(question.conversion)} AND {question.period.holds()} AND {share} > 0
  AND person_key IS NOT NULL{question.filters}
GROUP BY person_key ORDER BY value DESC, person_key LIMIT {int(limit)}"""


def unconverted_sql(question: Question) -> str:
    """Return the SELECT of how many amounts are in currencies that no rate is known of."""
    return f"""SELECT
  (SELECT count(*) FROM conversions WHERE amount IS NULL AND conversion = {quoted(question.conversion)}
    AND {question.period.holds()}) AS conversions,
  (SELECT count(*) FROM spend WHERE amount IS NULL AND {question.period.holds()}) AS spend"""
