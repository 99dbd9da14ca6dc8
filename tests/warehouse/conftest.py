"""One suite, two engines: what a test asks of a warehouse, every engine must do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tekil.warehouse import Column, Table, Warehouse, open_warehouse
from tests.spark_server import spark_url

NOTES = Table(
    "notes",
    (
        Column("author", "text"),
        Column("said", "text"),
        Column("said_at", "timestamp"),
        Column("number", "bigint"),
        Column("body", "variant"),
        Column("tags", "texts"),
        Column("seen", "page"),
    ),
    key="author",
)
COUNTS = Table("counts", (Column("author", "text"), Column("notes", "bigint")), key="author")

Opened = Callable[[], Warehouse]


@pytest.fixture(params=["duckdb", "spark"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """A function that opens the same warehouse again and again, as a process that starts would."""
    url = f"duckdb:///{tmp_path}/w.duckdb" if request.param == "duckdb" else spark_url(tmp_path / "lake")
    open_ones: list[Warehouse] = []

    def open_it() -> Warehouse:
        for earlier in open_ones:
            earlier.close()
        open_ones[:] = [open_warehouse(url)]
        open_ones[0].create([NOTES, COUNTS])
        return open_ones[0]

    yield open_it
    for left in open_ones:
        left.close()


@pytest.fixture
def warehouse(opened: Opened) -> Warehouse:
    """The warehouse, new and empty."""
    return opened()
