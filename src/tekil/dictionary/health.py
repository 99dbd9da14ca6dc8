"""How well what is said keeps to the dictionary: counts by event, source, field and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import msgspec
import pyarrow as pa

from tekil.dictionary.model import Alerts

Read = Callable[[str], pa.Table]

DAYS = 30
"""How far back health looks."""

LATE_HOURS = 24
"""A message that arrives so long after it happened is late."""

ALERT_LEAST = 5
"""Fewer messages than that are no share of anything, and alert nobody."""

TYPE_RULES = ("not_text", "not_a_number", "not_an_integer", "not_a_boolean", "not_an_instant", "not_a_list",
              "not_an_object")  # fmt: skip
UNDEFINED = ("undefined", "event_undefined")


class Violation(msgspec.Struct, frozen=True):
    """How often messages of a source broke a rule on a day (UTC, of receipt)."""

    source: str
    event: str
    field: str
    rule: str
    mode: str
    day: str
    messages: int


class Said(msgspec.Struct, frozen=True):
    """How many messages of a source's event were loaded in the last `DAYS`, and how many of them late."""

    source: str
    event: str
    messages: int
    late: int


class Measure(msgspec.Struct, frozen=True):
    """One line of data quality: what is wrong (`missing`, `invalid`, …), where, how often, day by day.

    `share` is of all messages of that source (and event); `days` has `DAYS` counts, the oldest first.
    """

    kind: str
    source: str
    event: str
    field: str
    messages: int
    share: float
    days: list[int]
    alert: bool


def days_back(today: date) -> list[str]:
    """Return the last `DAYS` days, today last, as the violations table writes them."""
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS - 1, -1, -1)]


def violations(read: Read, today: date) -> list[Violation]:
    """Return what was broken in the last `DAYS`, the newest and most frequent first."""
    rows = read(
        "SELECT source, event, field, rule, mode, day, messages FROM violations"
        f" WHERE day >= '{days_back(today)[0]}' ORDER BY day DESC, messages DESC, event, field, rule, source"
    ).to_pylist()
    return [Violation(**{**row, "messages": int(row["messages"])}) for row in rows]


def said(read: Read, today: date) -> list[Said]:
    """Return what was loaded in the last `DAYS`, by source and `track` event."""
    since = datetime.fromisoformat(days_back(today)[0])
    rows = read(
        "SELECT source, event, count(*) AS messages, count(*) FILTER (WHERE received_at = known_at AND"
        f" occurred_at < received_at - INTERVAL {LATE_HOURS} HOUR) AS late"
        f" FROM events WHERE type = 'track' AND received_at >= TIMESTAMP '{since.isoformat(sep=' ')}'"
        " GROUP BY source, event ORDER BY messages DESC, event, source"
    ).to_pylist()
    return [Said(row["source"], row["event"], int(row["messages"]), int(row["late"])) for row in rows]


def late_by_day(read: Read, today: date) -> dict[str, dict[str, int]]:
    """Return how many late messages each source sent, by day of receipt."""
    since = datetime.fromisoformat(days_back(today)[0])
    rows = read(
        "SELECT source, CAST(CAST(received_at AS DATE) AS VARCHAR) AS day, count(*) AS messages FROM events"
        f" WHERE received_at >= TIMESTAMP '{since.isoformat(sep=' ')}' AND received_at = known_at"
        f" AND occurred_at < received_at - INTERVAL {LATE_HOURS} HOUR"
        " GROUP BY source, CAST(CAST(received_at AS DATE) AS VARCHAR)"
    ).to_pylist()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row["source"]][row["day"]] = int(row["messages"])
    return found


def duplicates(read: Read) -> dict[str, tuple[int, int]]:
    """Return, by source, how many messages came a second time and how many came at all, ever."""
    rows = read("SELECT source, duplicate, loaded + quarantined + duplicate AS messages FROM ledger")
    return {row["source"]: (int(row["duplicate"]), int(row["messages"])) for row in rows.to_pylist()}


def measures(read: Read, alerts: Alerts, today: date) -> list[Measure]:
    """Return every line of data quality that is not zero: alerts first, then the most frequent."""
    broken, loaded = violations(read, today), said(read, today)
    lines = _broken_lines(broken, loaded, alerts, today)
    by_source: dict[str, int] = defaultdict(int)
    for one in loaded:
        by_source[one.source] += one.messages
    for source, by_day in late_by_day(read, today).items():
        counts = [by_day.get(day, 0) for day in days_back(today)]
        lines.append(_line("late", source, "", "", counts, by_source[source], alerts.late))
    for source, (again, messages) in duplicates(read).items():
        if again:
            share = again / messages
            lines.append(
                Measure(
                    "duplicate",
                    source,
                    "",
                    "",
                    again,
                    share,
                    [],
                    again >= ALERT_LEAST and share > alerts.duplicate,
                )
            )
    return sorted(
        lines, key=lambda line: (not line.alert, -line.messages, line.source, line.event, line.field)
    )


def _broken_lines(
    broken: Sequence[Violation], loaded: Sequence[Said], alerts: Alerts, today: date
) -> list[Measure]:
    counted: dict[tuple[str, str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    held_back: dict[tuple[str, str], int] = defaultdict(int)
    for one in broken:
        if one.rule in UNDEFINED:
            continue
        kind = "missing" if one.rule == "missing" else "invalid"
        counted[kind, one.source, one.event, one.field][one.day] += one.messages
        if one.mode == "quarantine":
            held_back[one.source, one.event] += one.messages
    whole = {(one.source, one.event): one.messages for one in loaded}
    limits = {"missing": alerts.missing, "invalid": alerts.invalid}
    lines = []
    for (kind, source, event, field), by_day in counted.items():
        counts = [by_day.get(day, 0) for day in days_back(today)]
        everything = whole.get((source, event), 0) + held_back[source, event]
        lines.append(_line(kind, source, event, field, counts, everything, limits[kind]))
    for event, field, sources in disagreements(broken, loaded):
        lines.append(Measure("inconsistent", ", ".join(sources), event, field, 0, 0.0, [], True))
    return lines


def disagreements(broken: Sequence[Violation], loaded: Sequence[Said]) -> list[tuple[str, str, list[str]]]:
    """Return (event, field, sources) where these sources say another type than others of the event."""
    wrong: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in broken:
        if one.rule in TYPE_RULES:
            wrong[one.event, one.field].add(one.source)
    saying: dict[str, set[str]] = defaultdict(set)
    for told in loaded:
        saying[told.event].add(told.source)
    return [
        (event, field, sorted(sources))
        for (event, field), sources in sorted(wrong.items())
        if saying[event] - sources
    ]


def _line(
    kind: str, source: str, event: str, field: str, counts: list[int], everything: int, limit: float
) -> Measure:
    messages = sum(counts)
    share = messages / max(everything, messages, 1)
    return Measure(
        kind, source, event, field, messages, share, counts, messages >= ALERT_LEAST and share > limit
    )
