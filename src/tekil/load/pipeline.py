"""The way from a table of raw bodies to events, as a list of steps.

Everything before `keep` only stages; `keep` writes, and must run inside the engine's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from tekil.dictionary import VIOLATIONS, Judged, Rules, judge
from tekil.errors import BadRequest
from tekil.identifiers import Policy
from tekil.load import sql
from tekil.load.erased import Inert, take_out_erased
from tekil.load.floors import Floors, count_retired, set_aside, write_destroyed
from tekil.load.known_messages import KnownMessages
from tekil.load.known_values import learn_referrers, learn_user_agents
from tekil.load.naming import find_named, keep_named, may_name, name_identifiers, new_refusals
from tekil.load.replay import release, releases_in, write_release
from tekil.load.sealing import Sealed, keep_shadows, keep_values, nobody, seal
from tekil.load.tables import (
    CUTTINGS,
    EVENTS,
    LEDGER,
    QUARANTINE,
    RECORD_CHANGES,
    REPETITIONS,
    TRAITS,
)
from tekil.privacy import Vault
from tekil.privacy.tombstones import Tombstones
from tekil.warehouse import Warehouse, arrow_schema

NOTHING_REPEATED = pa.schema(
    [
        ("position", pa.int64()),
        ("number", pa.int64()),
        ("source", pa.string()),
        ("message_key", pa.int64()),
    ]
)
"""What `repeated` looks like where there are no suspects."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is staged: the keys of all messages, and which of the tables beside `events` get rows."""

    keys: pa.ChunkedArray
    has_quarantine: bool
    has_records: bool
    has_traits: bool
    has_personal: bool
    has_violations: bool
    has_named: bool
    has_retired: bool
    has_repeated: bool
    has_cuttings: bool
    releases: bool

    @property
    def records(self) -> str:
        """The SELECT of the new records, before they are kept."""
        if not self.has_records:
            return f"SELECT * FROM {RECORD_CHANGES.name} WHERE FALSE"
        return sql.new_records(has_named=self.has_named)


def prepare(
    warehouse: Warehouse,
    bodies: pa.Table,
    known: KnownMessages,
    vault: Vault,
    rules: Rules | None = None,
    floors: Floors | None = None,
    policy: Policy | None = None,
    tombstones: Tombstones | None = None,
) -> Prepared:
    """Stage what the bodies hold: `new_events`, `new_traits`, `new_quarantine`, and the `new_ledger`.

    `bodies` has the log's `READ_SCHEMA`; `rules` are the dictionary's, `policy` is identity's, `floors` say
    what is too old to be kept, `tombstones` who was erased. Reads tables and writes none but the vault's.
    """
    policy = policy or Policy()
    unreadable = take_apart(warehouse, bodies, policy)
    judged = hold_against(warehouse, rules)
    retired = set_aside(warehouse, floors or Floors())
    erased = tombstones or Tombstones({})
    declared = {} if rules is None else rules.declared
    sealed = seal(warehouse, vault, declared, policy, erased.silences_token if erased else nobody)
    shapes = warehouse.query(sql.SHAPES)
    named = find_named(warehouse, policy, vault) if may_name(bodies, policy) else None
    inert = take_out_erased(
        warehouse, vault, erased, sealed, has_cuts=_any(shapes["is_cut"]), has_named=named is not None
    )
    if inert.places:
        shapes = warehouse.query(sql.SHAPES)
    values = keep_values(warehouse, vault, sealed, inert.places)
    if named is not None:
        name_identifiers(warehouse, policy, vault, named, are_some_gone=bool(inert.places))
    suspects = known.suspects(shapes["message_key"])
    prepared = Prepared(
        shapes["message_key"],
        has_quarantine=unreadable > 0 or _any(shapes["is_wrong"]),
        has_records=_any(shapes["is_record"]),
        has_traits=_any(shapes["is_telling"]),
        has_personal=values > 0,
        has_violations=judged.breaches,
        has_named=named is not None,
        has_retired=retired,
        has_repeated=suspects.num_rows > 0,
        has_cuttings=stage_cuttings(warehouse, sealed, inert),
        releases=False,
    )
    find_repeated(warehouse, suspects)
    if named is not None:
        warehouse.derive("new_refused_identifiers", new_refusals(policy.spec.identifiers_max))
    fresh = sql.new_events(policy, are_some_repeated=prepared.has_repeated, has_named=named is not None)
    warehouse.derive("new_events", fresh)
    take_traits(warehouse, prepared.has_traits)
    put_aside(warehouse, prepared.has_quarantine, vault)
    warehouse.derive("new_ledger", sql.COUNTED)
    if retired:
        count_retired(warehouse)
    return let_go(warehouse, bodies, prepared)


def take_apart(warehouse: Warehouse, bodies: pa.Table, policy: Policy) -> int:
    """Stage `opened`, one row a message; bodies that are no JSON go to `unreadable`; return their number."""
    nothing = bodies.slice(0, 0)
    try:
        _open(warehouse, bodies, nothing, policy)
    except BadRequest:
        # The door lets only well-formed JSON in, so this is rare and may be slow: find the bodies
        # the engine cannot read, put them aside whole, and go on with the others.
        readable = pc.is_valid(_readable(warehouse, bodies, policy))
        unreadable = bodies.filter(pc.invert(readable))
        _open(warehouse, bodies.filter(readable), unreadable, policy)
        return int(unreadable.num_rows)
    return 0


