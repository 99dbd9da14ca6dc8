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
from tekil.load.sql import checked
from tekil.messages import CUT_TYPE
from tekil.privacy import Vault
from tekil.privacy.tombstones import MESSAGE, Tombstones
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
    "key64('user_id:' || user_id)",
    "key64('anonymous_id:' || anonymous_id)",
    "key64('email:' || email)",
    "key64('phone:' || phone)",
    "key64('user_id:' || previous_id)",
    "key64('anonymous_id:' || previous_id)",
)

_GOOD = checked(
    "position, number, source, message_id, occurred_at, user_id, anonymous_id, previous_id, email, phone"
)

NAMING = " UNION ALL ".join(
    f"SELECT c.position, c.number FROM (SELECT position, number, occurred_at, {key} AS named_key"
    f" FROM named_in_good) AS c JOIN erased_identifiers t ON t.identifier_key = c.named_key"
    " WHERE c.occurred_at <= t.erased_at"
    for key in _KEYS
)
"""Good messages that name an identifier of somebody who was erased, and were said before that."""

NAMED_OTHERWISE = """
SELECT j.position, j.number FROM judged_identifiers j
JOIN erased_identifiers t ON t.identifier_key = key64(j.name)
WHERE j.name IS NOT NULL AND j.occurred_at <= t.erased_at
"""
"""The same, of what messages and records name people by beside: external ids, devices, traits."""

SAID_AGAIN = f"""
SELECT c.position, c.number
FROM (SELECT position, number, key64('{MESSAGE}:' || source || ':' || message_id) AS named_key
  FROM named_in_good) AS c
JOIN erased_identifiers t ON t.identifier_key = c.named_key
"""
"""Good messages that were said once more, from a device that others use too, whenever they say they were."""

CUT = f"SELECT position, number FROM opened WHERE type = '{CUT_TYPE}'"
"""Places in the log that were emptied when their person was erased."""

NEW_INERT = """
SELECT DISTINCT o.position, o.number, o.source, o.received_at FROM opened o
JOIN inert_places p ON p.position = o.position AND p.number = o.number
"""

REMAINING = """
SELECT o.* FROM opened o WHERE NOT EXISTS (
  SELECT 1 FROM inert_places i WHERE i.position = o.position AND i.number = o.number
)
"""

WRONG = """
SELECT position, number, occurred_at, user_id, anonymous_id, previous_id, email, phone
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
    warehouse: Warehouse,
    vault: Vault,
    tombstones: Tombstones,
    sealed: Sealed,
    *,
    has_cuts: bool,
    has_named: bool,
) -> Inert:
    """Stage `inert`; take them out of `opened` and `sealed_messages`; return their places.

    Costs nothing where nobody was erased. `has_cuts` says that some places were emptied already, `has_named`
    that there are `judged_identifiers`.
    """
    cut = _places(warehouse.query(CUT)) if has_cuts else frozenset()
    named = _named(warehouse, tombstones, sealed, has_named=has_named) if tombstones else frozenset()
    wrong = _wrong(warehouse, vault, tombstones) if tombstones else frozenset()
    inert = cut | named | wrong
    if not inert:
        warehouse.stage("inert", INERT.empty_table())
        return Inert()
    warehouse.stage("inert_places", _table_of(inert))
    warehouse.derive("inert", NEW_INERT)
    warehouse.derive("opened", REMAINING)
    rows = zip(*(sealed.messages[name].to_pylist() for name in ("position", "number")), strict=True)
    stays = pa.array([place not in inert for place in rows], pa.bool_())
    warehouse.stage("sealed_messages", sealed.messages.filter(stays))
    return Inert(inert, inert - cut)


def _named(
    warehouse: Warehouse, tombstones: Tombstones, sealed: Sealed, *, has_named: bool
) -> frozenset[Place]:
    """Return the good messages that name somebody who was erased, and the records with a token of theirs."""
    warehouse.stage("erased_identifiers", tombstones.table())
    warehouse.derive("named_in_good", _GOOD)
    parts = [NAMING, SAID_AGAIN, *([NAMED_OTHERWISE] if has_named else [])]
    found = _places(warehouse.query(" UNION ALL ".join(parts)))
    about = [(p, n) for p, n, token in sealed.mentions if tombstones.has_token(token)]
    if not about:
        return found
    warehouse.stage("about_erased", _table_of(about))
    records = warehouse.query(
        "SELECT o.position, o.number FROM opened o JOIN about_erased a"
        " ON a.position = o.position AND a.number = o.number WHERE o.type = 'record'"
    )
    return found | _places(records)


def _wrong(warehouse: Warehouse, vault: Vault, tombstones: Tombstones) -> frozenset[Place]:
    """Return those of the messages that cannot be loaded that name somebody who was erased."""
    found = set()
    for row in warehouse.query(WRONG).to_pylist():
        named = {kind: row[kind] for kind in ("user_id", "anonymous_id", "email", "phone")}
        both = [*named.items(), ("user_id", row["previous_id"]), ("anonymous_id", row["previous_id"])]
        values = [(kind, sealed_identifier(kind, value, vault)) for kind, value in both if value]
        if any(value and tombstones.silences(kind, value, row["occurred_at"]) for kind, value in values):
            found.add((row["position"], row["number"]))
    return frozenset(found)


def _places(rows: pa.Table) -> frozenset[Place]:
    return frozenset(zip(rows["position"].to_pylist(), rows["number"].to_pylist(), strict=True))


def _table_of(places: Sequence[Place] | frozenset[Place]) -> pa.Table:
    rows = sorted(places)
    return pa.table({"position": [p for p, _ in rows], "number": [n for _, n in rows]}, _PLACES)
