"""How often an event counts, as the dictionary says: each time, once a person, or once for each span."""

from __future__ import annotations

from collections.abc import Iterable

from tekil.dictionary.model import Event, Window
from tekil.dictionary.sql import quoted

COUNTED = "counted_events"
"""The view of what counts."""

UNIT_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 7 * 86_400}


def window_us(per: str) -> int:
    """Return a window's length in microseconds.

    >>> window_us("30 minutes")
    1800000000
    """
    count, _, unit = per.partition(" ")
    return int(count) * UNIT_SECONDS[unit.removesuffix("s")] * 1_000_000


def counted_events(events: Iterable[Event]) -> str:
    """Return the SELECT of the `track` events that count, over `events`, `identity` and `ownership`.

    Of what counts once, a person's first; of what counts once for each span, the first of each. Spans begin
    at the epoch (UTC), not at the event before: so what counts does not depend on what else is known.
    """
    cases = "".join(
        f" WHEN event = {quoted(event.name)} THEN {_span(event.spec.counting)}"
        for event in events
        if event.spec.type == "track" and event.spec.counting != "each"
    )
    span = f"CASE{cases} ELSE message_key END" if cases else "message_key"
    return f"""
        SELECT person_id_of(person_key) AS person_id, person_key, message_key, source, event, occurred_at
        FROM (
          SELECT *, row_number() OVER (
            PARTITION BY person_key, event, span ORDER BY occurred_at, message_key) AS place
          FROM (
            SELECT coalesce(o.person_key, i.person_key) AS person_key, e.message_key, e.source, e.event,
              e.occurred_at, e.span
            FROM (
              SELECT identifier_key, message_key, source, event, occurred_at, {span} AS span
              FROM events WHERE type = 'track'
            ) AS e JOIN identity i ON i.identifier_key = e.identifier_key
            LEFT JOIN ownership o ON o.identifier_key = e.identifier_key
              AND e.occurred_at >= o.valid_from AND e.occurred_at < o.valid_until
          ) AS spanned
        ) AS placed WHERE place = 1"""


def _span(counting: str | Window) -> str:
    if isinstance(counting, Window):
        return f"CAST(floor(epoch_us(occurred_at) / {window_us(counting.per)}) AS BIGINT)"
    return "CAST(0 AS BIGINT)"
