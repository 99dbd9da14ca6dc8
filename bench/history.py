"""A company with a long past, made in the warehouse itself: what the benches that need millions start from.

Made once and kept in `.bench/`, because making it takes minutes; `BENCH_EVENTS` and `BENCH_PEOPLE` say how
much (the bars speak of 50 million events and 1 million people). As on an installation that has run for
months, history lies clustered by person.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tekil.engine import Engine
from tekil.log import open_log
from tekil.models import ACTIVITY, ATTRIBUTES
from tekil.privacy import DayKeys, KeyRing, Vault, read_master_key
from tekil.store import open_store
from tekil.warehouse.duckdb import DuckDBWarehouse

EVENTS = int(os.environ.get("BENCH_EVENTS", "50_000_000"))
PEOPLE = int(os.environ.get("BENCH_PEOPLE", "1_000_000"))
SLICE = 2_000_000
SEALED_AT_ONCE = 20_000
BEGUN = time.monotonic()
KEPT = Path(".bench")

BEFORE = "TIMESTAMP '2026-01-01'"

MAKE_EVENTS = """
INSERT INTO events BY NAME
WITH numbered AS (
  SELECT i, (i * 2654435761 + 97) % {people} AS person, hash(i) AS h FROM range({low}, {high}) AS r(i)
), told AS (
  SELECT i, person, h % 20 AS kind, h,
    'u' || person AS user_id,
    -- Every fourth visit comes from a second device; one in five is not signed in.
    'b' || person || '-' || ((h >> 8) % 4 = 0)::INTEGER AS anonymous_id,
    {before} + to_microseconds(((h >> 3) % 25920000000000)::BIGINT) AS occurred_at
  FROM numbered
)
SELECT (md5_number_lower('web:m' || i) >> 1)::BIGINT AS message_key, 'm' || i AS message_id, 'web' AS source,
  CASE WHEN kind = 0 THEN 'identify' WHEN kind < 10 THEN 'page' ELSE 'track' END AS type,
  CASE WHEN kind >= 10 THEN 'Event ' || kind END AS event,
  (md5_number_lower(CASE WHEN signed_in THEN 'user_id:' || user_id ELSE 'anonymous_id:' || anonymous_id END)
    >> 1)::BIGINT AS identifier_key,
  CASE WHEN signed_in THEN user_id END AS user_id, anonymous_id,
  CASE WHEN kind = 0 THEN address END AS email,
  occurred_at, occurred_at AS received_at, occurred_at AS known_at,
  CASE WHEN kind BETWEEN 1 AND 9 THEN 'https://shop.example/p/' || h % 1000 END AS url,
  CASE WHEN kind BETWEEN 1 AND 9 THEN 'shop.example' END AS url_host,
  CASE WHEN kind BETWEEN 1 AND 9 THEN '/p/' || h % 1000 END AS url_path,
  CASE WHEN kind BETWEEN 1 AND 9 THEN 'Product ' || h % 1000 END AS title,
  CASE WHEN kind = 1 THEN 'google' END AS utm_source, CASE WHEN kind = 1 THEN 'cpc' END AS utm_medium,
  CASE WHEN kind = 1 THEN 'campaign ' || h % 50 END AS utm_campaign,
  'Mozilla/5.0 (Test ' || h % 200 || ')' AS user_agent, 'tr-TR' AS locale, 'analytics.js 2' AS library,
  CASE WHEN kind >= 10 THEN {{'price': h % 100000, 'sku': 's' || h % 500}}::VARIANT END AS properties
FROM (SELECT *, kind = 0 OR (h >> 16) % 5 > 0 AS signed_in FROM told JOIN addresses USING (person))
"""

MAKE_TRAITS = """
INSERT INTO traits BY NAME
SELECT identifier_key, message_key, source, name, occurred_at, known_at,
  '"' || CASE name WHEN 'email' THEN email ELSE name || ' ' || message_key % 7 END || '"' AS value
