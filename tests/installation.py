"""An installation without processes: log, warehouse, store and engine, with a clock the test moves."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from tekil.engine import Engine
from tekil.live_reads import LiveReads
from tekil.log import Entry, Log, open_log
from tekil.messages import pack
from tekil.models import ACTIVITY, ATTRIBUTES, Defined, Model
from tekil.privacy import DayKeys, KeyRing, MasterKey, Vault
from tekil.store import Card, Store, open_store
from tekil.warehouse import Table, Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse

MASTER = MasterKey(b"a key that only the tests have..")

NOON = datetime(2026, 3, 1, 12)
"""When tests begin, UTC."""

_EPOCH = datetime(1970, 1, 1)


def microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


class Installation:
    """Say things at an instant, let the engine run, look at what is known."""

    def __init__(
        self,
        folder: Path,
        *,
        store: Store | None = None,
        warehouse: Warehouse | None = None,
        models: Sequence[Model] = (ACTIVITY, ATTRIBUTES),
        vault: Vault | None = None,
        log: Log | None = None,
        defined: Defined = lambda _definitions: (),
        beside: Sequence[Table] = (),
        hearing: Callable[[Store, Vault], Sequence[Callable[[Warehouse], object]]] = lambda _s, _v: (),
    ) -> None:
        self.now = NOON
        self.store = store or open_store(f"sqlite:///{folder / 'store.db'}")
        keys = KeyRing(self.store.data_keys, MASTER)
        self.vault = vault or Vault(self.store.sealed_values, keys)
        self.log = log or open_log(f"sqlite:///{folder / f'log-{next(_numbers)}.db'}", DayKeys(keys))
        self.warehouse: Warehouse = warehouse or DuckDBWarehouse(":memory:")
        self.engine = Engine(
            self.log,
            self.warehouse,
            self.store,
            models,
            self.vault,
            clock=lambda: self.now,
            defined=defined,
            beside=beside,
            before_commit=hearing(self.store, self.vault),
        )
        self.engine.recover()

    def say(
        self,
        *messages: Any,
        source: str = "web",
        door: str = "batch",
        at: datetime | None = None,
        sent_at: str | None = None,
    ) -> None:
        """Accept messages, as the door does."""
        parts = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
        packed = pack(parts, None if sent_at is None else json.dumps(sent_at).encode())
        self.log.append([Entry(source, door, microseconds(at or self.now), packed.messages, packed.body)])

    def say_body(self, row: dict[str, Any]) -> None:
        """Accept a body as another log holds it (`READ_SCHEMA`)."""
        body = row["body"].encode()
        received = microseconds(row["received_at"])
        self.log.append([Entry(row["source"], row["door"], received, row["messages"], body)])

    def pass_time(self, **span: float) -> None:
        """Let time go by, in the words of `timedelta`."""
        self.now += timedelta(**span)

    def run(self) -> int:
        """Run the engine until nothing waits; return how many messages it took."""
        return self.engine.drain()

    def person(self, reference: str) -> Card:
        """Return whoever owns `kind:value`, revealed; a test that asks for nobody fails here."""
        return self.reads.profile(reference, reveal=True)

    @property
    def reads(self) -> LiveReads:
        """What the console and the API read by."""
        return LiveReads(self.log, self.warehouse, self.store, self.vault, self.engine)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a SELECT over what is committed."""
        found: list[dict[str, Any]] = self.warehouse.read(sql).to_pylist()
        return found

    def knowledge(self) -> dict[str, list[str]]:
        """Return everything derived, row by row, in an order of its own: to compare installations."""
        return {table: self.sorted_rows(f"SELECT * FROM {table}") for table in DERIVED}

    def sorted_rows(self, sql: str) -> list[str]:
        return sorted(repr(sorted(row.items())) for row in self.warehouse.read(sql).to_pylist())

    def cards(self) -> list[Card]:
        """Return all cards, identifiers included."""
        ids = [row["person_id"] for row in self.rows("SELECT person_id FROM profile")]
        return sorted(self.store.cards.get_many(ids), key=lambda card: card.person_id)

    def close(self) -> None:
        self.warehouse.close()
        self.log.close()


DERIVED = ("evidence", "identity", "ownership", "conflicts", "shared", "activity", "attributes")
_numbers = itertools.count()


def rows_of(table: pa.Table) -> Iterable[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pylist()
    return found
