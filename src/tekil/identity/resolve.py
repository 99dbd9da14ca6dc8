"""From events to persons: evidence, components, and a person id that anyone can work out again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from tekil.identity import sql
from tekil.identity.components import Integers, label_components
from tekil.warehouse import Warehouse, bind


def resolve(warehouse: Warehouse, events: str, prefix: str) -> Mapping[str, str]:
    """Stage `{prefix}evidence` and `{prefix}identity` from the events in the relation `events`.

    Given whole components it gives whole components: for any set of events closed under shared
    identifiers the answer is the same as for all events at once. Returns what was staged, by table.
    """
    names = {name: f"{prefix}{name}" for name in ("sightings", "mentions", "identifiers", "owners")}
    staged = {name: f"{prefix}{name}" for name in ("evidence", "identity")}
    warehouse.derive(names["sightings"], bind(sql.SIGHTINGS, {"events": events}))
    warehouse.derive(names["mentions"], bind(sql.MENTIONS, names))
    warehouse.derive(names["identifiers"], bind(sql.IDENTIFIERS, names))
    warehouse.derive(staged["evidence"], bind(sql.EVIDENCE, names))
    identifiers = warehouse.query(
        f"SELECT identifier_key, epoch_us(first_seen) AS first_seen FROM {names['identifiers']}"
    )
    evidence = warehouse.query(f"SELECT DISTINCT left_key, right_key FROM {staged['evidence']}")
    warehouse.stage(names["owners"], own(identifiers, evidence))
    warehouse.derive(staged["identity"], bind(sql.IDENTITY, names))
    for name in names.values():
        warehouse.drop(name)
    return staged


def own(identifiers: pa.Table, evidence: pa.Table) -> pa.Table:
    """Return the owner of every identifier, as `identifier_key`, `person_key`.

    `identifiers`: `identifier_key`, `first_seen` (microseconds); `evidence`: `left_key`, `right_key`. A
    person is a connected component; its key is that of its oldest identifier, the smallest where two are
    equally old.
    """
    # In this order the smallest node of a component is its oldest identifier.
    ordered = identifiers.sort_by([("first_seen", "ascending"), ("identifier_key", "ascending")])
    keys = _integers(ordered["identifier_key"])
    by_key = np.argsort(keys, kind="stable")
    roots = label_components(
        len(keys),
        _positions(keys, by_key, _integers(evidence["left_key"])),
        _positions(keys, by_key, _integers(evidence["right_key"])),
    )
    return pa.table({"identifier_key": keys, "person_key": keys[roots]})


def _integers(column: pa.ChunkedArray) -> Integers:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _positions(keys: Integers, by_key: Integers, wanted: Integers) -> Integers:
    positions: Integers = by_key[np.searchsorted(keys, wanted, sorter=by_key)]
    return positions
