"""Bars: 10M identifiers, 15M evidence resolved from nothing in 60 s; 1,000 people touched there in 150 ms.

Run: python bench/identity.py [--millions 1 3 10]. Evidence is made by SQL in a warehouse file: people with an
account, an e-mail address and two browsers; one in fifty shares an address with another account, one in fifty
a tablet with another; and one mailbox that everybody in a hundred uses. Timed are reading it, finding what is
shared, components, the careful path where limits bind, and the tables of who is who; then the closure and
resolution of what 1,000 page views touch. Afterwards the answer is held against what was made. Memory is the
process's largest, DuckDB's share included (its limit is set to 4 GB).
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tekil.identifiers import Policy
from tekil.identity import PLACES, TABLES, finish, reach
from tekil.identity.resolve import identity, settle
from tekil.load import EVENTS, RECORD_CHANGES
from tekil.load.tables import SEALED_VALUES
from tekil.warehouse.duckdb import DuckDBWarehouse

BAR_SECONDS, BAR_TOUCH_SECONDS = 60.0, 0.150
TOUCHED = 1_000
ROUNDS = 5

KEY = "(md5_number_lower('{kind}:' || {value}) >> 1)::BIGINT"
KINDS = {"u": "user_id", "e": "email", "a": "anonymous_id", "b": "anonymous_id"}

TYPES = {"timestamp": "TIMESTAMP", "bigint": "BIGINT"}

PAIRS = [("u", "e"), ("u", "a"), ("u", "b"), ("e", "a"), ("e", "b"), ("a", "b")]
"""The six links between a person's four identifiers."""


def _key(who: str, number: str) -> str:
    return KEY.format(kind=KINDS[who], value=f"'{who}' || ({number})")


def _empty(kind: str) -> str:
    return f"CAST(NULL AS {TYPES.get(kind, 'VARCHAR')})"


def fill(warehouse: DuckDBWarehouse, people: int) -> None:
    """Make the tables `identifiers` and `evidence`."""
    run = warehouse._connection.execute
    begin = "TIMESTAMP '2026-01-01' + to_seconds(range)"
    run(f"CREATE TEMP TABLE n AS SELECT range AS n, {begin} AS seen FROM range({people})")
    names = " UNION ALL ".join(
        f"SELECT n, '{who}' AS who, '{kind}' AS kind, '{who}' || n AS value, {_key(who, 'n')} AS key,"
        " seen FROM n"
        for who, kind in KINDS.items()
    )
    run(f"CREATE TEMP TABLE names AS {names}")
    run(
        "INSERT INTO identity SELECT key AS identifier_key, kind, value, seen AS first_seen,"
        " seen AS last_seen, key AS cluster_key, key AS person_key FROM names"
    )
    wide = "CREATE TEMP TABLE wide AS SELECT n, any_value(seen) AS seen, " + ", ".join(
        f"max(key) FILTER (WHERE who = '{who}') AS {who}" for who in KINDS
    )
    run(f"{wide} FROM names GROUP BY n")
    selects = [
        f"SELECT {x} AS x, {y} AS y, '{KINDS[x]}' AS xk, '{KINDS[y]}' AS yk, seen FROM wide" for x, y in PAIRS
    ]
    others = f"w.seen FROM wide w JOIN wide o ON o.n = (w.n + {people // 2}) % {people} WHERE w.n % 50"
    # Another account's address, a tablet of two, and a mailbox of one in a hundred.
    selects += [
        f"SELECT w.e, o.u, 'email', 'user_id', {others} = 7",
        f"SELECT w.a, o.u, 'anonymous_id', 'user_id', {others} = 9",
        "SELECT (SELECT e FROM wide WHERE n = 0), u, 'email', 'user_id', seen FROM wide WHERE n % 100 = 1",
    ]
    run(f"""
        INSERT INTO evidence BY NAME
        SELECT greatest(x, y) - least(x, y) AS pair_key, least(x, y) AS left_key,
          greatest(x, y) AS right_key,
          CASE WHEN x < y THEN xk ELSE yk END AS left_kind, CASE WHEN x < y THEN yk ELSE xk END AS right_kind,
          'web' AS source, 'seen' AS how, seen AS first_seen, seen AS last_seen,
          1 AS messages, x AS sample_key
        FROM ({" UNION ALL ".join(selects)})""")
    for table in ("n", "names"):
        run(f"DROP TABLE {table}")


