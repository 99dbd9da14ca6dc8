"""Publishing: cards on their way to the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from tekil.identity import person_id
from tekil.models.cards import CardRows, build_cards
from tekil.store import Store


@dataclass(frozen=True, slots=True)
class Publication:
    """Some persons on their way to the store; those without rows are no more."""

    store: Store
    keys: pa.ChunkedArray
    rows: CardRows
    cycle: int | None
    clock: Callable[[], datetime]

    @property
    def persons(self) -> int:
        """How many there are."""
        return len(self.keys)

    def __call__(self) -> datetime:
        """Publish; return the instant from which on the cards can be read."""
        gone = [person_id(key) for key in self.keys.to_pylist()]
        self.store.cards.publish(gone, list(build_cards(self.rows)), self.cycle)
        return self.clock()
