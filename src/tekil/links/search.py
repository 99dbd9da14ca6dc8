"""Searching for people who are alike: one search at a time, whoever starts it, and how far it has come."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from tekil.access.audit import SYSTEM, Act, Actor
from tekil.errors import Busy, TekilError, Unavailable
from tekil.identifiers import Policy
from tekil.links.desk import STEPS, LinkDesk, Run
from tekil.store import Store
from tekil.store.clock import now_us
from tekil.store.links import LinkRun

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
LOOK_US = MINUTE_US
"""How often it is looked whether a search is due."""


class Progress(msgspec.Struct, frozen=True):
    """What a search is doing (one of `STEPS`, empty where none runs), how many steps are done, of how many.

    `last` is the search that began last, running or not.
    """

    step: str
    done: int
    all: int
    last: LinkRun | None


class LinkSearch:
    """Starts searches. Safe to use from many threads."""

    def __init__(self, desk: LinkDesk, store: Store, clock: Callable[[], int] = now_us) -> None:
        """Take the desk that searches, where searches are kept, and a clock (microseconds)."""
        self._desk, self._store, self._clock = desk, store, clock
        self._running = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._step = ""
        self._next_look = 0

    def run(self, by: Actor) -> Run:
        """Search now, and return what was found. Raises `Busy` while another search runs."""
        self._begin()
        return self._search(by)

    def start(self, by: Actor) -> None:
        """Begin a search in a thread of its own. Raises `Busy` while another one runs."""
        self._begin()
        self._thread = threading.Thread(target=self._search_aside, args=(by,), name="links")
        self._thread.start()

    def step(self) -> bool:
        """Begin a search where the policy's hours since the last have gone by. A chore: always False."""
        now = self._clock()
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_US
        spec, last = Policy.read(self._store.definitions).spec.links, self._store.link_runs.last()
        if spec is None or spec.every_hours is None:
            return False
        if last is None or now - last.started_at >= spec.every_hours * HOUR_US:
            try:
                self.start(SYSTEM)
            except Busy:
                return False
        return False

    def progress(self) -> Progress:
        """Return how far the running search has come, and how the last one began or ended."""
        step = self._step
        done = STEPS.index(step) if step in STEPS else 0
        return Progress(step, done, len(STEPS), self._store.link_runs.last())

    def close(self) -> None:
        """Have a search that runs end at its next step, and wait for that."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        if not self._running.acquire(blocking=False):
            raise Busy("A search for people who are alike runs already; wait until it has ended.")
        self._step = STEPS[0]

    def _search_aside(self, by: Actor) -> None:
        try:
            self._search(by)
        except TekilError:
            # Whoever looks at the last search is told.
            return

    def _search(self, by: Actor) -> Run:
        """Search, holding the lock that `_begin` took, and keep how it went."""
        runs, run = self._store.link_runs, LinkRun(self._clock(), by.name)
        try:
            number = runs.add(run)
            try:
                found = self._desk.run(self._note)
            except BaseException as error:
                told = error.message if isinstance(error, TekilError) else type(error).__name__
                runs.end(number, msgspec.structs.replace(run, ended_at=self._clock(), error=told))
                raise
            told_of = msgspec.structs.asdict(found)
            runs.end(number, msgspec.structs.replace(run, ended_at=self._clock(), **told_of))
            self._store.audit.append(by, Act.IDENTITY_SAID, "links", "links", linked=found.linked)
            return found
        finally:
            self._step = ""
            self._running.release()

    def _note(self, step: str) -> None:
        if self._stopping.is_set():
            raise Unavailable("Tekil is stopping; search again when it is back.", code="engine_stopping")
        self._step = step
