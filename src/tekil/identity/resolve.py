"""From events to persons: evidence, components, turns, and a person id that anyone can work out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from msgspec import structs

from tekil.identifiers import Policy
from tekil.identity import sql
from tekil.identity.graph import ELSEWHERE, Flags, Graph, Integers, Limits, Said
from tekil.identity.persons import SAID_TO_DIFFER, Persons, refused_ends, resolve_graph
from tekil.identity.tables import CONFLICTS, SHARED
from tekil.identity.turns import TURNS, take_turns
from tekil.warehouse import Warehouse, arrow_schema, bind
from tekil.warehouse.dialect import render

Query = Callable[[str], pa.Table]
"""Runs a SELECT."""

DAY = 86_400_000_000
"""A day in microseconds."""

RELATIONS = ("sightings", "sightings_with_more", "mentions", "asserted", "identifiers", "evidence")


NOBODY = arrow_schema(SHARED).empty_table()
"""Nobody is known to be shared."""


@dataclass(frozen=True, slots=True)
class People:
    """The relations by which rows find whose they are: see `sql.of_persons`."""

    identity: str
    ownership: str | None = None
    among: str | None = None

    def rows(self, relation: str) -> str:
        """Return the SELECT of a relation's rows with their `person_key`."""
        return sql.of_persons(relation, self.identity, self.ownership, self.among)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was staged, by table, and how rows find their persons in it."""

    staged: Mapping[str, str]
    people: People


def resolve(warehouse: Warehouse, policy: Policy, events: str, records: str, prefix: str) -> Resolved:
    """Stage all of identity's tables, names beginning with `prefix`, from relations of events and records."""
    gather(warehouse, events, records, prefix)
    names = {name: f"{prefix}{name}" for name in ("identifiers", "evidence", "owners")}
    has_contested = settle(warehouse, policy, names, prefix)
    staged = {
        name: f"{prefix}{name}" for name in ("evidence", "identity", "conflicts", "shared", "ownership")
    }
    owners = names["owners"]
    turns = take(warehouse, policy, events, f"{prefix}contested") if has_contested else TURNS.empty_table()
    warehouse.stage(f"{prefix}turns", turns)
    warehouse.derive(staged["ownership"], ownership(f"{prefix}turns", owners))
    warehouse.derive(staged["identity"], identity(names["identifiers"], owners, staged["ownership"]))
    for name in (names["identifiers"], owners, f"{prefix}turns", f"{prefix}contested"):
        warehouse.drop(name)
    return Resolved(staged, People(staged["identity"], staged["ownership"] if turns.num_rows else None))


def gather(warehouse: Warehouse, events: str, records: str, prefix: str) -> None:
    """Stage `{prefix}identifiers` and `{prefix}evidence`: what was named, and what together."""
    names = {name: f"{prefix}{name}" for name in RELATIONS}
    given = {"events": events, "records": records, **names}
    for name, select in (
        ("sightings", sql.SIGHTINGS),
        ("sightings_with_more", sql.SIGHTINGS_WITH_MORE),
        ("mentions", sql.MENTIONS.replace("sightings_with_more", names["sightings_with_more"])),
        ("asserted", sql.ASSERTED),
        ("identifiers", sql.IDENTIFIERS),
        ("evidence", sql.EVIDENCE),
    ):
        warehouse.derive(names[name], bind(select, given))
    for name in ("sightings", "sightings_with_more", "mentions", "asserted"):
        warehouse.drop(names[name])


def settle(
    warehouse: Warehouse,
    policy: Policy,
    names: Mapping[str, str],
    prefix: str,
    known_shared: pa.Table = NOBODY,
) -> bool:
    """Stage who owns what, what is shared, what was refused, and what is contested; return if anything is.

    `names` are the relations `identifiers` and `evidence`, and how to call `owners` (`identifier_key`,
    `cluster_key`, `person_key`). Those in `known_shared` (rows of `shared`) are shared for
    their reason, whatever the relations say.
    """
    graph, limits, why = read_graph(warehouse.query, policy, names, known_shared)
    persons = resolve_graph(graph, limits)
    keys = graph.keys
    owners = {
        "identifier_key": keys,
        "cluster_key": keys[persons.cluster],
        "person_key": keys[persons.person],
    }
    warehouse.stage(names["owners"], pa.table(owners))
    warehouse.stage(f"{prefix}shared", _shared(graph, persons, why))
    warehouse.stage(f"{prefix}conflicts", _conflicts(graph, limits, persons))
    contested = keys[persons.sharing.is_contested]
    warehouse.stage(f"{prefix}contested_keys", pa.table({"identifier_key": contested}))
    warehouse.derive(
        f"{prefix}contested",
        f"SELECT identifier_key, value FROM {names['identifiers']} WHERE kind = 'anonymous_id'"
        f" AND identifier_key IN (SELECT identifier_key FROM {prefix}contested_keys)",
    )
    return len(contested) > 0


