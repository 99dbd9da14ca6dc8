"""Cohorts: people by when they first converted, and how many came back, and with what, ever after."""

from __future__ import annotations

from typing import Literal

from tekil.dictionary.sql import quoted

Unit = Literal["month", "week"]
UNITS: tuple[Unit, ...] = ("month", "week")


def _number(day: str, unit: Unit) -> str:
    """Return the SQL of a day's month or week (from Monday), as a number without gaps."""
    if unit == "month":
        return f"CAST(substr({day}, 1, 4) AS BIGINT) * 12 + CAST(substr({day}, 6, 2) AS BIGINT) - 1"
    return f"CAST(floor(date_diff('day', DATE '1970-01-05', CAST({day} AS DATE)) / 7) AS BIGINT)"


def cohorts_sql(conversion: str, unit: Unit, back: int = 12) -> str:
    """Return the SELECT of cohorts: `cohort` (its number), `later` (0: its own), `people` and their `value`.

    A cohort of month 2026-11 has the number 2026 × 12 + 10; of weeks it is counted from Monday, 1970-01-05.
    """
    of = f"conversion = {quoted(conversion)} AND counts = 1 AND person_key IS NOT NULL"
    rows = f"SELECT * FROM conversions WHERE {of}"
    return f"""SELECT cohort, number - cohort AS later, count(DISTINCT person_key) AS people,
  sum(coalesce(amount, 0)) AS value
FROM (
  SELECT c.person_key, c.amount, {_number("c.day", unit)} AS number, {_number("f.first_day", unit)} AS cohort
  FROM ({rows}) AS c
  JOIN (SELECT person_key, min(day) AS first_day FROM ({rows}) AS all_of GROUP BY person_key) AS f
    ON f.person_key = c.person_key
) AS placed
WHERE cohort > (SELECT max({_number("day", unit)}) FROM ({rows}) AS newest) - {int(back)}
GROUP BY cohort, number - cohort ORDER BY cohort, later"""
