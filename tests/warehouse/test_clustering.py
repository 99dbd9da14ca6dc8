"""History is brought into order on disk, step by step, and nobody who reads it can tell."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tekil.warehouse import Column, Table, duckdb
from tekil.warehouse.duckdb import DuckDBWarehouse

SAID = Table("said", (Column("who", "bigint"), Column("what", "text")), key="who")
OWNERS = Table("owners", (Column("who", "bigint"), Column("place", "bigint")), key="who")
PLACES = "SELECT who, place FROM owners"
ROWS, PEOPLE = 4_000, 50


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DuckDBWarehouse]:
    monkeypatch.setattr(duckdb, "CLUSTER_ROWS", 1_000)
    made = DuckDBWarehouse(tmp_path / "w.duckdb")
    made.create([SAID, OWNERS])
    with made.transaction():
        made.append("said", f"SELECT i % {PEOPLE} AS who, 'word ' || i AS what FROM range({ROWS}) AS r(i)")
        made.append(
            "owners",
            f"SELECT i AS who, (i * 7919 % {PEOPLE}) * ({2**63 - 1} // {PEOPLE}) AS place"
            f" FROM range({PEOPLE}) AS r(i)",
        )
    yield made
    made.close()


def rows(warehouse: DuckDBWarehouse, order: str = "what") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = warehouse.read(f"SELECT * FROM said ORDER BY {order}").to_pylist()
    return found


def test_after_a_pass_everybodys_rows_lie_together_and_none_is_lost(warehouse: DuckDBWarehouse) -> None:
    before = rows(warehouse)
    steps = 0
    while warehouse.cluster("said", PLACES):
        steps += 1
        assert rows(warehouse) == before
    assert steps == 4
    assert len(list(groupby(row["who"] for row in rows(warehouse, "rowid")))) == PEOPLE


def test_a_new_pass_waits_until_enough_has_come(warehouse: DuckDBWarehouse) -> None:
    while warehouse.cluster("said", PLACES):
        pass
    for more, is_due in ((400, False), (700, True)):
        with warehouse.transaction():
            warehouse.append("said", f"SELECT 1 AS who, 'more' AS what FROM range({more})")
        assert warehouse.cluster("said", PLACES) is is_due


@pytest.mark.parametrize("statement", range(8))
def test_a_step_cut_off_anywhere_is_done_again(
    warehouse: DuckDBWarehouse, statement: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(warehouse)

    class Failing:
        left = statement

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def execute(self, sql: str, *arguments: Any) -> Any:
            if sql.split()[0] in ("CREATE", "DELETE", "INSERT", "DROP"):
                if self.left == 0:
                    raise OSError("cut off")
                self.left -= 1
            return connection.execute(sql, *arguments)

    connection = warehouse._connection
    with monkeypatch.context() as broken:
        broken.setattr(warehouse, "_connection", Failing())
        with pytest.raises(OSError, match="cut off"):
            warehouse.cluster("said", PLACES)
    assert rows(warehouse) == before
    while warehouse.cluster("said", PLACES):
        pass
    assert rows(warehouse) == before


def test_what_has_no_place_stays(warehouse: DuckDBWarehouse) -> None:
    with warehouse.transaction():
        warehouse.append("said", "SELECT 10000 AS who, 'stranger' AS what")
    before = rows(warehouse)
    while warehouse.cluster("said", PLACES):
        pass
    assert rows(warehouse) == before
