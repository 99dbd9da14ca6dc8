"""How far back what people did, and what was said of things, is kept: older messages are gone as they come.

A floor says of a source, an event, both or all, or of the records of an object: nothing from before an
instant. Floors only rise, so what
retention took out stays out, whatever is said again, and whatever rules come later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import pyarrow as pa

from tekil.dictionary.sql import quoted
from tekil.load.tables import DESTROYED, FLOORS
from tekil.warehouse import Warehouse, arrow_schema

BEHAVIOUR = ("track", "page", "screen", "group")
"""Messages that say what somebody did. Who somebody is (identify, alias) lasts as long as the person does."""

_TYPES = ", ".join(quoted(name) for name in BEHAVIOUR)


class Floor(msgspec.Struct, frozen=True, order=True):
    """Nothing of a source and event (empty for all), or of an object's records, from before `until` (UTC)."""

    source: str
    event: str
    until: datetime
    object: str = ""

    def covers(self, other: Floor) -> bool:
        """Return whether the floor speaks of at least what another speaks of."""
        if self.object or other.object:
            return self.object == other.object
        return self.source in ("", other.source) and self.event in ("", other.event)


class Floors:
    """All floors of a warehouse. The most particular one decides: source and event, event, source, all."""

    def __init__(self, floors: Iterable[Floor] = ()) -> None:
        """Take the floors, in any order."""
        self.all = sorted(floors, key=_particular)
        self.behaviour = [floor for floor in self.all if not floor.object]

    @classmethod
    def read(cls, warehouse: Warehouse) -> Floors:
        """Return the floors that are committed."""
        rows = warehouse.query(f"SELECT source, event, until, object FROM {FLOORS.name}").to_pylist()
        # An earlier version knew floors of what people did only, and left their object out.
        return cls(Floor(row["source"], row["event"], row["until"], row["object"] or "") for row in rows)

    def raised(self, wanted: Sequence[Floor]) -> Floors:
        """Return the floors with these raised to what is wanted, never below what holds for them now."""
        known = {(floor.source, floor.event, floor.object): floor for floor in self.all}
        for floor in wanted:
            above = [one.until for one in self.all if one.covers(floor)]
            known[floor.source, floor.event, floor.object] = msgspec.structs.replace(
                floor, until=max([floor.until, *above[:1]])
            )
        return Floors(known.values())

    def write(self, warehouse: Warehouse) -> None:
        """Put these floors in force, inside a transaction."""
        rows = [msgspec.structs.asdict(floor) for floor in self.all]
        warehouse.stage("raised_floors", pa.Table.from_pylist(rows, schema=arrow_schema(FLOORS)))
        warehouse.overwrite(FLOORS.name, "SELECT * FROM raised_floors")

    def beneath(self, *only: str) -> str:
        """Return the condition, over the columns of events, of what is gone; never null.

        With `only` a source and an event: of what that one floor decides about.
        """
        if not self.behaviour:
            return "FALSE"
        until = self.case(
            _literal(floor) if not only or only == (floor.source, floor.event) else "NULL"
            for floor in self.behaviour
        )
        return f"coalesce(type IN ({_TYPES}) AND occurred_at < {until}, FALSE)"

    def records_beneath(self, *only: str) -> str:
        """Return the condition, over the columns of record changes, of what is gone; never null.

        With `only` an object: of that object's.
        """
        floors = [floor for floor in self.all if floor.object and (not only or floor.object in only)]
        cases = (f"(object = {quoted(floor.object)} AND occurred_at < {_literal(floor)})" for floor in floors)
        return f"coalesce({' OR '.join(cases)}, FALSE)" if floors else "FALSE"

    def case(self, answers: Iterable[str]) -> str:
        """Return the SQL that chooses one of `answers`, one for each of `behaviour`, for a message."""
        cases = " ".join(
            f"WHEN {_about(floor)} THEN {answer}"
            for floor, answer in zip(self.behaviour, answers, strict=True)
        )
        return f"CASE {cases} END"


def _particular(floor: Floor) -> tuple[int, str, str]:
    rank = 0 if floor.source and floor.event else 1 if floor.event else 2 if floor.source else 3
    return rank, floor.source or floor.object, floor.event


def _literal(floor: Floor) -> str:
    return f"TIMESTAMP '{floor.until.isoformat(sep=' ')}'"


def _about(floor: Floor) -> str:
    said = {"source": floor.source, "event": floor.event}
    return " AND ".join(f"{name} = {quoted(text)}" for name, text in said.items() if text) or "TRUE"


def set_aside(warehouse: Warehouse, floors: Floors) -> bool:
    """Take out of `opened` what is gone already, and count it in `retired`; return whether there was any."""
    if not floors.all:
        return False
    gone = f"NOT is_wrong AND ({floors.beneath()} OR (type = 'record' AND {floors.records_beneath()}))"
    if not warehouse.query(f"SELECT position FROM opened WHERE {gone} LIMIT 1").num_rows:
        return False
    warehouse.derive(
        "retired",
        "SELECT source, count(*) AS loaded, 0 AS quarantined, max(received_at) AS last_received"
        f" FROM opened WHERE {gone} GROUP BY source",
    )
    warehouse.derive("opened", f"SELECT * FROM opened WHERE NOT ({gone})")
    return True


def count_retired(warehouse: Warehouse) -> None:
    """Put into `new_ledger` what `set_aside` took out: it is loaded, and destroyed at once."""
    warehouse.derive("new_ledger", _WITH_RETIRED)
    count_destroyed(warehouse, "retired")


def count_destroyed(warehouse: Warehouse, counts: str) -> None:
    """Stage `new_destroyed`: how much was ever destroyed of the sources in `counts`, with these in it."""
    warehouse.derive("new_destroyed", _WITH_DESTROYED.format(counts=counts))


def write_destroyed(warehouse: Warehouse) -> None:
    """Write what `count_destroyed` staged, inside the transaction of the destruction."""
    warehouse.replace(DESTROYED.name, "new_destroyed", "SELECT * FROM new_destroyed")


_WITH_RETIRED = """
SELECT source, sum(loaded) AS loaded, sum(quarantined) AS quarantined, sum(duplicate) AS duplicate,
  sum(erased) AS erased, max(last_received) AS last_received
FROM (
  SELECT source, loaded, quarantined, duplicate, erased, last_received FROM new_ledger
  UNION ALL
  SELECT source, loaded, quarantined, 0 AS duplicate, 0 AS erased, last_received FROM retired
) AS counts GROUP BY source
"""

_WITH_DESTROYED = """
SELECT source, CAST(sum(loaded) AS BIGINT) AS loaded, CAST(sum(quarantined) AS BIGINT) AS quarantined
FROM (
  SELECT source, loaded, quarantined FROM destroyed WHERE source IN (SELECT source FROM {counts})
  UNION ALL
  SELECT source, loaded, quarantined FROM {counts}
) AS counts GROUP BY source
"""
