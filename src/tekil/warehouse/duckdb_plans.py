"""Staged relations of a DuckDB connection, and plans over them that are made once.

DuckDB plans a statement anew each time it is run, which for the loader's largest takes three times as long as
running it over one message, and a cycle has forty statements. A prepared one keeps its plan as long as it
reads nothing but temporary relations that stay the same (one that reads a table, or has a parameter, is
planned again at each run: measured with DuckDB 2.0). So a staged relation is a name, registered once, behind
which the rows change.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tekil.warehouse.dialect import relations_read

# It is made over few rows; the way that is recommended instead would plan the statement again.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result makes an extra copy")

NOW = "tekil_now"
"""The variable that stands for `now()`, so that a statement's text stays the same."""

FEW, SMALL = 20_000, 4 << 20
"""Rows and bytes of a staged relation up to which plans over it are kept. For more than that a plan has to
know how many there are, and to make it costs little beside running it."""

KEPT = 256
"""Plans, and statements as they were read, that are kept; a cycle has about fifty."""


class Slot:
    """Few staged rows, under a name that plans may hold on to."""

    def __init__(self, rows: pa.Table) -> None:
        """Take the first rows; later ones must have the same columns."""
        self.rows = rows

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Give DuckDB the rows that are here now: it asks each time it scans them."""
        return self.rows.__arrow_c_stream__(requested_schema)


class Plans:
    """Runs statements over tables and staged relations."""

    def __init__(self, threads: int) -> None:
        """Take how many threads scan a staged relation."""
        self._threads = threads
        self._slots: dict[str, Slot] = {}
        self._many: set[str] = set()
        self._plans: dict[str, str] = {}
        self._statements: dict[str, duckdb.Statement] = {}
        self._numbers = 0

    def stage(self, connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
        """Put rows behind a name."""
        slot = self._slots.get(name)
        is_few = rows.num_rows <= FEW and rows.nbytes <= SMALL
        # Arrow rows never change, so they are scanned where they lie; in small batches, because a batch is
        # what a thread of the engine takes at a time.
        share = max(1, rows.num_rows // (4 * self._threads))
        rows = pa.Table.from_batches(rows.to_batches(share), rows.schema)
        if slot is not None and is_few and slot.rows.schema.equals(rows.schema):
            slot.rows = rows
            return
        self.unstage(connection, name)
        if is_few:
            self._slots[name] = Slot(rows)
        else:
            self._many.add(name)
        connection.register(name, self._slots.get(name, rows))

    def let_go(self, name: str) -> bool:
        """Let go of the rows behind a name that plans hold on to; False if it is no such name."""
        slot = self._slots.get(name)
        if slot is not None:
            slot.rows = slot.rows.schema.empty_table()
        return slot is not None

    def unstage(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        """Take a name back, and the plans that hold on to it."""
        if self._slots.pop(name, None) is not None:
            self._forget(connection, [sql for sql in self._plans if name in relations_read(sql)])
        self._many.discard(name)
        connection.unregister(name)

    def select(self, connection: duckdb.DuckDBPyConnection, sql: str, *, are_many: bool) -> pa.Table:
        """Return the rows of a SELECT: by its plan, where that can be kept."""
        reads = relations_read(sql)
        if NOW not in sql and reads <= self._slots.keys():
            plan = self._plans.get(sql) or self._prepare(connection, sql)
            return connection.execute(f"EXECUTE {plan}").to_arrow_table()
        if not are_many and self._many.isdisjoint(reads):
            return self.run(connection, sql).to_arrow_table()
        # Planned twice, but many rows are made Arrow by all threads, and not copied once more.
        return connection.sql(self._parsed(connection, sql)).to_arrow_table()

    def run(self, connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
        """Run a statement by a plan of its own; the result is the connection's."""
        return connection.execute(self._parsed(connection, sql))

    def _parsed(self, connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
        """Return a statement, read. The same few come in every cycle, and reading one takes milliseconds."""
        statement = self._statements.get(sql)
        if statement is None:
            if len(self._statements) >= KEPT:
                self._statements.clear()
            statement = self._statements[sql] = connection.extract_statements(sql)[0]
        return statement

    def _prepare(self, connection: duckdb.DuckDBPyConnection, sql: str) -> str:
        if len(self._plans) >= KEPT:
            self._forget(connection, list(self._plans))
        self._numbers += 1
        name = f"plan_{self._numbers}"
        connection.execute(f"PREPARE {name} AS {sql}")
        self._plans[sql] = name
        return name

    def _forget(self, connection: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
        for sql in statements:
            connection.execute(f"DEALLOCATE {self._plans.pop(sql)}")