def resolve_all(warehouse: DuckDBWarehouse) -> tuple[float, float]:
    """Resolve everything into the table `identity`; return seconds and CPU seconds."""
    names = {"identifiers": "identity", "evidence": "evidence", "owners": "bench_owners"}
    started, spent = time.monotonic(), time.process_time()
    settle(warehouse, Policy(), names, "bench_")
    warehouse.derive("bench_identity", identity("identity", "bench_owners", "ownership"))
    took = time.monotonic() - started, time.process_time() - spent
    with warehouse.transaction():
        warehouse.overwrite("identity", "SELECT * FROM bench_identity")
        warehouse.overwrite("shared", "SELECT * FROM bench_shared")
        warehouse.overwrite("conflicts", "SELECT * FROM bench_conflicts")
    for name in ("bench_identity", "bench_owners"):
        warehouse.drop(name)
    return took


def touch(warehouse: DuckDBWarehouse, people: int, round_: int) -> tuple[float, float]:
    """Resolve what 1,000 page views touch; return seconds and CPU seconds."""
    columns = ", ".join(f"{_empty(c.type)} AS {c.name}" for c in EVENTS.columns if c.type != "variant")
    number = f"range * {people // TOUCHED} + {round_}"
    warehouse._connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE new_events AS SELECT * REPLACE (
          'u' || ({number}) AS user_id, 'a' || ({number}) AS anonymous_id, 'web' AS source,
          range AS message_key, TIMESTAMP '2027-01-01' AS occurred_at, {_key("u", number)} AS identifier_key)
        FROM (SELECT range, {columns} FROM range({TOUCHED}))""")
    warehouse.derive("due", "SELECT CAST(1 AS BIGINT) AS person_key WHERE FALSE")
    started, spent = time.monotonic(), time.process_time()
    reached = reach(warehouse, Policy(), "new_events", "SELECT * FROM record_changes WHERE FALSE")
    finish(warehouse, Policy(), reached, "SELECT * FROM new_events")
    took = time.monotonic() - started, time.process_time() - spent
    found = warehouse.query("SELECT count(DISTINCT person_key) AS n FROM touched_owners")["n"][0].as_py()
    if not TOUCHED <= found <= 5 * TOUCHED:
        raise SystemExit(f"identity: WRONG, {TOUCHED} people touched became {found}")
    return took


def measure(millions: float) -> bool:
    """Print a line for a size; return whether it is right, and within the bars."""
    people = int(millions * 1_000_000) // 4
    with tempfile.TemporaryDirectory() as name:
        warehouse = DuckDBWarehouse(Path(name) / "warehouse.duckdb")
        warehouse._connection.execute("SET memory_limit = '4GB'")
        warehouse.create([*TABLES, EVENTS, RECORD_CHANGES, SEALED_VALUES])
        warehouse.set_now(datetime(2027, 1, 1))
        fill(warehouse, people)
        evidence = warehouse.query("SELECT count(*) AS n FROM evidence")["n"][0].as_py()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds, spent = resolve_all(warehouse)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        # Contested browsers stand alone, and so does the mailbox; nobody else is more or fewer.
        found = warehouse.query("SELECT count(DISTINCT person_key) AS n FROM identity")["n"][0].as_py()
        alone = len(range(9, people, 50)) + 1
        # As the engine does in its quiet moments.
        while warehouse.cluster("identity", PLACES):
            pass
        touches = sorted(touch(warehouse, people, round_) for round_ in range(ROUNDS))
        touched, touched_spent = touches[ROUNDS // 2]
        warehouse.close()
    is_right = found == people + alone
    print(
        f"identity, {millions:g}M identifiers, {evidence / 1e6:.1f}M evidence: from nothing {seconds:.1f} s"
        f" ({spent:.1f} s CPU; bar: <= {BAR_SECONDS:g} s at 10M), most memory {most:,.0f} MB"
        f" ({before:,.0f} MB before); {TOUCHED:,} people touched {touched * 1000:.0f} ms"
        f" ({touched_spent * 1000:.0f} ms CPU; bar: <= {BAR_TOUCH_SECONDS * 1000:.0f} ms);"
        f" persons {'right' if is_right else f'WRONG: {found}, not {people + alone}'}",
        flush=True,
    )
    return is_right and (millions < 10 or (seconds <= BAR_SECONDS and touched <= BAR_TOUCH_SECONDS))


def main() -> int:
    """Measure each size; return 1 where a bar is missed or an answer is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 3, 10])
    right = [measure(millions) for millions in parser.parse_args().millions]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
