"""What a model is: a name, a SELECT, the columns it gives, and the key whose rows change together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sqlglot
from sqlglot import exp

from tekil.warehouse import BY_PERSON, Column, Table, wake_expression
from tekil.warehouse.protocol import ColumnType


@dataclass(frozen=True)
class Model:
    """A SELECT whose row for a person depends on that person's rows alone.

    The SQL reads `person_events` and `person_traits` (events and traits with their `person_key`), groups by
    `person_key`, and never says how much it sees. Windows are written `column > now() - interval N unit`.
    """

    name: str
    sql: str
    columns: Mapping[str, ColumnType]
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of columns whose text is one of a few: which, in their order."""
    wakes_itself: bool = False
    """Whether the SELECT gives `wake_at` by itself: then it may wake somebody too early, never too late."""

    @cached_property
    def table(self) -> Table:
        """The table that holds the model's rows; a model with windows has a `wake_at` too."""
        columns = [Column("person_key", "bigint"), *(Column(n, t) for n, t in self.columns.items())]
        if self.wakes_itself or wake_expression(self.sql) is not None:
            columns.append(Column("wake_at", "timestamp"))
        return Table(self.name, tuple(columns), key="person_key", erasure=BY_PERSON)

    @cached_property
    def compiled(self) -> str:
        """The SELECT as it is run: `wake_at` added where time alone can change an answer."""
        wake = None if self.wakes_itself else wake_expression(self.sql)
        if wake is None:
            return self.sql
        tree = sqlglot.parse_one(self.sql, dialect="duckdb")
        assert isinstance(tree, exp.Select)
        return tree.select(f"{wake} AS wake_at", dialect="duckdb").sql(dialect="duckdb")