@dataclass(frozen=True, slots=True)
class _Why:
    """Identifiers that are shared whatever they are named with."""

    is_blocked: Flags
    is_declared: Flags


def read_graph(
    query: Query, policy: Policy, names: Mapping[str, str], known_shared: pa.Table = NOBODY
) -> tuple[Graph, Limits, _Why]:
    """Return the identifiers and links of relations as arrays, their limits, and why some are shared."""
    kinds = tuple(sorted(policy.rules))
    nodes = query(bind(sql.nodes(policy, kinds), names))
    links = query(bind(sql.links(policy, kinds), names))
    if any(
        len(kinds) in _integers(column) for column in (nodes["kind"], links["left_kind"], links["right_kind"])
    ):
        # Kinds that no policy speaks of are rare: only then is it asked which there are.
        kinds = tuple(sorted({*kinds, *_kinds_in(query, names)}))
        nodes = query(bind(sql.nodes(policy, kinds), names))
        links = query(bind(sql.links(policy, kinds), names))
    # Ordered here, oldest first: an engine may hand out many rows by several threads, whatever it was asked.
    order = np.lexsort((_integers(nodes["identifier_key"]), _integers(nodes["first_seen"])))
    keys, kinds_of = (_integers(nodes[name])[order] for name in ("identifier_key", "kind"))
    is_blocked = np.asarray(nodes["is_blocked"].to_numpy(), dtype=bool)[order]
    place = _Places(keys)
    left, right = _integers(links["left_key"]), _integers(links["right_key"])
    said, declared = _said(query, names, place)
    why = _Why(is_blocked, np.zeros(len(keys), dtype=bool))
    why.is_declared[declared] = True
    is_shared = why.is_blocked | why.is_declared
    known = place.of(_integers(known_shared["identifier_key"]))
    is_shared[known] = True
    why.is_declared[known[[reason == "declared" for reason in known_shared["reason"].to_pylist()]]] = True
    graph = Graph(
        keys,
        kinds_of,
        is_shared,
        place.of(left),
        place.of(right),
        _integers(links["left_kind"]),
        _integers(links["right_kind"]),
        np.asarray(links["is_alias"].to_numpy(), dtype=bool),
        _integers(links["messages"]),
        _integers(links["last_seen"]),
        _mixed(left, right),
        _integers(links["weight"]),
        said,
    )
    return graph, Limits.of(policy, kinds), why


def resolve_unlinked(query: Query, policy: Policy) -> tuple[Graph, Limits, Persons]:
    """Return everybody as all evidence but links makes them, from the tables; `query` runs DuckDB's SQL."""
    unlinked = replace(policy, spec=structs.replace(policy.spec, links=None))
    names = {"identifiers": "identity", "evidence": "evidence"}
    graph, limits, _ = read_graph(lambda select: query(render(select, "duckdb", None)), unlinked, names)
    return graph, limits, resolve_graph(graph, limits)


def _kinds_in(query: Query, names: Mapping[str, str]) -> list[str]:
    select = (
        "SELECT kind FROM identifiers UNION SELECT left_kind AS kind FROM evidence"
        " UNION SELECT right_kind AS kind FROM evidence"
    )
    found: list[str] = query(bind(select, names))["kind"].to_pylist()
    return found


class _Places:
    """Finds the position of identifiers by key; `ELSEWHERE` for those that are not here."""

    def __init__(self, keys: Integers) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def of(self, wanted: Integers) -> Integers:
        if not len(self._sorted) or not len(wanted):
            return np.full(len(wanted), ELSEWHERE, dtype=np.int64)
        # Looked for in their order, which keeps to the machine's caches: four times as fast among millions.
        order = np.argsort(wanted, kind="stable")
        at = np.minimum(np.searchsorted(self._sorted, wanted[order]), len(self._sorted) - 1)
        places = np.where(self._sorted[at] == wanted[order], self._order[at], ELSEWHERE)
        found: Integers = np.empty(len(wanted), dtype=np.int64)
        found[order] = places
        return found


