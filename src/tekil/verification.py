"""Does what we show follow from what we kept? A fresh rebuild, compared row by row with the live tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tekil.engine import Engine
from tekil.models import (
    AUDIENCE_SIZES,
    AUDIENCES,
    MEMBERS,
    Bindings,
    CardRows,
    build_cards,
    derive,
    memberships_of,
)
from tekil.publishing import CARDS_AT_ONCE
from tekil.waking import DUE_MAX
from tekil.warehouse import Warehouse

ROWS_SHOWN = 20
"""Differing rows that are shown of each table and side."""

NOISE_US = 10
"""Microseconds by which arithmetic may make an instant another one."""


class Difference(msgspec.Struct, frozen=True):
    """A row that should be in a table and is not (`missing`), or is and should not be (`unexpected`)."""

    table: str
    kind: str
    row: dict[str, Any]


class Verification(msgspec.Struct, frozen=True):
    """The outcome: what was compared, and what differed. `rows` counts the rows of each live table."""

    rows: dict[str, int]
    differences: list[Difference]
    ledger: list[str]

    @property
    def holds(self) -> bool:
        """Whether everything follows from what was kept."""
        return not self.differences and not self.ledger


def verify(engine: Engine) -> Verification:
    """Compare a fresh rebuild with the live tables and the cards, and check the ledger.

    Runs on the engine's own thread, between cycles; the collector keeps accepting meanwhile. People whose
    time had come by the last cycle's clock are refreshed first, so that both sides mean the same `now()`.
    """
    while (cycle := engine.step()) is not None and cycle.woken == DUE_MAX:
        pass
    warehouse = engine.warehouse
    marks = warehouse.marks()
    if marks.clock is None:
        return Verification({}, [], check_ledger(engine))
    warehouse.set_now(marks.clock)
    with warehouse.bulk():
        staged = derive(warehouse, engine.models, Bindings.all(), "fresh_", engine.policy)
    early = {m.name: m.table.column_names for m in engine.models if m.wakes_itself}
    differences = [*compare(warehouse, staged, early), *compare_members(engine)]
    rows = {
        table: int(warehouse.query(f"SELECT count(*) AS n FROM {table}")["n"][0].as_py()) for table in staged
    }
    for relation in staged.values():
        warehouse.drop(relation)
    differences += compare_cards(engine)
    return Verification({**rows, "cards": engine.store.cards.count()}, differences, check_ledger(engine))


def compare(
    warehouse: Warehouse, staged: Mapping[str, str], early: Mapping[str, Sequence[str]] = {}
) -> list[Difference]:
    """Return the rows in which each table and its staged counterpart differ, some of each.

    In tables that may wake people `early` (with their columns) it is enough that nobody sleeps longer than
    the fresh row says.
    """
    found = []
    for table, fresh in staged.items():
        columns = ", ".join(f'"{name}"' for name in early.get(table, ()) if name != "wake_at") or "*"
        for kind, one, other in (("missing", fresh, table), ("unexpected", table, fresh)):
            rows = warehouse.query(
                f"SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other} LIMIT {ROWS_SHOWN}"
            )
            found += [Difference(table, kind, row) for row in rows.to_pylist()]
        if table in early:
            found += _oversleeping(warehouse, table, fresh)
    return found


def _oversleeping(warehouse: Warehouse, table: str, fresh: str) -> list[Difference]:
    """Return who would wake later than a fresh row says."""
    rows = warehouse.query(f"""
        SELECT l.person_key, l.wake_at, f.wake_at AS expected
        FROM {table} AS l JOIN {fresh} AS f ON f.person_key = l.person_key
        WHERE f.wake_at IS NOT NULL AND (l.wake_at IS NULL OR l.wake_at > shifted(f.wake_at, {NOISE_US}))
        LIMIT {ROWS_SHOWN}""")
    return [Difference(table, "unexpected", row) for row in rows.to_pylist()]


def compare_members(engine: Engine) -> list[Difference]:
    """Return where who is said to be in an audience, and how many, is not what the audiences' rows say."""
    audiences = next((model for model in engine.models if model.name == AUDIENCES), None)
    holds = (
        {}
        if audiences is None
        else {
            name: f'"{name}"' if name in audiences.columns else _is_at(name)
            for name in memberships_of(audiences)
        }
    )
    asked = ", ".join(f'count(*) FILTER (WHERE {what}) AS "{name}"' for name, what in holds.items())
    rows = engine.warehouse.query(f"SELECT {asked} FROM {AUDIENCES}").to_pylist()[0] if holds else {}
    found = []
    for name, expected in rows.items():
        told = engine.warehouse.query(f"""
            SELECT count(*) AS members, count(a.person_key) AS confirmed,
              coalesce((SELECT arg_max(people, hour) FROM {AUDIENCE_SIZES.name}
                WHERE audience = '{name}'), 0) AS people
            FROM {MEMBERS.name} m LEFT JOIN (SELECT person_key FROM {AUDIENCES} WHERE {holds[name]}) AS a
              ON a.person_key = m.person_key
            WHERE m.audience = '{name}'""").to_pylist()[0]
        if set(told.values()) != {expected}:
            found.append(Difference(MEMBERS.name, "unexpected", {"audience": name, "rows": expected, **told}))
    return found


