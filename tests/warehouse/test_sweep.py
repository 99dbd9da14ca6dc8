"""What DuckDB's file keeps of rows that were deleted, and that a sweep takes it away."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tekil.warehouse import Column, Table
from tekil.warehouse.duckdb import DuckDBWarehouse

ROWS = 130_000
"""More than one row group, so that a group stays in which some rows are deleted."""

GONE = 7
NOTES = Table(
    "notes", (Column("who", "bigint"), Column("said", "text"), Column("body", "variant")), key="who"
)

MAKE = f"""
SELECT i % 1000 AS who, 'visitor-' || CAST(i % 1000 AS VARCHAR) || '-said' AS said,
  as_variant('{{"told": "visitor-' || CAST(i % 1000 AS VARCHAR) || '-told"}}') AS body
FROM range({ROWS}) AS r(i)
"""


def copies(path: Path) -> int:
    """Return how often the deleted person stands in the file and in its write-ahead log."""
    files = (path, path.with_name(path.name + ".wal"))
    content = b"".join(file.read_bytes() for file in files if file.exists())
    return content.count(b"visitor-7-said") + content.count(b"visitor-7-told")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.duckdb"


def filled(path: Path) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(path)
    warehouse.create([NOTES])
    # Compressed, bytes would be there all the same, and no search would see them.
    warehouse._connection.execute("SET force_compression = 'uncompressed'")
    with warehouse.transaction():
        warehouse.append(NOTES.name, MAKE)
    warehouse._connection.execute("CHECKPOINT")
    return warehouse


def test_deleted_rows_stay_in_the_file_until_it_is_swept(path: Path) -> None:
    warehouse = filled(path)
    # The dictionary of a column holds each text once.
    assert copies(path) >= 2
    with warehouse.transaction():
        warehouse.stage("gone", pa.table({"who": [GONE]}))
        warehouse.replace(NOTES.name, "gone", "SELECT * FROM notes WHERE FALSE")
    warehouse._connection.execute("CHECKPOINT")
    assert copies(path) >= 2
    kept = warehouse.query(
        "SELECT count(*) AS n, sum(who) AS s, min(variant_json(body)) AS b FROM notes"
    ).to_pylist()
    assert warehouse.sweep()
    assert copies(path) == 0
    assert (
        kept
        == warehouse.query(
            "SELECT count(*) AS n, sum(who) AS s, min(variant_json(body)) AS b FROM notes"
        ).to_pylist()
    )
    warehouse.close()
    assert copies(path) == 0


def test_whoever_reads_meanwhile_reads_on_and_the_order_stays(path: Path) -> None:
    warehouse = filled(path)
    order = "SELECT said FROM notes LIMIT 100"
    before = warehouse.read(order)
    marks = warehouse.marks()
    assert warehouse.sweep()
    assert warehouse.sweep()
    assert warehouse.read(order) == before
    assert warehouse.marks() == marks
    warehouse.close()
    again = DuckDBWarehouse(path)
    assert again.read("SELECT count(*) AS n FROM notes")["n"][0].as_py() == ROWS
    assert (
        again.read("SELECT table_name FROM duckdb_tables() WHERE table_name IN ('cover', 'swept')").num_rows
        == 0
    )
    again.close()
