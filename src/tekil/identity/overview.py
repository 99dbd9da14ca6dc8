"""Identity at large: how many identifiers people have, what was refused, and what is shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from tekil.identity.explain import Name
from tekil.identity.keys import person_id
from tekil.warehouse import Warehouse

SIZES = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 50), (51, None))
"""Identifiers of a person, from and to, in the distribution."""

DAYS = 30
ROWS = 50
"""Conflicts, and shared identifiers, that are listed."""


class Size(msgspec.Struct, frozen=True):
    """How many persons have so many identifiers; without `most` there is no end."""

    least: int
    most: int | None
    persons: int


class Conflict(msgspec.Struct, frozen=True):
    """A link that was refused, with both its ends' persons and references that give nothing away.

    `is_said` says that somebody said of these very two that they differ: that can be taken back.
    """

    left: Name
    right: Name
    left_person: str
    right_person: str
    left_reference: str
    right_reference: str
    kind: str
    messages: int
    last_seen: datetime
    is_said: bool


class Shared(msgspec.Struct, frozen=True):
    """An identifier that joins nobody: why, and with how many others it was named."""

    name: Name
    reference: str
    reason: str
    others: int


class Overview(msgspec.Struct, frozen=True):
    """What the page of identity shows. `conflict_days` counts those last seen on each of the last `DAYS`."""

    persons: int
    identifiers: int
    sizes: list[Size]
    conflicts: int
    conflict_days: list[int]
    latest_conflicts: list[Conflict]
    shared_by_reason: dict[str, int]
    shared: list[Shared]


_SIZES = """
SELECT size, count(*) AS persons FROM (
  SELECT person_key, count(*) AS size FROM identity GROUP BY person_key
) AS sized GROUP BY size
"""

_CONFLICT_DAYS = """
SELECT CAST(CAST(last_seen AS DATE) AS VARCHAR) AS day, count(*) AS conflicts FROM conflicts
GROUP BY CAST(CAST(last_seen AS DATE) AS VARCHAR)
"""

_CONFLICTS = f"""
SELECT c.left_key, c.right_key, c.kind, c.messages, c.last_seen, l.kind AS left_kind, l.value AS left_value,
  l.person_key AS left_person, r.kind AS right_kind, r.value AS right_value, r.person_key AS right_person
FROM (SELECT * FROM conflicts ORDER BY last_seen DESC, left_key, right_key LIMIT {ROWS}) AS c
JOIN identity l ON l.identifier_key = c.left_key JOIN identity r ON r.identifier_key = c.right_key
ORDER BY c.last_seen DESC, c.left_key, c.right_key
"""

_SPLIT = "SELECT left_key, right_key FROM evidence WHERE how = 'asserted' AND act = 'split'"

_SHARED = f"""
SELECT s.identifier_key, s.reason, i.kind, i.value
FROM (SELECT * FROM shared ORDER BY reason, identifier_key LIMIT {ROWS}) AS s
JOIN identity i ON i.identifier_key = s.identifier_key ORDER BY s.reason, i.kind, i.value
"""

_OTHERS = """
SELECT left_key, right_key FROM evidence
WHERE (left_key IN ({keys}) OR right_key IN ({keys})) AND left_key <> right_key GROUP BY left_key, right_key
"""


def look_over(warehouse: Warehouse, today: date) -> Overview:
    """Return identity at large, with tokens in the place of values."""
    sizes = {row["size"]: int(row["persons"]) for row in warehouse.read(_SIZES).to_pylist()}
    days = {row["day"]: int(row["conflicts"]) for row in warehouse.read(_CONFLICT_DAYS).to_pylist()}
    last = [(today - timedelta(days=back)).isoformat() for back in range(DAYS - 1, -1, -1)]
    reasons = warehouse.read("SELECT reason, count(*) AS shared FROM shared GROUP BY reason").to_pylist()
    return Overview(
        sum(sizes.values()),
        sum(size * persons for size, persons in sizes.items()),
        distribution(sizes),
        sum(days.values()),
        [days.get(day, 0) for day in last],
        _conflicts(warehouse),
        {row["reason"]: int(row["shared"]) for row in reasons},
        _shared(warehouse),
    )


def distribution(sizes: dict[int, int]) -> list[Size]:
    """Return how many persons fall into each of `SIZES`, by how many have each number of identifiers.

    >>> [size.persons for size in distribution({1: 5, 2: 3, 4: 1, 5: 1, 80: 1})]
    [5, 3, 0, 2, 0, 0, 0, 1]
    """
    return [
        Size(
            least,
            most,
            sum(n for size, n in sizes.items() if least <= size and (most is None or size <= most)),
        )
        for least, most in SIZES
    ]


def _conflicts(warehouse: Warehouse) -> list[Conflict]:
    rows = warehouse.read(_CONFLICTS).to_pylist()
    if not any(row["kind"] == "split" for row in rows):
        return [_conflict(row, is_said=False) for row in rows]
    split = {(row["left_key"], row["right_key"]) for row in warehouse.read(_SPLIT).to_pylist()}
    return [_conflict(row, is_said=(row["left_key"], row["right_key"]) in split) for row in rows]


def _conflict(row: dict[str, Any], *, is_said: bool) -> Conflict:
    return Conflict(
        Name(row["left_kind"], row["left_value"]),
        Name(row["right_kind"], row["right_value"]),
        person_id(row["left_person"]),
        person_id(row["right_person"]),
        person_id(row["left_key"]),
        person_id(row["right_key"]),
        row["kind"],
        row["messages"],
        row["last_seen"],
        is_said,
    )


def _shared(warehouse: Warehouse) -> list[Shared]:
    rows = warehouse.read(_SHARED).to_pylist()
    keys = [row["identifier_key"] for row in rows]
    others = _others(warehouse, keys) if keys else {}
    return [
        Shared(
            Name(row["kind"], row["value"]),
            person_id(row["identifier_key"]),
            row["reason"],
            others.get(row["identifier_key"], 0),
        )
        for row in rows
    ]


def _others(warehouse: Warehouse, keys: Sequence[int]) -> dict[int, int]:
    counted: dict[int, int] = defaultdict(int)
    wanted = set(keys)
    listed = ", ".join(str(int(key)) for key in keys)
    for row in warehouse.read(_OTHERS.format(keys=listed)).to_pylist():
        for key in (row["left_key"], row["right_key"]):
            if key in wanted:
                counted[key] += 1
    return counted
