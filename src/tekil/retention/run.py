"""Running the rules: once a day, between the engine's cycles, a step at a time, each run on record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from tekil.engine import Engine, utc_now
from tekil.load import Floors
from tekil.privacy import KeyRing
from tekil.retention.data import (
    Places,
    Rows,
    count_events,
    count_over,
    count_records,
    destroy_events,
    destroy_in_store,
    destroy_log,
    destroy_people,
    destroy_quarantined,
    destroy_records,
    floors_of,
    microseconds,
)
from tekil.retention.loose import let_go
from tekil.retention.model import Rule, rules_in_force
from tekil.store import Destruction

EVERY = timedelta(days=1)
ACTOR = "tekil"


class Planned(msgspec.Struct, frozen=True):
    """What a rule would destroy now: everything of its class from `before` (UTC), so much of it."""

    rule: Rule
    before: datetime
    count: int


class Retention:
    """The rules of an installation, and their run. `plan` may be asked from any thread."""

    def __init__(self, engine: Engine, keys: KeyRing, *, clock: Callable[[], datetime] = utc_now) -> None:
        """Take the engine, and the keys of the log."""
        self._engine, self._clock = engine, clock
        self._places = Places(engine.log, engine.store, keys)
        self._wanted = threading.Event()
        self._steps: Iterator[object] | None = None
        self._looked_at: datetime | None = None

    def plan(self, now: datetime | None = None) -> list[Planned]:
        """Return what each rule would destroy at an instant (now). Changes nothing."""
        at = now or self._clock()
        rules = rules_in_force(self._engine.store.definitions)
        floors = self._engine.floors.raised(floors_of(rules, at))
        events = count_events(self._read, floors)
        return [
            Planned(rule, rule.cutoff(at), self._count(rule, rule.cutoff(at), floors, events))
            for rule in rules
        ]

    def _count(
        self, rule: Rule, before: datetime, floors: Floors, events: Mapping[tuple[str, str], int]
    ) -> int:
        """Return how much of what a rule speaks of is over, where these floors hold."""
        spec = rule.spec
        match spec.of:
            case "events":
                return events.get((spec.source, spec.event), 0)
            case "records":
                return count_records(self._read, floors, spec.object)
        return count_over(self._read, self._places, spec.of, before)

    def _read(self, sql: str) -> Rows:
        rows: Rows = self._engine.warehouse.read(sql).to_pylist()
        return rows

    def runs(self, limit: int = 50) -> list[Destruction]:
        """Return the last destructions that rules brought about, newest first."""
        return self._engine.store.destructions.newest(limit, kind="retention")

    def next_run(self) -> datetime:
        """Return when the rules are looked at next (UTC)."""
        return self._clock() if self._looked_at is None else self._looked_at + EVERY

    @property
    def is_running(self) -> bool:
        """Whether a run is under way, or asked for."""
        return self._steps is not None or self._wanted.is_set()

    def ask(self) -> None:
        """Have the rules run as soon as the engine has a moment."""
        self._wanted.set()

    def step(self) -> bool:
        """Do one bounded step, on the engine's thread between two cycles; return whether there is more."""
        if self._steps is None:
            if not self._wanted.is_set() and self._clock() < self.next_run():
                return False
            self._wanted.clear()
            self._looked_at = self._clock()
            self._steps = self._run(self._looked_at)
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
        except BaseException:
            self._steps = None
            raise
        return self._steps is not None

    def run(self) -> list[Destruction]:
        """Run the rules from beginning to end, and return what was put on record."""
        before = {entry.id for entry in self.runs(1000)}
        self._wanted.set()
        while self.step():
            pass
        return [entry for entry in self.runs(1000) if entry.id not in before]

    def _run(self, now: datetime) -> Iterator[object]:
        log = self._engine.store.destructions
        for broken_off in log.unfinished("retention"):
            # What it had not destroyed yet is over all the same, so this run finds it; what it meant to
            # destroy stays on record, because nobody knows how far it came.
            log.finish(broken_off.id, broken_off.counts, {"broken_off": True})
        log.forget(microseconds(now))
        yield None
        rules = rules_in_force(self._engine.store.definitions)
        self._raise_floors(rules, now)
        for planned in self.plan(now):
            if planned.count:
                yield from self._carry_out(planned)
        for _values in let_go(self._engine):
            yield None

    def _raise_floors(self, rules: list[Rule], now: datetime) -> None:
        """Put the floors up before anything goes: what is said again from here on finds them there."""
        floors = self._engine.floors.raised(floors_of(rules, now))
        if floors.all != self._engine.floors.all:
            with self._engine.warehouse.transaction():
                floors.write(self._engine.warehouse)
            self._engine.floors = floors

    def _carry_out(self, planned: Planned) -> Iterator[object]:
        log, rule = self._engine.store.destructions, planned.rule
        entry = log.begin("retention", ACTOR, rule.name, counts={rule.spec.of: planned.count})
        gone = 0
        for some in self._destroying(planned):
            gone += some
            yield None
        proof = {"before": planned.before.isoformat() + "Z", "left": self._left(planned), **_extent(rule)}
        log.finish(entry.id, {rule.spec.of: gone}, proof)

    def _destroying(self, planned: Planned) -> Iterator[int]:
        engine, of, before = self._engine, planned.rule.spec.of, planned.before
        match of:
            case "events":
                return destroy_events(engine, planned.rule.spec.source, planned.rule.spec.event)
            case "records":
                return destroy_records(engine, planned.rule.spec.object)
            case "people":
                return destroy_people(engine, before)
            case "quarantine":
                return destroy_quarantined(engine, before)
            case "log":
                return destroy_log(self._places, engine.warehouse.marks().position, before)
        return destroy_in_store(self._places, of, before)

    def _left(self, planned: Planned) -> int:
        """Return how much of what a rule destroys is there, now that it has run."""
        floors = self._engine.floors
        events = count_events(self._read, floors) if planned.rule.spec.of == "events" else {}
        return self._count(planned.rule, planned.before, floors, events)


def _extent(rule: Rule) -> dict[str, str]:
    told = {
        "keep": rule.spec.keep,
        "source": rule.spec.source,
        "event": rule.spec.event,
        "object": rule.spec.object,
    }
    return {name: text for name, text in told.items() if text}