def _is_at(name: str) -> str:
    column, _, value = name.partition(".")
    return f"\"{column}\" = '{value}'"


def compare_cards(engine: Engine) -> list[Difference]:
    """Return the cards that are not what their person's rows say, and those of nobody."""
    found: list[Difference] = []
    warehouse, cards = engine.warehouse, engine.store.cards
    people = warehouse.query("SELECT person_key FROM activity ORDER BY person_key")
    for start in range(0, people.num_rows, CARDS_AT_ONCE):
        warehouse.stage("checking", people.slice(start, CARDS_AT_ONCE))
        rows = CardRows.read_of(warehouse, "checking", engine.card_tables)
        expected = {card.person_id: card for card in build_cards(rows)}
        actual = {card.person_id: card for card in cards.get_many(list(expected))}
        for person_id, card in expected.items():
            if actual.get(person_id) != card and len(found) < ROWS_SHOWN:
                found.append(Difference("cards", "missing", msgspec.to_builtins(card)))
    if cards.count() != people.num_rows:
        told = {"cards": cards.count(), "persons": people.num_rows}
        found.append(Difference("cards", "unexpected", told))
    return found


def check_ledger(engine: Engine) -> list[str]:
    """Return, in words, every way in which the ledger does not balance (law 8)."""
    warehouse = engine.warehouse
    position = warehouse.marks().position
    kept = {
        row["source"]: row
        for row in warehouse.query("""
            SELECT source, sum(loaded) AS loaded, sum(quarantined) AS quarantined FROM (
              SELECT source, count(*) AS loaded, 0 AS quarantined FROM events GROUP BY source
              UNION ALL
              SELECT source, count(*) AS loaded, 0 AS quarantined FROM record_changes GROUP BY source
              UNION ALL
              SELECT source, 0 AS loaded, sum(messages) AS quarantined FROM quarantine GROUP BY source
              UNION ALL
              SELECT source, loaded, quarantined FROM destroyed
            ) AS kept GROUP BY source
        """).to_pylist()
    }
    ledger = {row["source"]: row for row in warehouse.query("SELECT * FROM ledger").to_pylist()}
    problems = []
    for count in engine.log.counts(position):
        row = ledger.get(count.source, {"loaded": 0, "quarantined": 0, "duplicate": 0, "erased": 0})
        total = row["loaded"] + row["quarantined"] + row["duplicate"] + count.waiting
        if total != count.accepted:
            problems.append(
                f"{count.source}: {count.accepted} accepted, but {row['loaded']} loaded"
                f" + {row['quarantined']} quarantined + {row['duplicate']} duplicate"
                f" + {count.waiting} waiting = {total}"
            )
        problems += _miscounted(count.source, row, kept.get(count.source, {}))
    return problems


def _miscounted(source: str, row: Mapping[str, Any], kept: Mapping[str, Any]) -> Sequence[str]:
    # Of persons who were erased the ledger goes on counting what they once said, and no table holds it.
    expected = {
        "loaded": int(row["loaded"]) - int(row["erased"] or 0),
        "quarantined": int(row["quarantined"]),
    }
    return [
        f"{source}: the ledger says {count} {name}, the tables and the destroyed make {kept.get(name, 0)}"
        for name, count in expected.items()
        if count != int(kept.get(name, 0))
    ]