FROM events, (VALUES ('email'), ('first_name'), ('city')) AS names(name)
WHERE type = 'identify'
"""


@dataclass(frozen=True)
class Place:
    """An installation in a folder, opened."""

    folder: Path
    engine: Engine
    warehouse: DuckDBWarehouse
    vault: Vault


def tell(text: str) -> None:
    print(f"{time.monotonic() - BEGUN:7.1f} s  {text}", file=sys.stderr, flush=True)


@contextmanager
def opened(folder: Path) -> Iterator[Place]:
    """Open the installation in a folder."""
    store = open_store(f"sqlite:///{folder.resolve()}/store.db")
    keys = KeyRing(store.data_keys, read_master_key("file:master.key", folder.resolve()))
    log = open_log(f"sqlite:///{folder.resolve()}/log.db", DayKeys(keys))
    warehouse = DuckDBWarehouse(folder / "warehouse.duckdb")
    vault = Vault(store.sealed_values, keys)
    engine = Engine(log, warehouse, store, [ACTIVITY, ATTRIBUTES], vault)
    try:
        yield Place(folder, engine, warehouse, vault)
    finally:
        for part in (warehouse, store, log):
            part.close()


def seal_addresses(place: Place) -> None:
    """Put everybody's e-mail address into the vault, and its token into a table for the time being."""
    connection = place.warehouse._connection
    connection.execute("CREATE TABLE addresses (person BIGINT, address VARCHAR)")
    for low in range(0, PEOPLE, SEALED_AT_ONCE):
        persons = range(low, min(low + SEALED_AT_ONCE, PEOPLE))
        said = [f"u{person}@example.com" for person in persons]
        tokens = [place.vault.token("email", address) for address in said]
        place.vault.keep([(token, "email", address) for token, address in zip(tokens, said, strict=True)])
        sealed = pa.table({"person": pa.array(persons, pa.int64()), "address": tokens})
        connection.register("sealed_now", sealed)
        connection.execute("INSERT INTO addresses SELECT * FROM sealed_now")
        connection.unregister("sealed_now")
    tell(f"history: {PEOPLE:,} addresses sealed")


def make(folder: Path) -> None:
    """Make the past: events, traits, and everything that follows from them, cards included."""
    with opened(folder) as place:
        connection = place.warehouse._connection
        seal_addresses(place)
        for low in range(0, EVENTS, SLICE):
            high = min(low + SLICE, EVENTS)
            connection.execute(MAKE_EVENTS.format(people=PEOPLE, low=low, high=high, before=BEFORE))
            tell(f"history: {high:,} of {EVENTS:,} events")
        connection.execute(MAKE_TRAITS)
        connection.execute("DROP TABLE addresses")
        connection.execute(
            "INSERT INTO ledger BY NAME SELECT 'web' AS source, count(*) AS loaded FROM events"
        )
        tell("history: rebuilding and publishing cards")
        place.engine.rebuild(lambda what, done, all_: tell(f"history: {what} {done:,} of {all_:,}"))
        for table in ("events", "traits"):
            tell(f"history: clustering {table}")
            connection.execute(
                f"CREATE TABLE clustered AS SELECT t.* FROM {table} t JOIN identity i USING (identifier_key)"
                " ORDER BY i.person_key, identifier_key"
            )
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"ALTER TABLE clustered RENAME TO {table}")
            connection.execute(
                "INSERT INTO tekil_clustering"
                f" SELECT '{table}' AS name, 1 AS next_range, 1 AS ranges, count(*) AS rows FROM {table}"
            )
        connection.execute("CHECKPOINT")


def past() -> Path:
    """Return the folder of an installation with the past, made if it is missing. Copy before changing."""
    folder = KEPT / f"history-{EVENTS}-{PEOPLE}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        started = time.monotonic()
        make(folder)
        (folder / "done").touch()
        tell(f"history: made in {time.monotonic() - started:.0f} s")
    with opened(folder) as place:
        # Models that changed since are derived anew here, and not while something is being measured.
        place.engine.recover(lambda what, done, all_: tell(f"history: {what} {done:,} of {all_:,}"))
    return folder


if __name__ == "__main__":
    print(past())