def _said(query: Query, names: Mapping[str, str], place: _Places) -> tuple[tuple[Said, ...], Integers]:
    """Return the last word on each pair of identifiers, and those that are declared shared."""
    rows = query(bind(sql.SAID, names))
    last: dict[tuple[int, int], tuple[tuple[int, int], str]] = {}
    columns = (rows[name].to_pylist() for name in ("left_key", "right_key", "last_seen", "last_key", "act"))
    for left, right, at, key, act in zip(*columns, strict=True):
        told = ((at, key), act)
        last[left, right] = max(last.get((left, right), told), told)
    if not last:
        return (), np.array([], dtype=np.int64)
    ends = [place.of(np.array(side, dtype=np.int64)).tolist() for side in zip(*last, strict=True)]
    found, declared = [], []
    for left, right, ((at, key), act) in zip(*ends, last.values(), strict=True):
        if left == right and act == "share" and left != ELSEWHERE:
            declared.append(left)
        elif act in ("merge", "split") and left != right and ELSEWHERE not in (left, right):
            found.append(Said(left, right, act, (at, key)))
    return tuple(found), np.array(declared, dtype=np.int64)


def _shared(graph: Graph, persons: Persons, why: _Why) -> pa.Table:
    at = np.flatnonzero(persons.sharing.is_shared)
    reasons = np.where(why.is_declared[at], "declared", np.where(why.is_blocked[at], "blocked", "over_limit"))
    return pa.table([graph.keys[at], pa.array(reasons, pa.string())], schema=arrow_schema(SHARED))


def _conflicts(graph: Graph, limits: Limits, persons: Persons) -> pa.Table:
    rows = list(refused_ends(graph, persons))
    links: Sequence[int] = [refused.link for refused in persons.refused]
    columns = [
        graph.keys[[row[0] for row in rows]] if rows else [],
        graph.keys[[row[1] for row in rows]] if rows else [],
        ["split" if row[2] == SAID_TO_DIFFER else limits.kinds[row[2]] for row in rows],
        graph.messages[links] if rows else [],
        (graph.last_seen[links] if rows else np.array([], dtype=np.int64)).astype("datetime64[us]"),
    ]
    schema = arrow_schema(CONFLICTS)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def take(warehouse: Warehouse, policy: Policy, events: str, contested: str) -> pa.Table:
    """Return whose turn it is when (`turns.TURNS`) on the devices in the relation `contested`."""
    rows = warehouse.query(bind(sql.LOGINS, {"events": events, "contested": contested}))
    device, owner, at, tie = (
        _integers(rows[name]) for name in ("identifier_key", "owner_key", "at_us", "message_key")
    )
    return take_turns(device, owner, at, tie, policy.spec.anonymous_history_days * DAY)


def ownership(turns: str, owners: str) -> str:
    """Return the SELECT of `ownership` from turns, and from who owns the identifiers that log in."""
    return f"""
SELECT t.identifier_key, t.valid_from, t.valid_until, t.owner_key,
  CASE WHEN t.owner_key = t.identifier_key THEN t.identifier_key ELSE o.person_key END AS person_key
FROM {turns} t LEFT JOIN {owners} o ON o.identifier_key = t.owner_key
"""


def identity(identifiers: str, owners: str, owned: str) -> str:
    """Return the SELECT of `identity`; a device that is used in turns is now whose turn it is."""
    return f"""
SELECT i.identifier_key, i.kind, i.value, i.first_seen, i.last_seen, o.cluster_key,
  coalesce(n.person_key, o.person_key) AS person_key
FROM {identifiers} i JOIN {owners} o ON o.identifier_key = i.identifier_key
LEFT JOIN {owned} n ON n.identifier_key = i.identifier_key AND n.valid_until = {LAST}
"""


LAST = "TIMESTAMP '9999-12-31 00:00:00'"
"""Until when a last turn goes on: `turns.END`."""


def _integers(column: pa.ChunkedArray) -> Integers:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _mixed(left: Integers, right: Integers) -> Integers:
    """Return a number for each pair that looks drawn by lot and is always the same (Fibonacci hashing)."""
    with np.errstate(over="ignore"):
        mixed: Integers = (left ^ (right >> 1)) * np.int64(-7046029254386353131)
    return mixed
