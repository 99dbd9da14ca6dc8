"""Money in SQL: sums in the workspace's currency, to the kuruş, by the rate of the day."""

from __future__ import annotations

from tekil.dictionary.sql import quoted

RATE = "currency_rate"
"""The record of a rate: key `day` and `currency`, field `rate`, in the workspace's currency for one."""


def latest(object_name: str) -> str:
    """Return the SELECT of the records of an object as they were said last."""
    return f"""SELECT record_key, key, fields, identifiers, occurred_at FROM (
  SELECT *, row_number() OVER (
    PARTITION BY record_key ORDER BY occurred_at DESC, source DESC, message_key DESC) AS place
  FROM record_changes WHERE object = {quoted(object_name)}
) AS changes WHERE place = 1"""


def member(*names: str) -> str:
    """Return the SQL of a record's member, wherever it stands and whichever of some names it has."""
    found = [f"{read}({column}, '{name}')" for name in names for read, column in _READERS]
    return f"coalesce({', '.join(found)})"


_READERS = (("json_member", "key"), ("variant_text", "fields"))

RATES = f"""SELECT currency, day AS from_day, rate,
  coalesce(lead(day) OVER (PARTITION BY currency ORDER BY day), '9999') AS until_day
FROM (
  SELECT {member("currency")} AS currency, {member("day", "date")} AS day,
    decimal_of({member("rate")}) AS rate
  FROM ({latest(RATE)}) AS said
) AS rates_said WHERE rate > 0 AND day IS NOT NULL"""
"""Each currency's rate and the days for which it counts: from the one it was said for to the next."""


def in_currency(amounts: str, base: str) -> str:
    """Return the SELECT of rows with their `amount` in the workspace's currency, null where no rate is known.

    `amounts` gives `said` (a DECIMAL), `currency` (null: the workspace's) and `day` besides what else it has.
    What was converted is rounded to hundredths; what was not is as it was said.
    """
    return f"""SELECT a.*, CASE WHEN coalesce(a.currency, {quoted(base)}) = {quoted(base)} THEN a.said
    ELSE CAST(CAST(a.said * r.rate AS DECIMAL(18, 2)) AS DECIMAL(18, 4)) END AS amount
FROM ({amounts}) AS a
LEFT JOIN ({RATES}) AS r ON r.currency = a.currency AND a.day >= r.from_day AND a.day < r.until_day"""