def hold_against(warehouse: Warehouse, rules: Rules | None) -> Judged:
    """Hold the good messages against the dictionary; where nothing is defined, there is nothing to do."""
    if rules is None or rules.asks_for_nothing:
        return Judged()
    return judge(warehouse, rules, sql.OPENED_COLUMNS)


def find_repeated(warehouse: Warehouse, suspects: pa.Table) -> bool:
    """Stage `repeated`: the good messages that were loaded before, or stand earlier among these.

    Only those with a suspect's key can be. Returns whether there are any suspects.
    """
    are_some: bool = suspects.num_rows > 0
    if are_some:
        warehouse.stage("suspects", suspects)
    steps = {"known_messages": sql.KNOWN, "repeated": sql.REPEATED}
    _derive(warehouse, steps, are_some, NOTHING_REPEATED)
    return are_some


def take_traits(warehouse: Warehouse, there_are_some: bool) -> None:
    """Stage `new_traits`: what the new events say of people."""
    steps = {"identifies": sql.IDENTIFIES, "new_traits": sql.NEW_TRAITS}
    _derive(warehouse, steps, there_are_some, arrow_schema(TRAITS))


def put_aside(warehouse: Warehouse, there_are_some: bool, vault: Vault) -> None:
    """Stage `new_quarantine`: what cannot be loaded, each with its reasons, its body sealed whole."""
    if not there_are_some:
        warehouse.stage("new_quarantine", arrow_schema(QUARANTINE).empty_table())
        return
    warehouse.derive("questionable", sql.QUESTIONABLE)
    rows = warehouse.query(sql.PUT_ASIDE)
    bodies = pa.array([vault.seal_body(body) for body in rows["body"].to_pylist()], pa.string())
    at = rows.column_names.index("body")
    warehouse.stage("new_quarantine", rows.set_column(at, "body", bodies))


def stage_cuttings(warehouse: Warehouse, sealed: Sealed, inert: Inert) -> bool:
    """Stage `new_cuttings`: where the log holds what is to be emptied after the commit; True if it does."""
    whole = [(*place, True) for place in sorted(inert.said)]
    parts = sorted({mention[:2] for mention in sealed.gone} - inert.places)
    rows = [dict(zip(CUTTINGS.column_names, row, strict=True)) for row in whole]
    rows += [dict(zip(CUTTINGS.column_names, (*place, False), strict=True)) for place in parts]
    if rows:
        warehouse.stage("new_cuttings", pa.Table.from_pylist(rows, arrow_schema(CUTTINGS)))
    return bool(rows)


def let_go(warehouse: Warehouse, bodies: pa.Table, prepared: Prepared) -> Prepared:
    """Stage what leaves the quarantine because it is said again here."""
    releases = releases_in(bodies)
    return replace(prepared, releases=releases.num_rows > 0 and release(warehouse, releases))


def _derive(warehouse: Warehouse, steps: Mapping[str, str], there_is_some: bool, shape: pa.Schema) -> None:
    """Stage one step after the other; where they would find nothing, only the last, without rows."""
    if not there_is_some:
        warehouse.stage(list(steps)[-1], shape.empty_table())
        return
    for name, select in steps.items():
        warehouse.derive(name, select)


def keep(warehouse: Warehouse, prepared: Prepared) -> None:
    """Write what `prepare` staged."""
    warehouse.append(EVENTS.name, sql.WHOLE_EVENTS)
    if prepared.has_traits:
        warehouse.append(TRAITS.name, "SELECT * FROM new_traits")
    if prepared.has_records:
        warehouse.append(RECORD_CHANGES.name, prepared.records)
    if prepared.releases:
        write_release(warehouse)
    if prepared.has_quarantine:
        warehouse.append(QUARANTINE.name, "SELECT * FROM new_quarantine")
    if prepared.has_repeated:
        warehouse.append(REPETITIONS.name, "SELECT message_key, position, number FROM repeated")
    if prepared.has_cuttings:
        warehouse.append(CUTTINGS.name, "SELECT * FROM new_cuttings")
    if prepared.has_violations:
        warehouse.replace(VIOLATIONS.name, "new_violations", "SELECT * FROM new_violations")
    warehouse.replace(LEDGER.name, "new_ledger", "SELECT * FROM new_ledger")
    if prepared.has_retired:
        write_destroyed(warehouse)
    if prepared.has_personal:
        keep_shadows(warehouse)
    if prepared.has_named:
        keep_named(warehouse)
    learn_user_agents(warehouse)
    learn_referrers(warehouse)


def _open(warehouse: Warehouse, readable: pa.Table, unreadable: pa.Table, policy: Policy) -> None:
    warehouse.stage("incoming", readable)
    warehouse.stage("unreadable", unreadable)
    warehouse.derive("opened", sql.with_policy(sql.OPEN, policy))


def _readable(warehouse: Warehouse, bodies: pa.Table, policy: Policy) -> pa.Array:
    """Return, for each body in order, its position if the engine's reader takes it, else null."""
    answers: list[int | None] = []
    for row in range(bodies.num_rows):
        body = bodies.slice(row, 1)
        try:
            _open(warehouse, body, bodies.slice(0, 0), policy)
        except BadRequest:
            answers.append(None)
        else:
            answers.append(body["position"][0].as_py())
    return pa.array(answers, pa.int64())


def _any(flags: pa.ChunkedArray) -> bool:
    return bool(pc.any(flags).as_py())
