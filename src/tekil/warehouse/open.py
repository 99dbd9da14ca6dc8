"""From a URL to a warehouse."""

from __future__ import annotations

from pathlib import Path

from tekil.errors import Misconfigured
from tekil.warehouse.duckdb import DuckDBWarehouse
from tekil.warehouse.protocol import Warehouse
from tekil.warehouse.spark import SparkWarehouse


def open_warehouse(url: str, *, read_only: bool = False) -> Warehouse:
    """Open the warehouse that `url` names: `duckdb:////absolute/path`, or a Spark Connect URL.

    A Spark Connect URL says where the tables are: `sc://host:port/;tekil_location=/absolute/path`; the
    location is a path or an object-store URL of the server's. What else it holds (`token`, `use_ssl`, …) is
    Spark Connect's own.

    `read_only` opens it beside nobody: for looking, while the engine is down. Raises `Misconfigured` for a
    URL of no known engine, `Unavailable` while another process owns the file.
    """
    if url.startswith("duckdb:///"):
        return DuckDBWarehouse(Path(url.removeprefix("duckdb:///")), read_only=read_only)
    if url.startswith("sc://"):
        return SparkWarehouse(url, read_only=read_only)
    raise Misconfigured(
        f"warehouse.url {url!r} names no engine this version knows; write duckdb:///data/warehouse.duckdb, "
        "or sc://host:15002/;tekil_location=/where/the/tables/are.",
        code="warehouse_url_unknown",
    )
