"""The loop: read the log, load, resolve, refresh, commit, publish. Once more, from where it stopped.

A **cycle** takes the bodies that wait in the log and everyone whose `wake_at` has come. It stages all
answers first, then writes them in one transaction together with the log position and the instant that
`now()` stood for. A crash before the commit leaves nothing; a crash after it leaves cards to publish, and
the transaction holds the list of whose.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import pyarrow as pa

from tekil.dictionary import COUNTED, Dictionary, Rules, counted_events
from tekil.errors import TekilError, Unavailable
from tekil.identity import IDENTITY, PLACES, Reached, finish, reach, reach_without, write
from tekil.identity import TABLES as IDENTITY_TABLES
from tekil.load import (
    EVENTS,
    RECORD_CHANGES,
    TRAITS,
    Floors,
    KnownMessages,
    Prepared,
    ReadAhead,
    empty_places,
    keep,
    prepare,
)
from tekil.load import TABLES as LOAD_TABLES
from tekil.log import Log
from tekil.models import (
    ACTIVITY,
    CARD_TABLES,
    FEATURES,
    MEMBERS,
    MEMBERS_KEPT,
    MEMBERSHIP_TABLES,
    SCORES,
    VIEWS,
    Bindings,
    CardRows,
    Defined,
    InForce,
    Model,
    Turned,
    arriving,
    backfill,
    derive,
    fill,
    needed,
)
from tekil.privacy import Vault
from tekil.privacy.tombstones import Graveyard
from tekil.publishing import TOUCHED, UNPUBLISHED, Cycle, Progress, Publisher, silent
from tekil.store import Store
from tekil.tasks import Tasks
from tekil.waking import Waking
from tekil.warehouse import Marks, Table, Warehouse, check_erasure_declared

BODIES_MAX = 20_000
BODIES_SIZE_MAX = 32 << 20
"""What one cycle takes from the log at most: bodies, and bytes."""

IDLE_SECONDS = 0.05
"""How long the loop waits when there was nothing to do."""

TOUCHED_ANSWERS = {
    **{table: f"touched_{table}" for table in (*CARD_TABLES, FEATURES, SCORES)},
    MEMBERS.name: MEMBERS_KEPT,
    IDENTITY.name: "SELECT * FROM seen_identity"
    " WHERE person_key IN (SELECT person_key FROM touched_persons_all)",
}
"""Where the rows of the persons of this cycle are, before and after they are written to the tables."""

CYCLES_A_STEP = 20
"""Under load, one step of clustering is done after so many cycles; when there is nothing else, at once."""

NOBODY = pa.table({"person_key": pa.array([], pa.int64())})

CHORES_SECONDS = 1.0
"""How long after there was nothing to be done it is looked again: to look costs more than an idle turn."""

IDLE = ("", 0, 0)
"""What an engine is doing that is at no long task."""

Result = TypeVar("Result")


def utc_now() -> datetime:
    """Return this instant, UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Engine:
    """The one writer of the warehouse and of the cards."""

    def __init__(
        self,
        log: Log,
        warehouse: Warehouse,
        store: Store,
        models: Sequence[Model],
        vault: Vault,
        *,
        clock: Callable[[], datetime] = utc_now,
        before_commit: Sequence[Callable[[Warehouse], object]] = (),
        defined: Defined = lambda _definitions: (),
        beside: Sequence[Table] = (),
    ) -> None:
        """Take the three places, the models and the vault; make the tables that are missing.

        `defined` gives more models, which change when definitions do. `before_commit` looks at what a cycle
        has staged, and may be called again for the same messages. `beside` are tables that chores fill.
        """
        self.log, self.warehouse, self.store, self._clock = log, warehouse, store, clock
        self.vault = vault
        self.graveyard = Graveyard(store.tombstones, vault)
        self._tombstones = self.graveyard.read()
        self._before_commit, self._beside = tuple(before_commit), tuple(beside)
        self._adopt(InForce.read(models, defined, store.definitions))
        self.doing = IDLE
        self.heeded = 0
        self.chores: list[Callable[[], bool]] = []
        self._tasks: Tasks[Engine] = Tasks()
        self._cycles = 0
        self._next_chores = 0.0
        self._ahead = ReadAhead(log, BODIES_MAX, BODIES_SIZE_MAX)
        self._known = KnownMessages(warehouse)
        self._waking = Waking(warehouse)
        self._turned: Turned | None = None
        self.publisher = Publisher(store, warehouse, clock)
        self.beat = time.monotonic()
        check_erasure_declared(self.tables)
        warehouse.create(self.tables)
        warehouse.define(VIEWS)
        self._rules = self._take_rules()
        self.floors = Floors.read(warehouse)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables of the warehouse, those of the definitions in force among them."""
        made = (model.table for model in self.models)
        kept = (TOUCHED, UNPUBLISHED, *MEMBERSHIP_TABLES)
        return (*LOAD_TABLES, *IDENTITY_TABLES, *kept, *made, *self._beside)

    def recover(self, progress: Progress | None = None) -> None:
        """Do what a crash, or a new version's models, left to be done. Call before the first cycle."""
        marks = self.warehouse.marks()
        if not self._in_force.lasts_since(marks.models):
            self.rebuild(progress)
        else:
            self.publisher.catch_up(marks, self.card_tables, progress or silent)
            self._heed_definitions(marks)
        empty_places(self.log, self.warehouse, self.vault, self._tombstones)

    def step(self) -> Cycle | None:
        """Run one cycle; return what it did, or nothing where nothing waited. All is readable afterwards."""
        cycle = self._advance()
        self.publisher.finish()
        return cycle

    def _advance(self) -> Cycle | None:
        """Run one cycle up to its commit; publish what it gave while the next one is being prepared."""
        started = time.monotonic()
        marks = self._heed_definitions(self.warehouse.marks())
        self.heeded = self._in_force.revision
        self.publisher.catch_up(marks, self.card_tables)
        bodies = self._ahead.read(marks.position)
        now = max(self._clock(), marks.clock or datetime.min)
        is_someone_due = self._waking.is_someone_due(self.models, now)
        if not bodies.num_rows and not is_someone_due:
            self.publisher.finish()
            return None
        self.warehouse.set_now(now)
        due = self._waking.stage_due(self.models, is_someone_due)
        prepared = self._stage_refresh(bodies)
        for look in self._before_commit:
            look(self.warehouse)
        position = bodies["position"][-1].as_py() if bodies.num_rows else marks.position
        after = Marks(position, marks.cycle + 1, now, self._in_force.digest)
        self._cycles += 1
        self._waking.forget()
        # The commit notes whose cards are to be published, so those of the last one must be.
        self.publisher.finish()
        try:
            with self.warehouse.transaction():
                keep(self.warehouse, prepared)
                self._write_refresh(after)
        except BaseException:
            self._known.forget()
            raise
        self._known.add(prepared.keys)
        if prepared.has_cuttings:
            empty_places(self.log, self.warehouse, self.vault, self._tombstones)
        answers = {table: TOUCHED_ANSWERS[table] for table in self.card_tables}
        rows = CardRows.read(self.warehouse, answers)
        messages = sum(bodies["messages"].to_pylist())
        cycle = Cycle(after.cycle, messages, 0, due, time.monotonic() - started)
        return self.publisher.begin("touched_persons_all", rows, bodies, cycle)

    def _adopt(self, in_force: InForce) -> None:
        """Derive by these models, and this identity policy, from now on."""
        self._in_force = in_force
        self.models, self.policy = in_force.models, in_force.policy
        self.card_tables = in_force.card_tables
        self._events = needed(EVENTS, self.models)

    def _heed_definitions(self, marks: Marks) -> Marks:
        """Put in force what was defined meanwhile; return the marks from there on.

        Other persons, by the identity policy, are everything anew; features one pass for their own tables.
        """
        before = of = self._in_force
        if self.store.definitions.revision() != of.revision:
            of = InForce.read(of.lasting, of.defined, self.store.definitions)
            self._adopt(of)
        if marks.models == of.digest or not (marks.models or of.made):
            return marks
        self.publisher.finish()
        alike = not of.follow_renames(self.warehouse) and before is not of and of.has_cards_like(before)
        if of.lasts_since(marks.models):
            self._backfill(of, marks, are_cards_alike=alike)
        else:
            self.rebuild()
        return self.warehouse.marks()

    def _backfill(self, of: InForce, marks: Marks, *, are_cards_alike: bool) -> None:
        """Make true what is in force now. Cards follow step by step: of whom it moves, or of everybody."""
        self.publisher.catch_up(marks, self.card_tables)
        now = max(self._clock(), marks.clock or datetime.min)
        after = replace(marks, cycle=marks.cycle + 1, clock=now, models=of.digest)
        self.doing = ("backfill", 0, 1)

        def beside(staged: Mapping[str, str]) -> Callable[[], None]:
            write_turned = self._in_force.turn_all(self.warehouse, staged)
            write_later = self.publisher.put_off("turned" if are_cards_alike else ACTIVITY.name)

            def write() -> None:
                write_turned()
                write_later()
                self._mark(f"(SELECT * FROM {UNPUBLISHED.name} WHERE FALSE) AS nobody", after)

            return write

        backfill(self.warehouse, of.made, now, beside)
        self._waking.forget()
        self.publisher.publish(TOUCHED.name, after.cycle, self.card_tables)
        self.doing = IDLE

    def publish_some(self) -> bool:
        """Make some of the cards anew that a changed definition made other ones; True if there were any."""
        if self.publisher.step(self.card_tables, self._tell):
            return True
        self.doing = IDLE
        return False

    def _tell(self, what: str, done: int, everything: int) -> None:
        self.doing = (what, done, everything)

    def run(self, stop: threading.Event, on_error: Callable[[TekilError], None]) -> None:
        """Run cycles until told to stop. What is away for a while is waited for; nothing is skipped."""
        pause = IDLE_SECONDS
        try:
            while not stop.is_set():
                try:
                    self._tasks.run(self, self._before_task)
                    cycle = self._advance()
                    busy = cycle is not None
                    self.beat = time.monotonic()
                    if self._is_time_for_chores(busy=busy):
                        busy = self._do_chores() or busy
                    pause = IDLE_SECONDS
                    if self.publish_some():
                        busy = True
                    elif cycle is not None and cycle.pause > 0:
                        self.publisher.finish()
                        self._tasks.wait(stop, cycle.pause)
                except Unavailable as error:
                    on_error(error)
                    busy, pause = False, min(pause * 2, 5.0)
                if not busy:
                    stop.wait(pause)
        finally:
            self._tasks.refuse()
            with contextlib.suppress(Unavailable):
                self.publisher.finish()

    def _is_time_for_chores(self, *, busy: bool) -> bool:
        """Return whether to look after chores now: every so many cycles, or where there is nothing else."""
        if busy:
            return self._cycles % CYCLES_A_STEP == 0
        return time.monotonic() >= self._next_chores

    def _do_chores(self) -> bool:
        """Do one bounded step of each thing that must be done some time; True if there was one."""
        self.publisher.finish()
        is_more = any([self._cluster(), *(chore() for chore in self.chores)])
        self._next_chores = 0.0 if is_more else time.monotonic() + CHORES_SECONDS
        return is_more

    def _cluster(self) -> bool:
        """Do one step of bringing history into order, so that refreshing stays fast; True if there was."""
        return any(self.warehouse.cluster(table.name, PLACES) for table in (EVENTS, TRAITS, IDENTITY))

    def submit(self, task: Callable[[Engine], Result]) -> Future[Result]:
        """Have the loop's thread run a task between two cycles; from any thread."""
        return self._tasks.submit(task)

    def _before_task(self) -> None:
        self.publisher.finish()
        self._ahead.forget()

    def drain(self) -> int:
        """Run cycles until nothing waits; return how many messages they took."""
        messages = 0
        while (cycle := self.step()) is not None:
            messages += cycle.messages
        while self.publish_some():
            pass
        return messages

    def _begin_change(self) -> Marks:
        """Make ready for a change between two cycles; return the marks that it ends with."""
        self.publisher.finish()
        marks = self.warehouse.marks()
        self.publisher.catch_up(marks, self.card_tables)
        now = max(self._clock(), marks.clock or datetime.min)
        self.warehouse.set_now(now)
        return replace(marks, cycle=marks.cycle + 1, clock=now)

    def amend(
        self, persons: pa.Table, events: str, records: str, change: Callable[[Warehouse], None]
    ) -> None:
        """Change what tables hold of some persons (`person_key`), and derive them anew, in one transaction.

        `change` deletes or rewrites rows, among them those that lie in the relations `events` and `records`
        as they were: whoever these told of is worked out as if they had never been said. Who has no rows left
        is no more, and loses their card. Runs between two cycles, on the thread of whoever runs those.
        """
        warehouse = self.warehouse
        after = self._begin_change()
        with warehouse.transaction():
            change(warehouse)
            self._waking.stage_asked(persons["person_key"])
            reached = reach_without(warehouse, self.policy, events, records)
            self._stage_answers(reached, "SELECT * FROM old_{table}", said=None)
            self._write_refresh(after, recount=True)
        self._waking.forget()
        self._known.forget()
        self.publisher.publish(TOUCHED.name, after.cycle, self.card_tables)

    def heed_tombstones(self) -> None:
        """Read anew who was erased: it counts from the next message on."""
        self._tombstones = self.graveyard.read()

    def rebuild(self, progress: Progress | None = None) -> None:
        """Derive everything anew from the events, by the same SELECTs, and put it in the old rows' place."""
        tell = progress or silent
        marks = self.warehouse.marks()
        now = max(self._clock(), marks.clock or datetime.min)
        self.warehouse.set_now(now)
        tell("derive", 0, 1)
        with self.warehouse.bulk():
            staged = derive(self.warehouse, self.models, Bindings.all(), "rebuilt_", self.policy)
        tell("derive", 1, 1)
        after = Marks(marks.position, marks.cycle + 1, now, self._in_force.digest)
        self.warehouse.derive(
            "rebuilt_persons",
            " UNION ".join(
                f"SELECT person_key FROM {prefix}{name}"
                for prefix in ("", "rebuilt_")
                for name in ("identity", "ownership")
            ),
        )
        write_turned = self._in_force.turn_all(self.warehouse, staged)
        with self.warehouse.transaction():
            fill(self.warehouse, staged, self._in_force.made)
            write_turned()
            self._mark("rebuilt_persons", after)
        for relation in staged.values():
            self.warehouse.drop(relation)
        self._waking.forget()
        self.publisher.publish(TOUCHED.name, after.cycle, self.card_tables, tell)

    def take_out(self, of: Table, doomed: str, beside: Callable[[Warehouse], None]) -> None:
        """Take few messages out of history and refresh whom they told of, as if they had never been said.

        `doomed` selects their `message_key`s; they are `of` events or of record changes. `beside` writes in
        the same transaction. Between cycles only.
        """
        self.warehouse.derive("doomed", doomed)
        for table in (EVENTS, RECORD_CHANGES):
            among = "message_key IN (SELECT message_key FROM doomed)" if table is of else "FALSE"
            self.warehouse.derive(f"doomed_{table.name}", f"SELECT * FROM {table.name} WHERE {among}")

        def change(warehouse: Warehouse) -> None:
            for table in (of, TRAITS):
                warehouse.remove(table.name, "message_key", "doomed")
            beside(warehouse)

        self.amend(NOBODY, f"doomed_{EVENTS.name}", f"doomed_{RECORD_CHANGES.name}", change)

    def freshness(self, seconds: float = 300) -> list[tuple[float, int]]:
        """Return (lag in seconds, messages) of the bodies made readable in the last `seconds`."""
        return self.publisher.lags.since(seconds)

    def _stage_refresh(self, bodies: pa.Table) -> Prepared:
        """Stage the new events and, for everyone they touch, all answers anew."""
        warehouse = self.warehouse
        rules = self._rules_in_force(bodies)
        prepared = prepare(
            warehouse, bodies, self._known, self.vault, rules, self.floors, self.policy, self._tombstones
        )
        reached = reach(warehouse, self.policy, "new_events", prepared.records)
        history = "SELECT * FROM old_{table} UNION ALL SELECT {arriving} FROM new_{table}"
        self._stage_answers(reached, history, said="new_events")
        return prepared

    def _stage_answers(self, reached: Reached, history: str, *, said: str | None) -> None:
        """Stage all answers about those who are reached, and about the due.

        `history` is the SELECT of what they follow from; `old_{table}` stands for what is in the tables.
        `said` is the relation of the events that were said just now, if any were.
        """
        warehouse = self.warehouse
        seen = {EVENTS.name: self._events, TRAITS.name: TRAITS.column_names}
        for table, columns in seen.items():
            warehouse.pick(f"old_{table}", table, columns, "reached_identifiers")
        both = {t: history.format(table=t, arriving=arriving(c)) for t, c in seen.items()}
        people = finish(warehouse, self.policy, reached, both[EVENTS.name])
        of = (people, both[EVENTS.name], both[TRAITS.name])
        self._turned = self._in_force.derive_touched(warehouse, *of, said)

    def _rules_in_force(self, bodies: pa.Table) -> Rules:
        """Return the dictionary's rules; a new version counts from the next message on."""
        if bodies.num_rows and self.store.definitions.revision() != self._rules.revision:
            self._rules = self._take_rules()
        return self._rules

    def _take_rules(self) -> Rules:
        """Read the dictionary, and have its counting rules in force for whoever asks in SQL."""
        dictionary = Dictionary.read(self.store.definitions)
        self.warehouse.define({COUNTED: counted_events(dictionary.events)})
        return Rules(dictionary)

    def _write_refresh(self, after: Marks, *, recount: bool = False) -> None:
        """Put the staged answers in the place of the old ones; move the marks."""
        warehouse = self.warehouse
        write(warehouse)
        for model in self.models:
            warehouse.replace(model.name, "touched_persons_all", f"SELECT * FROM touched_{model.name}")
        if self._turned is not None:
            self._turned.write(anew=recount)
        self._mark("touched_persons_all", after)

    def _mark(self, persons: str, after: Marks) -> None:
        """Move the marks, and note whose cards are to be published after the commit."""
        self.warehouse.overwrite(TOUCHED.name, f"SELECT person_key FROM {persons}")
        self.warehouse.set_marks(after)
