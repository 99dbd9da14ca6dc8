"""What any warehouse engine can do. Nothing here knows which one it is.

Relations are of two kinds. **Tables** last: they are declared once, and written only inside a transaction.
**Staged** relations are scratch: they belong to the one who made them, hold their rows from the moment they
are made (never a view that changes underneath), and are replaced when staged again under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import pyarrow as pa

from tekil.errors import Misconfigured

ColumnType = Literal[
    "text", "texts", "bigint", "integer", "decimal", "boolean", "timestamp", "variant", "page", "touch"
]
"""`texts` is a list of text; `decimal` has 14 digits before and 4 after its point; `timestamp` is an instant
in UTC without a zone; `variant` any JSON value;
`page` and `touch` are records of text with an instant, as `STRUCTS` lists."""

STRUCTS = {
    "page": {"url": "text", "title": "text", "seen_at": "timestamp"},
    "touch": {
        "source": "text",
        "medium": "text",
        "campaign": "text",
        "click_id_kind": "text",
        "referrer_host": "text",
        "seen_at": "timestamp",
    },
}
"""The members of a column type that is a record."""


Parameters = Mapping[str, Any] | None
"""What a SELECT's `$name`s stand for."""

Wanted = Mapping[str, str]
"""Column → the relation of the values of it that are wanted, which has a column of the same name."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing a person does with the rows of a table.

    `identifier` and `person` delete the rows whose key (the table's) is that of one of the person's
    identifiers, or theirs. `own` says that erasure knows what to do by itself, and `nobody` that no row is
    anybody's: then `because` says how, or why.
    """

    rule: Literal["identifier", "person", "own", "nobody"]
    because: str = ""


BY_IDENTIFIER = Erasure("identifier")
BY_PERSON = Erasure("person")


@dataclass(frozen=True, slots=True)
class Table:
    """A table that lasts. `key` is the column whose rows are replaced together.

    A table that does not say what `erasure` does with it keeps the engine from starting.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    erasure: Erasure | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


def check_erasure_declared(tables: Sequence[Table]) -> None:
    """Return if every table says what erasing a person does with it. Raises `Misconfigured` otherwise."""
    if silent := [table.name for table in tables if table.erasure is None]:
        raise Misconfigured(
            f"{', '.join(silent)} does not say what erasing a person does with its rows: give the table "
            "erasure=BY_IDENTIFIER, BY_PERSON or Erasure(…).",
            code="erasure_undeclared",
        )


ARROW_TYPES: Mapping[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "decimal": pa.decimal128(18, 4),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}
"""The types of columns whose rows can be staged from Arrow."""


def arrow_schema(table: Table) -> pa.Schema:
    """Return what rows of a table look like when they are staged."""
    return pa.schema([(column.name, ARROW_TYPES[column.type]) for column in table.columns])


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the engine has come: committed with the data, so that both are true or neither.

    `position` is the last log position loaded, `cycle` counts committed cycles, `clock` is the instant that
    `now()` stood for in the last one (UTC; nothing before the first), `models` the digest of the models that
    gave what is here.
    """

    position: int = 0
    cycle: int = 0
    clock: datetime | None = None
    models: str = ""


class Warehouse(Protocol):
    """Relations, and SELECTs over them. One writer: the engine's loop; `read` may be called by anyone."""

    def create(self, tables: Sequence[Table]) -> None:
        """Make the tables that are missing."""
        ...

    def define(self, views: Mapping[str, str]) -> None:
        """Make views: name → SELECT over tables, for people who write SQL."""
        ...

    def set_now(self, instant: datetime) -> None:
        """Say what `now()` means in all SQL of the writer from here on (UTC)."""
        ...

    def stage(self, name: str, rows: pa.Table) -> None:
        """Make a staged relation from Arrow rows."""
        ...

    def derive(self, name: str, sql: str) -> None:
        """Make a staged relation from a SELECT, computed now."""
        ...

    def bulk(self) -> AbstractContextManager[None]:
        """Say that what is derived in this block may be larger than memory."""
        ...

    def pick(
        self,
        name: str,
        table: str,
        columns: Sequence[str],
        touched: str | Wanted,
        by: str | None = None,
    ) -> None:
        """Make a staged relation of some columns of those rows of a table whose key is in `touched`.

        `touched` is a relation with that key as a column: the table's, or another column, named `by`; or
        several, by column: then a row is picked that any of them finds, once (rows of all columns alike are
        one). This is how every refresh reads: few rows of many, and nobody but the engine knows the shortest
        way to them.
        """
        ...

    def drop(self, name: str) -> None:
        """Let go of a staged relation; one that is not there is no error."""
        ...

    def append(self, table: str, sql: str) -> None:
        """Add the rows of a SELECT to a table; columns are matched by name, absent ones are null."""
        ...

    def replace(self, table: str, touched: str, sql: str) -> None:
        """Delete the rows whose key is in `touched`, then add the rows of a SELECT.

        `touched` is a relation with the table's key as a column. This is how every refresh writes.
        """
        ...

    def remove(self, table: str, column: str, doomed: str) -> None:
        """Delete the rows whose value in a column is among those of the same column of `doomed`."""
        ...

    def overwrite(self, table: str, sql: str) -> None:
        """Put the rows of a SELECT in place of all rows of a table."""
        ...

    def remake(self, table: Table, sql: str) -> None:
        """Make a table anew, whatever columns it had before, of the rows of a SELECT.

        This is how tables change whose columns people define; like all that writes, in a transaction.
        """
        ...

    def query(self, sql: str) -> pa.Table:
        """Run a SELECT as the writer, who sees staged relations and their own uncommitted rows."""
        ...

    def read(self, sql: str, parameters: Parameters = None, now: datetime | None = None) -> pa.Table:
        """Run a SELECT over what is committed, from any thread. Parameters are written `$name`.

        With `now` the SQL is ours, macros and all, and `now()` is that instant (UTC).

        Raises `BadRequest` where the SQL is wrong, or is not one SELECT.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Begin; commit when the block ends; leave all tables and marks as they were if it raises."""
        ...

    def marks(self) -> Marks:
        """Return the committed marks."""
        ...

    def set_marks(self, marks: Marks) -> None:
        """Move the marks, inside a transaction."""
        ...

    def cluster(self, table: str, places: str) -> bool:
        """Do one bounded step towards rows of equal place lying side by side; True if there was one to do.

        `places` is a SELECT over tables that gives the table's key and a `place`: a BIGINT from 0 up, spread
        evenly over all 63 bits. Rows arrive in any order, so this is done ever again.
        """
        ...

    def sweep(self) -> bool:
        """See to it that no file holds bytes of rows that were deleted; return whether that is so.

        Takes as long as writing everything once: readers go on, the writer waits. An engine whose files are
        another's business does nothing.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
