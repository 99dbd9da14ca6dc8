"""What a cycle did, and its cards on their way to the store."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from tekil.identity import person_id
from tekil.models import CardRows, build_cards
from tekil.store import Store

FEW_MESSAGES = 200
GATHER_SECONDS = 0.4
"""After a cycle of few messages the next begins so much later at the soonest: what a cycle costs hardly
depends on how many it takes, and a machine that serves a quiet shop has other things to do."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a cycle did: messages taken, persons refreshed, of whom `woken` by time alone; seconds it took.

    `lags` are (seconds from receipt to readable card, messages) of each body.
    """

    number: int
    messages: int
    persons: int
    woken: int
    seconds: float
    lags: tuple[tuple[float, int], ...] = ()

    @property
    def pause(self) -> float:
        """How many seconds to let messages gather after this cycle; after one of many, none."""
        return GATHER_SECONDS - self.seconds if self.messages < FEW_MESSAGES else 0.0


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
        """How many persons there are."""
        return len(self.keys)

    def __call__(self) -> datetime:
        """Publish; return the instant from which on the cards can be read."""
        gone = [person_id(key) for key in self.keys.to_pylist()]
        self.store.cards.publish(gone, list(build_cards(self.rows)), self.cycle)
        return self.clock()


@dataclass(frozen=True, slots=True)
class Publishing:
    """A cycle whose cards are being published, of these bodies; `done` gives when they became readable."""

    cycle: Cycle
    bodies: pa.Table
    done: Future[datetime]


class Lags:
    """How long messages took from the door to a readable card, lately."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._recent: deque[tuple[float, Cycle]] = deque(maxlen=100_000)

    def note(self, publishing: Publishing, readable: datetime) -> None:
        """Note that a cycle's cards were readable at an instant (UTC)."""
        columns = (publishing.bodies[name].to_pylist() for name in ("received_at", "messages"))
        lags = tuple(
            ((readable - received).total_seconds(), messages)
            for received, messages in zip(*columns, strict=True)
        )
        self._recent.append((time.monotonic(), replace(publishing.cycle, lags=lags)))

    def since(self, seconds: float) -> list[tuple[float, int]]:
        """Return (lag in seconds, messages) of the bodies made readable in the last `seconds`."""
        start = time.monotonic() - seconds
        return [lag for at, cycle in list(self._recent) if at >= start for lag in cycle.lags]
