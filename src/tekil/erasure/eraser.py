"""Plan, apply, prove: how a person goes from every place, and how that is shown.

Applying goes in this order, each step done again without harm after a crash: tombstones, so that nothing
comes back; the log; the store, whose rows are found by what the warehouse still knows; the warehouse, in one
transaction; the cards. Then the bytes, and a look at every place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from tekil.access.audit import Act, Actor
from tekil.engine import Engine
from tekil.erasure import sql
from tekil.erasure.model import Plan, Proof, Traces
from tekil.erasure.person import Person, find_by_keys, find_person
from tekil.erasure.proof import look
from tekil.erasure.removal import remove
from tekil.erasure.scan import scan
from tekil.erasure.traces import Found, count_traits, find_traces, let_go
from tekil.errors import NotFound
from tekil.load import cut
from tekil.privacy.tombstones import instant
from tekil.privacy.typed import masked
from tekil.store import Destruction
from tekil.store.clock import now_us
from tekil.store.consent_entries import Entry, by_stream, entry_id, latest
from tekil.store.erasing import Erased
from tekil.store.person_rows import declared

SWEPT_AT_ONCE = 200_000
"""Events up to which the warehouse's file is written anew with every erasure: that takes a second or two."""

PSEUDONYM = "erased~"
SOURCE = "erasure"


