"""What each class of data is, where it is, how much of it is over, and how it goes: a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tekil.engine import Engine
from tekil.identity.sql import of_persons
from tekil.load import EVENTS, RECORD_CHANGES, Floor, Floors, texts_of
from tekil.load.floors import count_destroyed, write_destroyed
from tekil.log import Log
from tekil.privacy import KeyRing
from tekil.retention.loose import stage_loosened, write_loosened
from tekil.retention.model import DataClass, Rule
from tekil.store import DataKey, Store
from tekil.warehouse import Table, Warehouse

PEOPLE_AT_ONCE = 500
"""Whose history one step looks through: it takes about as long as a cycle of as many people."""

ROWS_AT_ONCE = 5_000
PAGES_AT_ONCE = 500

Rows = list[dict[str, Any]]
Read = Callable[[str], Rows]


@dataclass(frozen=True, slots=True)
class Places:
    """Where data is; `keys` seal the log."""

    log: Log
    store: Store
    keys: KeyRing


def microseconds(instant: datetime) -> int:
    """Return an instant (UTC, without a zone) as the store writes it."""
    return int(instant.replace(tzinfo=UTC).timestamp()) * 1_000_000


def floors_of(rules: list[Rule], now: datetime) -> list[Floor]:
    """Return the floors that rules about events and records want at an instant."""
    floored = [rule for rule in rules if rule.spec.of in ("events", "records")]
    return [Floor(rule.spec.source, rule.spec.event, rule.cutoff(now), rule.spec.object) for rule in floored]


def count_events(read: Read, floors: Floors) -> dict[tuple[str, str], int]:
    """Return how many events lie beneath each floor, by its source and event."""
    if not floors.behaviour:
        return {}
    number = floors.case(str(n) for n in range(len(floors.behaviour)))
    rows = read(
        f"SELECT {number} AS floor, count(*) AS messages FROM events WHERE {floors.beneath()}"
        f" GROUP BY {number}"
    )
    return {
        (floor.source, floor.event): int(row["messages"])
        for row in rows
        for floor in (floors.behaviour[int(row["floor"])],)
    }


def count_records(read: Read, floors: Floors, of: str) -> int:
    """Return how much was said of the records of an object that lies beneath its floor."""
    rows = read(f"SELECT count(*) AS n FROM {RECORD_CHANGES.name} WHERE {floors.records_beneath(of)}")
    return int(rows[0]["n"]) if rows else 0


def count_over(read: Read, places: Places, of: DataClass, before: datetime) -> int:
    """Return how much of a class that has no floors is over."""
    at, literal = microseconds(before), f"TIMESTAMP '{before.isoformat(sep=' ')}'"
    match of:
        case "log":
            return len(days_over(places, before))
        case "quarantine":
            rows = read(f"SELECT sum(messages) AS n FROM quarantine WHERE received_at < {literal}")
            return int(rows[0]["n"] or 0) if rows else 0
        case "people":
            rows = read(f"SELECT count(*) AS n FROM activity WHERE last_seen < {literal}")
            return int(rows[0]["n"]) if rows else 0
        case "consents":
            return places.store.consents.proofs_over(at)
        case "requests":
            return places.store.requests.count_closed(at)
        case "leads":
            return places.store.leads.count_closed(at)
        case "sessions":
            return places.store.sessions.count_over(at)
        case "events" | "records":
            return 0


def destroy_events(engine: Engine, source: str, event: str) -> Iterator[int]:
    """Take out what lies beneath a floor, some people's at a time; yield how many messages went."""
    gone = engine.floors.beneath(source, event)
    while True:
        engine.warehouse.derive(
            "retiring",
            f"SELECT DISTINCT identifier_key FROM (SELECT identifier_key FROM events WHERE {gone}"
            f" LIMIT {PEOPLE_AT_ONCE}) AS some",
        )
        engine.warehouse.pick("retiring_rows", EVENTS.name, EVENTS.column_names, "retiring")
        taken = _take_out(engine, EVENTS, f"SELECT * FROM retiring_rows WHERE {gone}")
        if not taken:
            return
        yield taken


def destroy_records(engine: Engine, of: str) -> Iterator[int]:
    """Take out what was said of an object's records beneath its floor; yield how many messages went."""
    gone = engine.floors.records_beneath(of)
    while True:
        taken = _take_out(
            engine, RECORD_CHANGES, f"SELECT * FROM {RECORD_CHANGES.name} WHERE {gone} LIMIT {ROWS_AT_ONCE}"
        )
        if not taken:
            return
        yield taken


