"""Tables that an older version of Tekil made."""

from __future__ import annotations

from tekil.warehouse import Column, Table
from tekil.warehouse.duckdb import DuckDBWarehouse


def test_a_table_that_an_older_version_made_gets_the_columns_it_lacks() -> None:
    warehouse = DuckDBWarehouse(":memory:")
    warehouse.create([Table("people", (Column("number", "bigint"),), "number")])
    with warehouse.transaction():
        warehouse.append("people", "SELECT 1 AS number")
    warehouse.create([Table("people", (Column("number", "bigint"), Column("name", "text")), "number")])
    assert warehouse.query("SELECT * FROM people").to_pylist() == [{"number": 1, "name": None}]
    warehouse.close()
