"""From new messages to the persons they touch: the same answer as a rebuild's, from the rows it needs.

What must be looked at again is closed under evidence: the clusters of every identifier that is named, and no
further. A shared identifier belongs to no cluster, so nobody is reached through it. What one identifier is
named with decides whether it is shared, and that only grows: one that was shared stays so, whatever comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from tekil.identifiers import Policy
from tekil.identity import sql
from tekil.identity.resolve import LAST, NOBODY, People, gather, ownership, settle, take
from tekil.identity.tables import EVIDENCE, IDENTITY
from tekil.warehouse import Warehouse

NAMES = {"identifiers": "touched_identifiers", "evidence": "seen_evidence", "owners": "touched_owners"}

TOUCHED_EVIDENCE = "SELECT * FROM seen_evidence WHERE pair_key IN (SELECT pair_key FROM new_evidence)"

CONTESTED_USERS = """
SELECT right_key AS identifier_key FROM seen_evidence
WHERE left_key IN (SELECT identifier_key FROM touched_contested) AND right_kind = 'user_id'
UNION
SELECT left_key AS identifier_key FROM seen_evidence
WHERE right_key IN (SELECT identifier_key FROM touched_contested) AND left_kind = 'user_id'
"""
"""Who ever logged in on the devices that several people use: their messages say whose turn it is."""

REPLACED_IDENTIFIERS = """
SELECT identifier_key FROM touched_identifiers UNION SELECT identifier_key FROM new_identifiers
"""
"""Whose rows are written anew; some of them may be of nobody any more."""

OLD_OWNERSHIP = """
SELECT * FROM ownership WHERE identifier_key IN (
  SELECT o.identifier_key FROM ownership o LEFT JOIN touched_owners t ON t.identifier_key = o.owner_key
  WHERE o.identifier_key IN (SELECT identifier_key FROM replaced_identifiers)
    OR (t.person_key <> o.person_key AND o.owner_key <> o.identifier_key)
)
"""
"""All turns on the devices that are touched, and on those used by somebody who is another person now."""

PERSONS = """
SELECT person_key FROM due
UNION SELECT person_key FROM old_identity
UNION SELECT person_key FROM touched_owners
UNION SELECT person_key FROM old_ownership
UNION SELECT person_key FROM identity WHERE identifier_key IN (SELECT identifier_key FROM contested_users)
"""
"""Everybody whose answers may change."""

SECLUDED_PAIRS = """
SELECT pair_key FROM new_evidence
WHERE left_key NOT IN (SELECT identifier_key FROM open_keys)
  AND right_key NOT IN (SELECT identifier_key FROM open_keys)
"""
"""Pairs spoken of both of whose ends have more evidence than is looked at: hardly ever there are any."""

STRANGERS = """
SELECT person_key FROM touched_persons_all
WHERE person_key NOT IN (SELECT identifier_key FROM old_identity)
  AND person_key NOT IN (SELECT identifier_key FROM touched_owners)
"""
"""Whoever is reached and lies in no touched cluster: where they do, they do whole, and so does their key."""

OTHER_KEYS = """
SELECT identifier_key FROM (
  SELECT identifier_key FROM owned_now
  UNION
  SELECT identifier_key FROM ownership
  WHERE person_key IN (SELECT person_key FROM touched_persons_all)
) AS owned
WHERE identifier_key NOT IN (SELECT identifier_key FROM touched_identifiers)
"""
"""What else these persons own, or owned for a while."""

REACHED_IDENTIFIERS = """
SELECT identifier_key FROM touched_identifiers UNION ALL SELECT identifier_key FROM other_identity
"""
"""All identifiers whose events must be read."""

TURNED_OWNERS = """
SELECT identifier_key, person_key FROM touched_owners
UNION ALL SELECT identifier_key, person_key FROM other_identity
"""

TURNS = """
SELECT * FROM new_turns
UNION ALL
SELECT identifier_key, valid_from, valid_until, owner_key FROM old_ownership
WHERE identifier_key NOT IN (SELECT identifier_key FROM replaced_identifiers)
"""
"""Turns of touched devices anew; of the others as they were, whoever the owner's person is now."""

SEEN_OWNERSHIP = """
SELECT * FROM touched_ownership
UNION ALL
SELECT * FROM ownership o WHERE identifier_key IN (SELECT identifier_key FROM reached_identifiers)
  AND NOT EXISTS (SELECT 1 FROM touched_devices t WHERE t.identifier_key = o.identifier_key)
"""

