"""Whose answers change by time alone, and when: nobody is polled, the next instant is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from tekil.models import Model
from tekil.warehouse import Warehouse

DUE_MAX = 50_000
"""How many people one cycle wakes at most; the others are as overdue in the next, a moment later."""

DUE = pa.schema([("person_key", pa.int64()), ("woke_at", pa.timestamp("us"))])
"""Who is looked at again although nothing was said, and the instant that woke them, if one did."""


class Waking:
    """The `wake_at` of all models' rows; `models` are given anew whenever asked, for definitions change."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Take the warehouse; ask nothing yet."""
        self._warehouse = warehouse
        self._next: datetime | None = None

    def forget(self) -> None:
        """Ask again next time: rows were written."""
        self._next = None

    def is_someone_due(self, models: Sequence[Model], now: datetime) -> bool:
        """Return whether somebody's time has come. Asked all the time, so the next one's is remembered."""
        if self._next is None:
            found = self._warehouse.query(f"SELECT min(wake_at) AS wake_at FROM ({_rows(models)}) AS waking")
            self._next = found["wake_at"][0].as_py() or datetime.max
        return self._next <= now

    def stage_due(self, models: Sequence[Model], is_someone_due: bool) -> int:
        """Stage `due`: the persons whose time has come, the longest overdue first; return how many."""
        due = DUE.empty_table()
        if is_someone_due:
            rows = _rows(models, "wake_at <= now()")
            due = self._warehouse.query(
                f"SELECT person_key, min(wake_at) AS woke_at FROM ({rows}) AS waking"
                f" GROUP BY person_key ORDER BY min(wake_at), person_key LIMIT {DUE_MAX}"
            )
        self._warehouse.stage("due", due)
        return int(due.num_rows)

    def stage_asked(self, persons: pa.ChunkedArray | None = None) -> None:
        """Stage as `due` some persons (their keys) whom no time has woken; nobody where none are given."""
        keys = pa.chunked_array([], pa.int64()) if persons is None else persons
        self._warehouse.stage("due", pa.table([keys, pa.nulls(len(keys), DUE.types[1])], schema=DUE))


def _rows(models: Sequence[Model], condition: str = "TRUE") -> str:
    waking = [model.name for model in models if "wake_at" in model.table.column_names]
    return " UNION ALL ".join(f"SELECT person_key, wake_at FROM {name} WHERE {condition}" for name in waking)