class Eraser:
    """Erases persons. Its methods run on the engine's thread: give them to `Engine.submit`, or to an engine
    that does not run.
    """

    def __init__(self, engine: Engine, clock: Callable[[], int] = now_us) -> None:
        """Take the engine; `clock` gives microseconds since the epoch (UTC)."""
        self._engine, self._clock = engine, clock

    def plan(self, reference: str, by: Actor) -> Plan:
        """Return what erasing whoever a reference names would do. Raises `BadRequest` for none."""
        person = find_person(self._engine, reference)
        self._engine.store.audit.append(by, Act.ERASURE_PLANNED, "person", _names(person))
        try:
            return self._plan_of(person, find_traces(self._engine, person))
        finally:
            let_go(self._engine.warehouse)

    def apply(self, reference: str, by: Actor, reason: str = "", folders: Iterable[Path] = ()) -> Proof:
        """Erase whoever a reference names, and return the proof, which is in the destruction log then.

        `reason` is the id of the request, or a sentence. Every byte in `folders` is read afterwards. Raises
        `NotFound` where nothing of them is kept.
        """
        person = find_person(self._engine, reference)
        found = find_traces(self._engine, person)
        plan = self._plan_of(person, found)
        if not plan.counts:
            let_go(self._engine.warehouse)
            raise NotFound("Nothing is kept of anybody known by that.", code="person_unknown")
        store, reason = self._engine.store, masked(reason)
        begun = store.destructions.begin(
            "erasure", by.name, reason, counts=plan.counts, hashes=plan.hashes, at=self._clock()
        )
        store.audit.append(by, Act.ERASURE_APPLIED, "destruction", begun.id, reason=reason)
        known_as = [*person.identifiers, *person.told_as, *found.said_elsewhere]
        self._engine.graveyard.set(known_as, begun.at, begun.id)
        values = self._values(person)
        proof = self._carry_out(begun, person, found, plan)
        return self._scanned(proof, values, folders) if folders else proof

    def resume(self) -> list[Proof]:
        """Go on with the erasures that a crash cut off; return their proofs."""
        proofs = []
        for begun in self._engine.store.destructions.unfinished("erasure"):
            keys = self._engine.graveyard.of_destruction(begun.id)
            person = find_by_keys(self._engine, list(keys))
            found = find_traces(self._engine, person)
            proofs.append(self._carry_out(begun, person, found, self._plan_of(person, found)))
        return proofs

    def sweep(self) -> bool:
        """Write the warehouse's file anew, so that no bytes of anybody erased are left in it.

        Notes it in the proofs of those whose bytes were still there; returns whether the engine can do it.
        """
        unswept = self._engine.store.destructions.unswept()
        swept = self._sweep()
        for entry in unswept if swept else []:
            proof = msgspec.convert(entry.proof, Proof)
            self._keep(msgspec.structs.replace(proof, swept_at=self._clock()))
        return swept

    def unswept_since(self) -> datetime | None:
        """Return since when (UTC) bytes of somebody erased may lie in the warehouse's file, where some do."""
        unswept = self._engine.store.destructions.unswept()
        first = min((entry.done_at or 0 for entry in unswept), default=None)
        return None if first is None else instant(first)

    def _sweep(self) -> bool:
        self._engine.store.wipe()
        return self._engine.warehouse.sweep()

    def prove(self, reference: str, by: Actor, folders: Iterable[Path] = ()) -> Proof:
        """Look once more for somebody who was erased; read every byte in `folders`, where some are given.

        Raises `NotFound` for somebody who was never erased. The result takes the first proof's place.
        """
        engine = self._engine
        person = find_person(engine, reference)
        stone = engine.graveyard.find(_known_as(person, reference))
        if stone is None:
            raise NotFound("Nobody known by that was erased.", code="never_erased")
        entry = engine.store.destructions.get(stone.destruction)
        checked = look(engine, person, person.tokens, (), erased_at=stone.erased_at)
        before = msgspec.convert(entry.proof, Proof)
        proof = self._keep(msgspec.structs.replace(before, proven_at=self._clock(), checked=checked))
        if folders:
            plain = reference.partition(":")[2]
            proof = self._scanned(proof, [plain, *self._values(person)], folders)
        engine.store.audit.append(by, Act.ERASURE_PROVEN, "destruction", entry.id, found=proof.found)
        return proof

    def _scanned(self, proof: Proof, values: Sequence[str], folders: Iterable[Path]) -> Proof:
        """Return a proof with what a reading of every byte found, kept in the first one's place."""
        swept_at = self._clock() if self._sweep() else proof.swept_at
        checked = [*proof.checked, *scan(self._engine, values, folders)]
        told = msgspec.structs.replace(proof, checked=checked, swept_at=swept_at, scanned_at=self._clock())
        return self._keep(told)

    def _carry_out(self, begun: Destruction, person: Person, found: Found, plan: Plan) -> Proof:
        engine = self._engine
        engine.heed_tombstones()
        theirs = set(person.tokens)
        cut(engine.log, found.cuttings, engine.vault, theirs.__contains__)
        removed = self._remove_from_store(person, found)
        touched = self._touched(found)
        try:
            engine.amend(
                touched,
                sql.UNSAID,
                sql.RECORDS_OF,
                lambda warehouse: remove(warehouse, engine.tables, found),
            )
        finally:
            let_go(engine.warehouse)
        events = int(engine.warehouse.query("SELECT count(*) AS n FROM events")["n"][0].as_py())
        swept = events <= SWEPT_AT_ONCE and self._sweep()
        engine.store.wipe()
        proof = Proof(
            begun.id,
            begun.at,
            self._clock(),
            begun.hashes,
            {**begun.counts, **{place: n for place, n in removed.items() if n}},
            [one for one in plan.traces if one.what == "keep"],
            look(engine, person, found.own_tokens, found.cuttings, erased_at=begun.at),
            self._clock() if swept else None,
        )
        return self._keep(proof)

    def _keep(self, proof: Proof) -> Proof:
        """Sign a proof and keep it in the destruction log."""
        signed = msgspec.structs.replace(proof, signature=self._engine.graveyard.sign(proof.content))
        told = msgspec.to_builtins(signed)
        self._engine.store.destructions.finish(proof.destruction, signed.removed, told, at=signed.proven_at)
        return signed

    def _remove_from_store(self, person: Person, found: Found) -> dict[str, int]:
        """End the person's consents, take their rows out of the store and their values out of the vault."""
        store, graveyard = self._engine.store, self._engine.graveyard
        self._end_consents(person)
        named = zip(person.ledger_tokens, person.identifiers, strict=True)
        hashes = {token: PSEUDONYM + graveyard.hash(identifier)[:40] for token, identifier in named}
        removed = store.person_rows.remove(person.ids, hashes)
        told = {f"store.{name}": n for name, n in removed.items()}
        return {**told, "vault": self._engine.vault.forget(list(found.own_tokens))}

    def _end_consents(self, person: Person) -> None:
        """Withdraw what the person allows: totals count nobody who is gone."""
        store, now = self._engine.store, self._clock()
        ended = []
        for (token, purpose, channel), entries in by_stream(store.consents.of(person.ledger_tokens)).items():
            last = latest(entries)
            if last is not None and last.given:
                at = max(now, last.at + 1)
                name = entry_id(token, purpose, channel, False, at, SOURCE)
                ended.append(
                    Entry(
                        name, last.kind, token, purpose, channel, False, at, now, SOURCE, recorded_by=SOURCE
                    )
                )
        store.consents.append(ended)

    def _touched(self, found: Found) -> pa.Table:
        """Return the person, and those whose events mention them: their answers are derived anew."""
        among = ", ".join(str(key) for key in found.mentioning) or "-1"
        others = self._engine.warehouse.query(
            f"SELECT DISTINCT person_key FROM identity WHERE identifier_key IN ({among})"
        )["person_key"].to_pylist()
        return pa.table({"person_key": pa.array([*found.person.keys, *others], pa.int64())})

    def _plan_of(self, person: Person, found: Found) -> Plan:
        engine = self._engine
        counted = engine.store.person_rows.count(person.ids, list(person.ledger_tokens))
        traces = [
            Traces("log", len(found.cuttings), "empty"),
            Traces("warehouse.events", found.events, "delete"),
            Traces("warehouse.traits", count_traits(engine.warehouse), "delete"),
            Traces("warehouse.record_changes", found.records, "delete"),
            Traces("warehouse.quarantine", len(found.quarantined), "delete"),
            Traces("warehouse.events of others", found.mentions, "empty", "their values are cut out"),
            Traces("vault", len(engine.store.sealed_values.get_many(found.own_tokens)), "delete"),
        ]
        traces += [_in_store(name, told.what, told.because, counted[name]) for name, told in _told(counted)]
        traces += _kept(found)
        values = dict(zip(person.tokens, engine.vault.show(person.tokens), strict=True))
        shown = [(kind, values.get(value, value)) for kind, value in person.identifiers]
        return Plan(person.ids, shown, [engine.graveyard.hash(one) for one in person.identifiers], traces)

    def _values(self, person: Person) -> list[str]:
        """Return what to look for in every byte: the identifiers in the clear, and their tokens."""
        plain = self._engine.vault.reveal(person.tokens).values()
        return [*plain, *(value for _, value in person.identifiers)]


def _told(counted: Iterable[str]) -> list[tuple[str, Erased]]:
    return [(table.name, told) for table, told in declared() if table.name in counted]


def _in_store(name: str, what: str, because: str, rows: int) -> Traces:
    return Traces(f"store.{name}", rows, "delete" if what == "delete" else "pseudonymise", because)


def _kept(found: Found) -> list[Traces]:
    kept = [
        Traces(f"store.{table.name}", 0, "keep", told.because)
        for table, told in declared()
        if table.name in ("audit_entries", "destructions", "tombstones")
    ]
    if found.shared_tokens:
        kept.append(Traces("vault", len(found.shared_tokens), "keep", "others' rows hold the same values"))
    return kept


def _names(person: Person) -> str:
    return ", ".join(person.ids)


def _known_as(person: Person, reference: str) -> tuple[str, str]:
    """Return the identifier that was asked by: it comes last where the person is known by others, too."""
    kind = reference.partition(":")[0]
    return next((one for one in person.identifiers if one[0] == kind), person.identifiers[0])
