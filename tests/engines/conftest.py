"""Two installations of every kind that say and hear the same, one on each engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tekil.identity import TABLES as IDENTITY_TABLES
from tekil.load import TABLES as LOAD_TABLES
from tekil.models import ACTIVITY, ATTRIBUTES
from tekil.store import Store, open_store
from tekil.warehouse import Table, Warehouse, open_warehouse
from tests.installation import Installation
from tests.spark_server import spark_url

TABLES = (*LOAD_TABLES, *IDENTITY_TABLES, ACTIVITY.table, ATTRIBUTES.table)

JSON_TEXTS = {"traits": "value", "record_changes": "key", "quarantine": "body", "attributes": "traits"}
"""Table → its text column that holds JSON: the same value may be spelled in two ways (1 and 1.0)."""

Pair = Callable[[], tuple[Installation, Installation]]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture
def pair(store: Store, tmp_path: Path) -> Pair:
    """Return what founds two installations in which nothing was ever said: DuckDB's and Spark's."""
    numbers = iter(range(1_000_000))

    def make() -> tuple[Installation, Installation]:
        store.cards.clear()
        lake = open_warehouse(spark_url(tmp_path / f"lake-{next(numbers)}"))
        return Installation(tmp_path, store=store), Installation(tmp_path, store=store, warehouse=lake)

    return make


def everything(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables, in an order of their own; JSON as its value, instants as they are."""
    return {table.name: _rows(warehouse, table) for table in TABLES}


def _rows(warehouse: Warehouse, table: Table) -> list[dict[str, Any]]:
    columns = ", ".join(
        f"variant_json({c.name}) AS {c.name}" if c.type == "variant" else c.name for c in table.columns
    )
    jsons = {c.name for c in table.columns if c.type == "variant"} | {JSON_TEXTS.get(table.name, "")}
    rows = [
        {name: _value(value) if name in jsons else value for name, value in row.items()}
        for row in warehouse.query(f"SELECT {columns} FROM {table.name}").to_pylist()
    ]
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