TOUCHED_IDENTITY = f"""
SELECT i.identifier_key, i.kind, i.value, i.first_seen, i.last_seen, i.cluster_key,
  coalesce(n.person_key, i.person_key) AS person_key
FROM (
  SELECT t.identifier_key, t.kind, t.value, t.first_seen, t.last_seen, o.cluster_key, o.person_key
  FROM touched_identifiers t JOIN touched_owners o ON o.identifier_key = t.identifier_key
  UNION ALL
  SELECT identifier_key, kind, value, first_seen, last_seen, cluster_key, person_key FROM other_identity
  WHERE identifier_key IN (SELECT identifier_key FROM touched_ownership)
) AS i
LEFT JOIN touched_ownership n ON n.identifier_key = i.identifier_key AND n.valid_until = {LAST}
"""
"""Touched identifiers, and devices that are used in turns by somebody touched."""

SEEN_IDENTITY = """
SELECT identifier_key, kind, value, person_key FROM touched_identity
UNION ALL
SELECT identifier_key, kind, value, person_key FROM other_identity o
WHERE NOT EXISTS (SELECT 1 FROM touched_identity t WHERE t.identifier_key = o.identifier_key)
"""

NEIGHBOURHOOD = """
SELECT identifier_key FROM new_identifiers
UNION SELECT left_key AS identifier_key FROM evidence
  WHERE right_key IN (SELECT identifier_key FROM new_identifiers)
UNION SELECT right_key AS identifier_key FROM evidence
  WHERE left_key IN (SELECT identifier_key FROM new_identifiers)
"""

EVENT_COLUMNS = (
    "message_key",
    "identifier_key",
    "source",
    "user_id",
    "anonymous_id",
    "previous_id",
    "email",
    "phone",
    "identifiers",
    "occurred_at",
)
"""What evidence is made of."""

NAMING_RECORDS = f"""
SELECT * FROM record_changes WHERE identifiers IS NOT NULL OR object = '{sql.ASSERTION}'
"""

LEFT_IDENTIFIERS = """
SELECT identifier_key, kind, value, first_seen, last_seen FROM old_identity
WHERE identifier_key NOT IN (SELECT identifier_key FROM new_identifiers)
UNION ALL
SELECT * FROM left_identifiers WHERE identifier_key IN (SELECT identifier_key FROM new_identifiers)
"""

KNOWN_SHARED_BESIDE = """
SELECT * FROM shared
WHERE identifier_key IN (SELECT identifier_key FROM touched_identifiers)
  AND identifier_key NOT IN (SELECT identifier_key FROM new_identifiers)
"""

LEFT_EVIDENCE = """
SELECT * FROM old_evidence WHERE pair_key NOT IN (SELECT pair_key FROM new_evidence)
UNION ALL
SELECT * FROM left_evidence WHERE pair_key IN (SELECT pair_key FROM new_evidence)
"""

REPLACED = {
    "evidence": "(SELECT DISTINCT pair_key FROM new_evidence) AS touched",
    "identity": (
        "(SELECT identifier_key FROM touched_identity UNION SELECT identifier_key FROM new_identifiers)"
        " AS touched"
    ),
    "ownership": "touched_devices",
    "conflicts": "(SELECT identifier_key AS left_key FROM replaced_identifiers) AS touched",
    "shared": "replaced_identifiers",
}
"""Table → the relation of the keys whose rows the staged ones replace."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a refresh works with: whether devices that are used in turns are among it."""

    has_contested: bool


def reach(warehouse: Warehouse, policy: Policy, events: str, records: str) -> Reached:
    """Stage who is touched, resolved anew, and `reached_identifiers`: whose events are needed to go on."""
    gather(warehouse, events, records, "new_")
    said_alone = warehouse.query("SELECT 1 AS one FROM new_evidence WHERE pair_key = 0 LIMIT 1").num_rows
    warehouse.derive(
        "touched_keys", sql.NEIGHBOURS if said_alone else "SELECT identifier_key FROM new_identifiers"
    )
    _pick_clusters(warehouse)
    warehouse.derive("touched_identifiers", sql.SUMMED_IDENTIFIERS)
    known_shared = _known_shared(warehouse) if not said_alone else NOBODY
    warehouse.stage("known_shared", known_shared)
    warehouse.derive("open_keys", sql.OPEN_KEYS)
    _pick_evidence(warehouse)
    warehouse.derive("seen_evidence", sql.SUMMED_EVIDENCE)
    return _settled(warehouse, policy, known_shared)


