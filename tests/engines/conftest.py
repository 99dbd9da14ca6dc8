"""Two installations of every kind that say and hear the same, one on each engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tekil.identity import TABLES as IDENTITY_TABLES
from tekil.load import QUARANTINE
from tekil.load import TABLES as LOAD_TABLES
from tekil.models import ACTIVITY, ATTRIBUTES
from tekil.store import Store, open_store
from tekil.warehouse import Table, open_warehouse
from tests.installation import Installation
from tests.spark_server import spark_url

TABLES = (*LOAD_TABLES, *IDENTITY_TABLES, ACTIVITY.table, ATTRIBUTES.table)

JSON_TEXTS = {"traits": "value", "record_changes": "key", "quarantine": "body", "attributes": "traits"}
"""Table → its text column that holds JSON: the same value may be spelled in two ways (1 and 1.0)."""

Pair = Callable[[], tuple[Installation, Installation]]


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    """Return two: an installation's cards are its own, or one would publish over the other's."""
    folder = tmp_path_factory.mktemp("stores")
    one, other = (open_store(f"sqlite:///{folder / name}.db") for name in ("duckdb", "spark"))
    yield one, other
    one.close()
    other.close()


@pytest.fixture
def pair(stores: tuple[Store, Store], tmp_path: Path) -> Pair:
    """Return what founds two installations in which nothing was ever said: DuckDB's and Spark's."""
    numbers = iter(range(1_000_000))

    def make() -> tuple[Installation, Installation]:
        for store in stores:
            store.cards.clear()
        lake = open_warehouse(spark_url(tmp_path / f"lake-{next(numbers)}"))
        one = Installation(tmp_path, store=stores[0])
        # With one vault for both, the same value has the same token.
        return one, Installation(tmp_path, store=stores[1], warehouse=lake, vault=one.vault)

    return make


def everything(installation: Installation) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables, in an order of their own; JSON as its value, instants as they are."""
    return {table.name: _rows(installation, table) for table in TABLES}


def _rows(installation: Installation, table: Table) -> list[dict[str, Any]]:
    columns = ", ".join(
        f"variant_json({c.name}) AS {c.name}" if c.type == "variant" else c.name for c in table.columns
    )
    jsons = {c.name for c in table.columns if c.type == "variant"} | {JSON_TEXTS.get(table.name, "")}
    found = installation.warehouse.query(f"SELECT {columns} FROM {table.name}").to_pylist()
    for row in found if table is QUARANTINE else []:
        # Sealed anew each time, so the ciphertexts differ.
        row["body"] = installation.vault.open_body(row["body"])
    rows = [{name: _value(value) if name in jsons else value for name, value in row.items()} for row in found]
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