def destroy_people(engine: Engine, before: datetime) -> Iterator[int]:
    """Take out all that was said by people who were not seen since an instant; yield how many people went."""
    while True:
        engine.warehouse.derive(
            "unseen",
            f"SELECT person_key FROM activity WHERE last_seen < TIMESTAMP '{before.isoformat(sep=' ')}'"
            f" LIMIT {PEOPLE_AT_ONCE}",
        )
        people = _count(engine.warehouse, "unseen")
        if not people:
            return
        engine.warehouse.derive(
            "retiring",
            " UNION ".join(
                f"SELECT identifier_key FROM {table} WHERE person_key IN (SELECT person_key FROM unseen)"
                for table in ("identity", "ownership")
            ),
        )
        engine.warehouse.pick("retiring_rows", EVENTS.name, EVENTS.column_names, "retiring")
        # A device that others used since was theirs for a while only; what others did with it stays.
        theirs = of_persons("retiring_rows", "identity", "ownership", "unseen")
        if not _take_out(engine, EVENTS, theirs):
            return
        yield people


def _take_out(engine: Engine, table: Table, rows: str) -> int:
    """Take the messages of the rows of a SELECT out of a table; return how many they were."""
    warehouse = engine.warehouse
    warehouse.derive("retiring_messages", rows)
    taken = _count(warehouse, "retiring_messages")
    if taken:
        warehouse.derive(
            "retired",
            "SELECT source, count(*) AS loaded, 0 AS quarantined FROM retiring_messages GROUP BY source",
        )
        count_destroyed(warehouse, "retired")
        stage_loosened(warehouse, f"SELECT {texts_of(table)} AS text FROM retiring_messages")

        def beside(warehouse: Warehouse) -> None:
            write_destroyed(warehouse)
            write_loosened(warehouse)

        engine.take_out(table, "SELECT message_key FROM retiring_messages", beside)
    for relation in ("retiring_rows", "retiring_messages"):
        warehouse.drop(relation)
    return taken


def destroy_quarantined(engine: Engine, before: datetime) -> Iterator[int]:
    """Take out of quarantine what was received before an instant; yield how many messages went."""
    warehouse = engine.warehouse
    literal = f"TIMESTAMP '{before.isoformat(sep=' ')}'"
    while True:
        warehouse.derive(
            "retiring_bodies",
            f"SELECT DISTINCT position FROM (SELECT position FROM quarantine WHERE received_at < {literal}"
            f" LIMIT {ROWS_AT_ONCE}) AS some",
        )
        warehouse.derive(
            "retired",
            "SELECT source, 0 AS loaded, sum(messages) AS quarantined FROM quarantine"
            " WHERE position IN (SELECT position FROM retiring_bodies) GROUP BY source",
        )
        counted = warehouse.query("SELECT sum(quarantined) AS n FROM retired")["n"][0].as_py()
        if not counted:
            return
        count_destroyed(warehouse, "retired")
        with warehouse.transaction():
            write_destroyed(warehouse)
            warehouse.remove("quarantine", "position", "retiring_bodies")
        yield int(counted)


def days_over(places: Places, before: datetime) -> list[DataKey]:
    """Return the keys of the log's days that ended before an instant, oldest first."""
    found = [(key.purpose.partition(" "), key) for key in places.store.data_keys.all()]
    return [key for (purpose, _, day), key in found if purpose == "log" and day < before.date().isoformat()]


def destroy_log(places: Places, loaded_up_to: int, before: datetime) -> Iterator[int]:
    """Let go of the raw messages of days that are over and loaded; yield how many days went.

    When nothing of a day is left its key is destroyed, so copies of it that lie anywhere are gone, too.
    """
    over = {key.id for key in days_over(places, before)}
    while places.log.forget(over, loaded_up_to, PAGES_AT_ONCE):
        yield 0
    for key_id in sorted(over - places.log.oldest_keys(PAGES_AT_ONCE)):
        places.keys.destroy(key_id)
        yield 1


def destroy_in_store(places: Places, of: DataClass, before: datetime) -> Iterator[int]:
    """Let go of what people decided long ago; yield how many rows went."""
    at = microseconds(before)
    forget: Mapping[str, Callable[[int], int]] = {
        "consents": places.store.consents.forget_proofs,
        "requests": places.store.requests.forget_closed,
        "leads": places.store.leads.forget_closed,
        "sessions": places.store.sessions.forget_over,
    }
    while gone := forget[of](at):
        yield gone


def _count(warehouse: Warehouse, relation: str) -> int:
    return int(warehouse.query(f"SELECT count(*) AS n FROM {relation}")["n"][0].as_py())
