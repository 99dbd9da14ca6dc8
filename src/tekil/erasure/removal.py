"""Taking a person out of the warehouse: inside the engine's transaction, by what each table declares."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from tekil.dictionary import VIOLATIONS
from tekil.erasure import sql
from tekil.erasure.traces import Found
from tekil.load import (
    EVENTS,
    LEDGER,
    LOOSENED,
    QUARANTINE,
    RECORD_CHANGES,
    REFUSED_IDENTIFIERS,
    REPETITIONS,
    SEALED_VALUES,
    TOKEN_PLACES,
    TRAITS,
)
from tekil.load.sealing import ERASED
from tekil.warehouse import Table, Warehouse


def remove(warehouse: Warehouse, tables: Sequence[Table], found: Found) -> None:
    """Delete a person's rows, whose staged relations (`sql.STAGED`) are there, and put the ledger right."""
    _count_in_ledger(warehouse, found)
    _remove_records(warehouse)
    _remove_quarantined(warehouse, found)
    for table in (EVENTS, TRAITS):
        warehouse.remove(table.name, "message_key", "erased_messages")
    _remove_by_message(warehouse)
    _remove_tokens(warehouse, found)
    for table in tables:
        if table.erasure is not None and table.erasure.rule in ("identifier", "person"):
            _remove_rows(warehouse, table, table.erasure.rule)
    if found.mentioning:
        for table in (EVENTS, TRAITS):
            _silence(warehouse, table, found.person.tokens)


def _remove_rows(warehouse: Warehouse, table: Table, rule: str) -> None:
    column, relation = ("identifier_key", sql.KEYS) if rule == "identifier" else ("person_key", sql.PERSONS)
    touched = f"(SELECT {column} AS {table.key} FROM {relation}) AS touched"
    warehouse.replace(table.name, touched, f"SELECT * FROM {table.name} WHERE FALSE")


def _replace(warehouse: Warehouse, table: Table, touched: str, select: str) -> None:
    """Put rows of a SELECT in the place of those whose key another gives: both are worked out before."""
    warehouse.derive("erasure_touched", touched)
    warehouse.derive("erasure_kept", select)
    warehouse.replace(table.name, "erasure_touched", "SELECT * FROM erasure_kept")
    warehouse.drop("erasure_kept")
    warehouse.drop("erasure_touched")


def _remove_records(warehouse: Warehouse) -> None:
    theirs = f"SELECT record_key FROM {sql.RECORDS_OF}"
    _replace(
        warehouse,
        RECORD_CHANGES,
        f"SELECT DISTINCT record_key FROM {sql.RECORDS_OF}",
        f"SELECT * FROM {RECORD_CHANGES.name} WHERE record_key IN ({theirs})"
        f" AND message_key NOT IN (SELECT message_key FROM {sql.RECORDS_OF})",
    )


def _remove_quarantined(warehouse: Warehouse, found: Found) -> None:
    if not found.quarantined:
        return
    rows = {
        "position": [held.position for held in found.quarantined],
        "number": [held.number for held in found.quarantined],
    }
    warehouse.stage(sql.PLACES, pa.table(rows))
    _replace(
        warehouse,
        QUARANTINE,
        f"SELECT DISTINCT position FROM {sql.PLACES}",
        f"SELECT q.* FROM {QUARANTINE.name} q WHERE q.position IN (SELECT position FROM {sql.PLACES})"
        f" AND NOT EXISTS (SELECT 1 FROM {sql.PLACES} p"
        " WHERE p.position = q.position AND p.number = q.number)",
    )


def _remove_by_message(warehouse: Warehouse) -> None:
    """Remove the places of repetitions; nothing that is counted has a message of theirs as its sample."""
    nothing = f"SELECT * FROM {REPETITIONS.name} WHERE FALSE"
    warehouse.replace(REPETITIONS.name, "erased_messages", nothing)
    for table in (VIOLATIONS, REFUSED_IDENTIFIERS):
        sampled = f"FROM {table.name} WHERE sample_key IN (SELECT message_key FROM erased_messages)"
        columns = [name for name in table.column_names if name != "sample_key"]
        _replace(
            warehouse,
            table,
            f"SELECT {table.key} {sampled}",
            f"SELECT {', '.join(columns)}, CAST(0 AS BIGINT) AS sample_key {sampled}",
        )


def _remove_tokens(warehouse: Warehouse, found: Found) -> None:
    """Forget what was known of values that are nobody else's, and whose messages mention which."""
    own = pa.table({"token": pa.array(list(found.own_tokens), pa.string())})
    warehouse.stage(sql.TOKENS, own)
    nothing = f"SELECT * FROM {SEALED_VALUES.name} WHERE FALSE"
    warehouse.replace(SEALED_VALUES.name, sql.TOKENS, nothing)
    warehouse.replace(LOOSENED.name, sql.TOKENS, f"SELECT * FROM {LOOSENED.name} WHERE FALSE")
    theirs = f"""place_key IN (SELECT identifier_key FROM {sql.KEYS})
        OR token_key IN (SELECT key64(token) FROM {sql.TOKENS})
        OR (is_record AND place_key IN (SELECT record_key FROM {sql.RECORDS_OF}))"""
    _replace(
        warehouse,
        TOKEN_PLACES,
        f"SELECT DISTINCT token_key FROM {TOKEN_PLACES.name} WHERE {theirs}",
        f"SELECT * FROM {TOKEN_PLACES.name} WHERE token_key IN"
        f" (SELECT token_key FROM {TOKEN_PLACES.name} WHERE {theirs}) AND NOT ({theirs})",
    )


def _silence(warehouse: Warehouse, table: Table, tokens: Sequence[str]) -> None:
    """Put a word in the place of the person's tokens in other people's rows."""
    among = "identifier_key IN (SELECT identifier_key FROM erased_mentions)"
    _replace(
        warehouse,
        table,
        "SELECT DISTINCT identifier_key FROM erased_mentions",
        f"SELECT {sql.replaced(table, tokens, ERASED)} FROM {table.name} WHERE {among}",
    )


def _count_in_ledger(warehouse: Warehouse, found: Found) -> None:
    """Count the rows that go as erased; what was put aside counts as loaded and erased from now on."""
    held: dict[str, int] = {}
    for one in found.quarantined:
        held[one.source] = held.get(one.source, 0) + one.messages
    warehouse.stage(
        "erased_held",
        pa.table(
            {"source": pa.array(list(held), pa.string()), "n": pa.array(list(held.values()), pa.int64())}
        ),
    )
    gone = f"""
        SELECT source, count(*) AS n FROM {sql.EVENTS_OF} GROUP BY source
        UNION ALL SELECT source, count(*) AS n FROM {sql.RECORDS_OF} GROUP BY source"""
    _replace(
        warehouse,
        LEDGER,
        f"SELECT source FROM {LEDGER.name}",
        f"""
        SELECT l.source, l.loaded + coalesce(h.n, 0) AS loaded,
          l.quarantined - coalesce(h.n, 0) AS quarantined, l.duplicate,
          coalesce(l.erased, 0) + coalesce(g.n, 0) + coalesce(h.n, 0) AS erased, l.last_received
        FROM {LEDGER.name} l
        LEFT JOIN (SELECT source, sum(n) AS n FROM ({gone}) AS gone GROUP BY source) g ON g.source = l.source
        LEFT JOIN erased_held h ON h.source = l.source
        """,
    )
    warehouse.drop("erased_held")
