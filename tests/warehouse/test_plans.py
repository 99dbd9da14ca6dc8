"""Whatever a name stood for, a SELECT reads what it stands for now: plans that are kept tell nothing old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.warehouse.duckdb import DuckDBWarehouse
from tekil.warehouse.duckdb_plans import FEW
from tests.laws.conftest import LAW_EXAMPLES

NOON = datetime(2026, 1, 31, 12)

SHAPES = {
    "none": pa.table({"n": pa.array([], pa.int64())}),
    "few": pa.table({"n": [1, 2, 3]}),
    "others": pa.table({"n": [4]}),
    "texts": pa.table({"n": ["5", "6"], "more": [0, 0]}),
    "many": pa.table({"n": range(FEW + 1)}),
}
TOTAL = "SELECT count(*) AS rows, sum(CAST(n AS BIGINT)) AS total FROM given"
WAYS = st.tuples(st.sampled_from(["stage", "derive", "bulk", "drop"]), st.sampled_from(sorted(SHAPES)))


@pytest.fixture(scope="module")
def warehouse() -> Iterator[DuckDBWarehouse]:
    opened = DuckDBWarehouse(":memory:")
    for name, rows in SHAPES.items():
        opened.stage(name, rows)
    yield opened
    opened.close()


@settings(max_examples=LAW_EXAMPLES)
@given(ways=st.lists(WAYS, min_size=1, max_size=12))
def test_a_select_reads_what_a_name_stands_for_now(
    warehouse: DuckDBWarehouse, ways: list[tuple[str, str]]
) -> None:
    for way, shape in ways:
        rows = SHAPES[shape]
        if way == "drop":
            warehouse.drop("given")
        if way == "derive":
            warehouse.derive("given", f"SELECT * FROM {shape}")
        elif way == "bulk":
            with warehouse.bulk():
                warehouse.derive("given", f"SELECT * FROM {shape}")
        else:
            warehouse.stage("given", rows)
        numbers = [int(number) for number in rows["n"].to_pylist()]
        expected = {"rows": len(numbers), "total": sum(numbers) if numbers else None}
        assert warehouse.query(TOTAL).to_pylist() == [expected], (way, shape)


def test_a_relation_may_be_derived_from_itself(warehouse: DuckDBWarehouse) -> None:
    warehouse.stage("chain", pa.table({"n": [1]}))
    for _ in range(3):
        warehouse.derive("chain", "SELECT n + 1 AS n FROM chain")
    assert warehouse.query("SELECT n FROM chain")["n"].to_pylist() == [4]


def test_a_plan_that_is_kept_tells_no_old_time(warehouse: DuckDBWarehouse) -> None:
    for minutes in range(3):
        warehouse.set_now(NOON + timedelta(minutes=minutes))
        told = warehouse.query("SELECT now() AS now FROM few LIMIT 1")["now"].to_pylist()
        assert told == [NOON + timedelta(minutes=minutes)]


def test_however_many_statements_there_were_the_last_one_is_right(warehouse: DuckDBWarehouse) -> None:
    for number in range(600):
        found = warehouse.query(f"SELECT n + {number} AS n FROM others")
        assert found["n"].to_pylist() == [4 + number]