def _settled(warehouse: Warehouse, policy: Policy, known_shared: pa.Table) -> Reached:
    """Resolve what is staged, and stage who may have other answers now, and all their identifiers."""
    has_contested = settle(warehouse, policy, NAMES, "touched_", known_shared)
    warehouse.derive("touched_evidence", TOUCHED_EVIDENCE)
    warehouse.derive("contested_users", CONTESTED_USERS)
    warehouse.derive("replaced_identifiers", REPLACED_IDENTIFIERS)
    warehouse.derive("old_ownership", OLD_OWNERSHIP)
    warehouse.derive("touched_persons_all", PERSONS)
    _pick_others(warehouse)
    warehouse.derive("reached_identifiers", REACHED_IDENTIFIERS)
    return Reached(has_contested)


def reach_without(warehouse: Warehouse, policy: Policy, doomed: str, records: str) -> Reached:
    """Stage what `reach` does, for when what the relations `doomed` and `records` hold had never been said.

    They are events and record changes as they were; what the tables hold is as it shall be.

    Of the pairs they named, evidence is summed anew from the events that are left; whoever named one of their
    identifiers has evidence with it, so these lie under its neighbours. What they made shared may join again.
    """
    gather(warehouse, doomed, records, "new_")
    warehouse.derive("touched_keys", NEIGHBOURHOOD)
    warehouse.pick("near_events", "events", EVENT_COLUMNS, "touched_keys")
    gather(warehouse, "near_events", NAMING_RECORDS, "left_")
    _pick_clusters(warehouse)
    warehouse.derive("touched_identifiers", LEFT_IDENTIFIERS)
    warehouse.derive("known_shared", KNOWN_SHARED_BESIDE)
    warehouse.derive("open_keys", sql.OPEN_KEYS)
    _pick_evidence(warehouse)
    warehouse.derive("seen_evidence", LEFT_EVIDENCE)
    return _settled(warehouse, policy, warehouse.query("SELECT * FROM known_shared"))


def _pick_clusters(warehouse: Warehouse) -> None:
    """Stage `old_identity`: the clusters, as they were, of every identifier that is touched."""
    warehouse.pick("touched_clusters", IDENTITY.name, ["cluster_key"], "touched_keys")
    warehouse.pick("old_identity", IDENTITY.name, IDENTITY.column_names, "touched_clusters", by="cluster_key")


def _pick_evidence(warehouse: Warehouse) -> None:
    """Stage `old_evidence`: all evidence about the open, and about whatever is named anew."""
    warehouse.derive("secluded_pairs", SECLUDED_PAIRS)
    sides = ("left_key", "right_key")
    wanted = {side: f"(SELECT identifier_key AS {side} FROM open_keys) AS among" for side in sides}
    wanted["pair_key"] = "secluded_pairs"
    warehouse.pick("old_evidence", EVIDENCE.name, EVIDENCE.column_names, wanted)


def _pick_others(warehouse: Warehouse) -> None:
    """Stage `other_identity`: what else the persons reached own, or owned for a while."""
    # Nearly all that they own is touched and read already; devices that are theirs in turns are owned.
    warehouse.derive("strangers", STRANGERS)
    warehouse.pick("owned_now", IDENTITY.name, ["identifier_key"], "strangers", by="person_key")
    warehouse.derive("other_keys", OTHER_KEYS)
    warehouse.pick("other_identity", IDENTITY.name, IDENTITY.column_names, "other_keys")


def _known_shared(warehouse: Warehouse) -> pa.Table:
    return warehouse.query(
        "SELECT * FROM shared WHERE identifier_key IN (SELECT identifier_key FROM touched_identifiers)"
    )


def finish(warehouse: Warehouse, policy: Policy, reached: Reached, events: str) -> People:
    """Stage the rest of identity's rows from the reached events; return how rows find their persons."""
    turns = take(warehouse, policy, events if reached.has_contested else f"({events})", "touched_contested")
    warehouse.stage("new_turns", turns)
    warehouse.derive("turns", TURNS)
    warehouse.derive("turned_owners", TURNED_OWNERS)
    warehouse.derive("touched_ownership", ownership("turns", "turned_owners"))
    warehouse.derive(
        "touched_devices",
        "SELECT identifier_key FROM old_ownership UNION SELECT identifier_key FROM touched_ownership",
    )
    warehouse.derive("touched_identity", TOUCHED_IDENTITY)
    warehouse.derive("seen_identity", SEEN_IDENTITY)
    warehouse.derive("seen_ownership", SEEN_OWNERSHIP)
    owned = warehouse.query("SELECT 1 AS one FROM seen_ownership LIMIT 1").num_rows
    return People("seen_identity", "seen_ownership" if owned else None, "touched_persons_all")


def write(warehouse: Warehouse) -> None:
    """Put the staged rows in the place of the old ones, inside the engine's transaction."""
    for table, keys in REPLACED.items():
        warehouse.replace(table, keys, f"SELECT * FROM touched_{table}")
