"""Messages about persons who were erased: counted, and leaving no row.

What was said up to the instant of a person's erasure is inert for ever, however late it comes and however
often the log is read again. What is said after it is news: whoever comes back of their own accord is a new
person, of whom nothing is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from tekil.load.sealing import Sealed, sealed_identifier
from tekil.messages import CUT_TYPE
from tekil.privacy import Vault
from tekil.privacy.tombstones import Tombstones
from tekil.warehouse import Warehouse

INERT = pa.schema(
    [
        ("position", pa.int64()),
        ("number", pa.int64()),
        ("source", pa.string()),
        ("received_at", pa.timestamp("us")),
    ]
)
"""The staged `inert`: messages that leave no row."""

_KEYS = (
    "c.identifier_key",
    "key64('anonymous_id:' || c.anonymous_id)",
    "key64('email:' || c.email)",
    "key64('phone:' || c.phone)",
    "key64('user_id:' || c.previous_id)",
    "key64('anonymous_id:' || c.previous_id)",
)

NAMING = " UNION ALL ".join(
    f"SELECT c.position, c.number FROM checked c JOIN erased_identifiers t ON t.identifier_key = {key}"
    " WHERE NOT c.is_wrong AND c.occurred_at <= t.erased_at"
    for key in _KEYS
)
"""Good messages that name an identifier of somebody who was erased, and were said before that."""

CUT = f"SELECT c.position, c.number FROM checked c WHERE c.type = '{CUT_TYPE}'"
"""Places in the log that were emptied when their person was erased."""

NEW_INERT = """
SELECT DISTINCT c.position, c.number, c.source, c.received_at FROM checked c
JOIN inert_places p ON p.position = c.position AND p.number = c.number
"""

REMAINING = """
SELECT c.* FROM checked c WHERE NOT EXISTS (
  SELECT 1 FROM inert i WHERE i.position = c.position AND i.number = c.number
)
"""

WRONG = """
SELECT position, number, source, received_at, occurred_at, user_id, anonymous_id, previous_id, email, phone
FROM opened WHERE is_wrong
"""

Place = tuple[int, int]
"""A position in the log, and a message's number there."""

_PLACES = pa.schema([("position", pa.int64()), ("number", pa.int64())])


@dataclass(frozen=True, slots=True)
class Inert:
    """The messages of a cycle that leave no row. `said` are those that still lie in the log as they came."""

    places: frozenset[Place] = frozenset()
    said: frozenset[Place] = frozenset()


def take_out_erased(
    warehouse: Warehouse, vault: Vault, tombstones: Tombstones, sealed: Sealed, *, has_cuts: bool
) -> Inert:
    """Stage `inert`, and `checked` without them; return their places. Costs nothing where nobody was erased.

    `has_cuts` says that some places were emptied already.
    """
    if not tombstones and not has_cuts:
        warehouse.stage("inert", INERT.empty_table())
        return Inert()
    cut = _places(warehouse.query(CUT)) if has_cuts else frozenset()
    wrong = _wrong(warehouse, vault, tombstones) if tombstones else INERT.empty_table()
    named = _named(warehouse, tombstones, sealed) if tombstones else frozenset()
    inert = cut | named | _places(wrong)
    if not inert:
        warehouse.stage("inert", INERT.empty_table())
        return Inert()
    warehouse.stage("inert_places", _table_of(cut | named))
    found = warehouse.query(NEW_INERT).cast(INERT)
    warehouse.stage("inert", pa.concat_tables([found, wrong]))
    warehouse.derive("remaining", REMAINING)
    warehouse.derive("checked", "SELECT * FROM remaining")
    warehouse.drop("remaining")
    return Inert(inert, inert - cut)


def _named(warehouse: Warehouse, tombstones: Tombstones, sealed: Sealed) -> frozenset[Place]:
    """Return the good messages that name somebody who was erased, and the records with a token of theirs."""
    warehouse.stage("erased_identifiers", tombstones.table())
    found = _places(warehouse.query(NAMING))
    about = [(p, n) for p, n, token in sealed.mentions if tombstones.has_token(token)]
    if not about:
        return found
    warehouse.stage("about_erased", _table_of(about))
    records = warehouse.query(
        "SELECT c.position, c.number FROM checked c JOIN about_erased a"
        " ON a.position = c.position AND a.number = c.number WHERE c.type = 'record'"
    )
    return found | _places(records)


def _wrong(warehouse: Warehouse, vault: Vault, tombstones: Tombstones) -> pa.Table:
    """Return those of the messages that cannot be loaded that name somebody who was erased."""
    rows = warehouse.query(WRONG)
    kept = []
    for number, row in enumerate(rows.to_pylist()):
        named = {kind: row[kind] for kind in ("user_id", "anonymous_id", "email", "phone")}
        both = [*named.items(), ("user_id", row["previous_id"]), ("anonymous_id", row["previous_id"])]
        values = [(kind, sealed_identifier(kind, value, vault)) for kind, value in both if value]
        if any(value and tombstones.silences(kind, value, row["occurred_at"]) for kind, value in values):
            kept.append(number)
    return rows.take(pa.array(kept, pa.int64())).select(INERT.names).cast(INERT)


def _places(rows: pa.Table) -> frozenset[Place]:
    return frozenset(zip(rows["position"].to_pylist(), rows["number"].to_pylist(), strict=True))


def _table_of(places: Sequence[Place] | frozenset[Place]) -> pa.Table:
    rows = sorted(places)
    return pa.table({"position": [p for p, _ in rows], "number": [n for _, n in rows]}, _PLACES)
