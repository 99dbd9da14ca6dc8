"""What a cycle did, and its cards on their way to the store."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from tekil.identity import person_id
from tekil.models import ACTIVITY, CardRows, build_cards
from tekil.store import Store
from tekil.warehouse import Column, Erasure, Marks, Table, Warehouse

TOUCHED = Table(
    "touched", (Column("person_key", "bigint"),), "person_key", Erasure("nobody", "keys of one cycle")
)
"""Persons of the last committed cycle: whose cards to publish, should we have died before doing so."""

UNPUBLISHED = Table(
    "unpublished", (Column("person_key", "bigint"),), "person_key", Erasure("nobody", "keys of cards to come")
)
"""Persons whose cards are to be made anew, step by step: what they show is other, but nothing happened."""

CARDS_AT_ONCE = 20_000

CARDS_A_STEP = 2_000
"""Cards made between two cycles, while there are any to make anew: messages do not wait for more."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def silent(_what: str, _done: int, _all: int) -> None:
    """Show no progress."""


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


class Publisher:
    """The one writer of cards: of a cycle's persons beside the next cycle, of many others at once."""

    def __init__(self, store: Store, warehouse: Warehouse, clock: Callable[[], datetime]) -> None:
        """Take where cards go to, and where their rows are; the cycle that was published last is read."""
        self.lags = Lags()
        self._store, self._warehouse, self._clock = store, warehouse, clock
        self._published = store.cards.published_cycle()
        self._thread = ThreadPoolExecutor(1, "tekil-publish")
        self._under_way: Publishing | None = None
        self._put_off: int | None = None
        self._done = 0

    def begin(self, persons: str, rows: CardRows, bodies: pa.Table, cycle: Cycle) -> Cycle:
        """Publish the persons in a staged relation, of whom `rows` were read, in a thread of its own.

        Returns the cycle, with how many they are. The last one must be finished.
        """
        publish = self._publication(persons, rows, cycle.number)
        counted = replace(cycle, persons=publish.persons)
        self._under_way = Publishing(counted, bodies, self._thread.submit(publish))
        return counted

    def finish(self) -> None:
        """Wait until the last cycle's cards are readable.

        Raises what kept them from it; the next cycle then begins with publishing them.
        """
        if self._under_way is None:
            return
        publishing, self._under_way = self._under_way, None
        readable = publishing.done.result()
        self._published = publishing.cycle.number
        self.lags.note(publishing, readable)

    def catch_up(self, marks: Marks, tables: Sequence[str], tell: Progress = silent) -> None:
        """Publish what the last commit changed, if we died, or the store was away, before that was done.

        A store further behind than that is another one, or an old copy: then everybody is published.
        """
        if self._under_way is not None or marks.cycle == self._published:
            return
        if marks.cycle - 1 != self._published:
            self._store.cards.clear()
            self.publish(ACTIVITY.name, marks.cycle, tables, tell)
        else:
            self.publish(TOUCHED.name, marks.cycle, tables, tell)

    def publish(self, persons: str, cycle: int, tables: Sequence[str], tell: Progress = silent) -> None:
        """Publish the persons of a table, so many at a time; those who are no more lose their cards."""
        people = self._warehouse.query(f"SELECT person_key FROM {persons} ORDER BY person_key")
        for start in range(0, max(people.num_rows, 1), CARDS_AT_ONCE):
            done = min(start + CARDS_AT_ONCE, people.num_rows)
            self._warehouse.stage("publishing", people.slice(start, CARDS_AT_ONCE))
            rows = CardRows.read_of(self._warehouse, "publishing", tables)
            self._publication("publishing", rows, cycle if done == people.num_rows else None)()
            tell("publish", done, people.num_rows)
        self._published = cycle

    def put_off(self, persons: str) -> Callable[[], None]:
        """Stage that some persons (a relation) are published later, by `step`; return what writes it down.

        That belongs into the transaction by which their cards become others, so that no crash forgets them.
        """
        self._warehouse.derive(
            "put_off",
            f"SELECT person_key FROM {UNPUBLISHED.name} UNION SELECT person_key FROM {persons}",
        )

        def write() -> None:
            self._warehouse.overwrite(UNPUBLISHED.name, "SELECT person_key FROM put_off")
            self._put_off, self._done = None, 0

        return write

    def step(self, tables: Sequence[str], tell: Progress = silent) -> bool:
        """Publish some of those who were put off; True if there was anybody."""
        if self._put_off is None:
            count = self._warehouse.query(f"SELECT count(*) AS n FROM {UNPUBLISHED.name}")["n"][0].as_py()
            self._put_off = int(count)
        if not self._put_off:
            return False
        tell("publish", self._done, self._done + self._put_off)
        self.finish()
        some = f"SELECT person_key FROM {UNPUBLISHED.name} ORDER BY person_key LIMIT {CARDS_A_STEP}"
        self._warehouse.stage("publishing", self._warehouse.query(some))
        publish = self._publication(
            "publishing", CardRows.read_of(self._warehouse, "publishing", tables), None
        )
        publish()
        with self._warehouse.transaction():
            self._warehouse.remove(UNPUBLISHED.name, "person_key", "publishing")
        self._done += publish.persons
        self._put_off -= publish.persons
        return True

    def _publication(self, persons: str, rows: CardRows, cycle: int | None) -> Publication:
        keys = self._warehouse.query(f"SELECT person_key FROM {persons}")["person_key"]
        return Publication(self._store, keys, rows, cycle, self._clock)
