"""Identity's SELECTs over `events`, `records` and over what identity itself has staged."""

from __future__ import annotations

from collections.abc import Sequence

from tekil.dictionary.sql import quoted
from tekil.identifiers import SEALED, Policy

ASSERTION = "identity_assertion"
"""The object of records in which people, or their systems, say outright who is who."""

ACTS = ("merge", "split", "withdraw", "share")
"""What can be said: two are one person, are two people, what was said of them no longer counts; and of one
identifier (on both sides) that many people use it."""

LINK_ACTS = ("link", "unlink")
"""What only Tekil itself says: two were found to be alike, with a weight, or are no longer."""

LINKS_SOURCE = "tekil-links"
"""The source of links that were worked out. Nobody can make a write key of it, so nobody else can say it."""

# Whether a previous id was an anonymous one is not said by the spec; anonymous ids are UUIDs.
_UUID = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

_NAMES = "source, user_id, anonymous_id, email, phone, more, previous_user_id, previous_anonymous_id"

SIGHTINGS = f"""
SELECT row_label() AS sighting, * FROM (
  SELECT source, user_id, anonymous_id, email, phone, more,
    CASE WHEN previous_id IS NOT NULL AND NOT regexp_matches(previous_id, '{_UUID}')
      THEN previous_id END AS previous_user_id,
    CASE WHEN previous_id IS NOT NULL AND regexp_matches(previous_id, '{_UUID}')
      THEN previous_id END AS previous_anonymous_id,
    min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS messages,
    min(message_key) AS sample_key
  FROM (
    SELECT source, user_id, anonymous_id, email, phone, identifiers AS more, previous_id, occurred_at,
      message_key
    FROM events
    UNION ALL
    SELECT source, NULL AS user_id, NULL AS anonymous_id, NULL AS email, NULL AS phone, identifiers AS more,
      NULL AS previous_id, occurred_at, message_key
    FROM records WHERE identifiers IS NOT NULL
  ) AS messages
  GROUP BY {_NAMES}
) AS seen
"""
"""Each set of identifiers that a source named in one message, and when."""

_TOLD = "source, first_seen, last_seen, messages, sample_key"

_MENTIONED = {
    "user_id": ("user_id", "'main'"),
    "anonymous_id": ("anonymous_id", "CASE WHEN user_id IS NULL THEN 'main' ELSE 'other' END"),
    "email": ("email", "'other'"),
    "phone": ("phone", "'other'"),
    "previous_user_id": ("user_id", "'previous'"),
    "previous_anonymous_id": ("anonymous_id", "'previous'"),
}
"""Column of a sighting → the kind of identifier in it, and its role."""

_MENTIONS = "\n  UNION ALL\n".join(
    f"  SELECT sighting, '{kind}' AS kind, {column} AS value, {role} AS role, {_TOLD}"
    f" FROM sightings WHERE {column} IS NOT NULL"
    for column, (kind, role) in _MENTIONED.items()
)

MENTIONS = f"""
SELECT *, key64(kind || ':' || value) AS identifier_key FROM (
{_MENTIONS}
  UNION ALL
  SELECT sighting, substr(member_name, 1, strpos(member_name, ':') - 1) AS kind,
    substr(member_name, strpos(member_name, ':') + 1) AS value, 'other' AS role, {_TOLD}
  FROM members_of(sightings_with_more, more)
) AS named
"""
"""Each identifier of each sighting, and its role: what was `previous` speaks of the `main` one only."""

SIGHTINGS_WITH_MORE = "SELECT sighting, more, " + _TOLD + " FROM sightings WHERE more IS NOT NULL"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(map(quoted, texts))


ASSERTED = f"""
SELECT source, act, CASE WHEN act IN ({_listed(LINK_ACTS)}) THEN 'linked' ELSE 'asserted' END AS how,
  CASE WHEN act = 'link' THEN weight END AS weight, left_name, right_name,
  key64(left_name) AS one_key, key64(right_name) AS other_key, occurred_at, message_key
FROM (
  SELECT source, json_member(key, 'left') AS left_name, json_member(key, 'right') AS right_name,
    variant_text(fields, 'act') AS act,
    TRY_CAST(variant_text(fields, 'weight') AS BIGINT) AS weight, occurred_at, message_key
  FROM records WHERE object = '{ASSERTION}'
) AS said
WHERE (act IN ({_listed(ACTS)}) OR (act IN ({_listed(LINK_ACTS)}) AND source = '{LINKS_SOURCE}'))
  AND strpos(left_name, ':') > 1 AND strpos(right_name, ':') > 1
"""
"""What was said outright, each end as `kind:value`."""


def _end(side: str) -> str:
    return f"""SELECT key64({side}_name) AS identifier_key,
      substr({side}_name, 1, strpos({side}_name, ':') - 1) AS kind,
      substr({side}_name, strpos({side}_name, ':') + 1) AS value,
      occurred_at AS first_seen, occurred_at AS last_seen
    FROM asserted"""


IDENTIFIERS = f"""
SELECT identifier_key, kind, value, min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM (
  SELECT identifier_key, kind, value, first_seen, last_seen FROM mentions
  UNION ALL {_end("left")}
  UNION ALL {_end("right")}
) AS named GROUP BY identifier_key, kind, value
"""
"""Every identifier ever named."""

_PAIR = "pair_key, left_key, right_key, left_kind, right_kind, source, how"
_FIRST = "least(one_key, other_key)"
_LEFT = "CASE WHEN one_key <= other_key THEN left_name ELSE right_name END"
_RIGHT = "CASE WHEN one_key <= other_key THEN right_name ELSE left_name END"

EVIDENCE = f"""
SELECT {_PAIR}, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
  CAST(sum(messages) AS BIGINT) AS messages, min(sample_key) AS sample_key,
  CAST(NULL AS BIGINT) AS last_key, CAST(NULL AS VARCHAR) AS act, CAST(NULL AS BIGINT) AS weight
FROM (
  SELECT other.identifier_key - one.identifier_key AS pair_key, one.identifier_key AS left_key,
    other.identifier_key AS right_key, one.kind AS left_kind, other.kind AS right_kind, one.source,
    CASE WHEN 'previous' IN (one.role, other.role) AND one.kind = 'user_id' AND other.kind = 'user_id'
      THEN 'alias' ELSE 'seen' END AS how,
    one.first_seen, one.last_seen, one.messages, one.sample_key
  FROM mentions one JOIN mentions other
    ON other.sighting = one.sighting AND one.identifier_key < other.identifier_key
  WHERE (one.role <> 'previous' OR other.role = 'main') AND (other.role <> 'previous' OR one.role = 'main')
) AS pairs
GROUP BY {_PAIR}
UNION ALL
SELECT {_PAIR}, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS messages,
  min(message_key) AS sample_key,
  arg_max(message_key, {{'seen_at': occurred_at, 'key': message_key}}) AS last_key,
  arg_max(act, {{'seen_at': occurred_at, 'key': message_key}}) AS act,
  nullif(arg_max(coalesce(weight, 0), {{'seen_at': occurred_at, 'key': message_key}}), 0) AS weight
FROM (
  SELECT greatest(one_key, other_key) - {_FIRST} AS pair_key, {_FIRST} AS left_key,
    greatest(one_key, other_key) AS right_key, substr({_LEFT}, 1, strpos({_LEFT}, ':') - 1) AS left_kind,
    substr({_RIGHT}, 1, strpos({_RIGHT}, ':') - 1) AS right_kind, source, how, act,
    weight, occurred_at, message_key
  FROM asserted
) AS said
GROUP BY {_PAIR}
"""
"""Every pair of identifiers that a source named together, or spoke of outright."""

SUMMED_EVIDENCE = f"""
SELECT {_PAIR}, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
  CAST(sum(messages) AS BIGINT) AS messages, min(sample_key) AS sample_key,
  arg_max(last_key, {{'seen_at': last_seen, 'key': last_key}}) AS last_key,
  arg_max(act, {{'seen_at': last_seen, 'key': last_key}}) AS act,
  nullif(arg_max(coalesce(weight, 0), {{'seen_at': last_seen, 'key': last_key}}), 0) AS weight
FROM (SELECT * FROM old_evidence UNION ALL SELECT * FROM new_evidence) AS parts
GROUP BY {_PAIR}
"""
"""Evidence is a sum: what is new on top of what was there is what all messages together give."""

SUMMED_IDENTIFIERS = """
SELECT identifier_key, kind, value, min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM (
  SELECT identifier_key, kind, value, first_seen, last_seen FROM old_identity
  UNION ALL SELECT * FROM new_identifiers
) AS both
GROUP BY identifier_key, kind, value
"""

OPEN_KEYS = """
SELECT identifier_key FROM touched_identifiers t WHERE NOT EXISTS (
  SELECT 1 FROM known_shared s WHERE s.identifier_key = t.identifier_key
)
"""
"""Touched identifiers, but for those known to be shared: they stay so, and may have any number of links."""

NEIGHBOURS = """
SELECT identifier_key FROM new_identifiers
UNION SELECT left_key AS identifier_key FROM evidence
  WHERE right_key IN (SELECT left_key FROM new_evidence WHERE pair_key = 0)
UNION SELECT right_key AS identifier_key FROM evidence
  WHERE left_key IN (SELECT left_key FROM new_evidence WHERE pair_key = 0)
"""
"""Where something is said of one identifier alone: it may join again what it no longer joined."""


def nodes(policy: Policy, kinds: Sequence[str]) -> str:
    """Return the SELECT of identifiers and their ages, their kinds as places in `kinds`."""
    sealed = ", ".join(quoted(kind) for kind in SEALED)
    return f"""
SELECT identifier_key, epoch_us(first_seen) AS first_seen, {_code("kind", kinds)} AS kind,
  kind NOT IN ({sealed}) AND regexp_matches(lowered(value), {quoted(policy.blocked)}) AS is_blocked
FROM identifiers
"""


def links(policy: Policy, kinds: Sequence[str]) -> str:
    """Return the SELECT of what may join identifiers: each pair once, its ends' kinds as places in `kinds`.

    What a source may not assert is left out, and so are links that weigh less than the policy accepts.
    `weight` is 0 where messages named the two together, whatever links say of them besides.
    """
    forbidden = " ".join(
        f"AND NOT (source = {quoted(source)} AND NOT (left_kind IN ({some}) AND right_kind IN ({some})))"
        for source, allowed in sorted(policy.spec.sources.items())
        for some in [", ".join(map(quoted, allowed)) or "''"]
    )
    accept = policy.accepted_weight
    linked = "FALSE" if accept is None else f"how = 'linked' AND act = 'link' AND weight >= {accept}"
    return f"""
SELECT left_key, right_key, {_code("left_kind", kinds)} AS left_kind,
  {_code("right_kind", kinds)} AS right_kind, max(how = 'alias') AS is_alias,
  CAST(sum(messages) AS BIGINT) AS messages, epoch_us(max(last_seen)) AS last_seen,
  CASE WHEN min(how = 'linked') THEN max(weight) ELSE 0 END AS weight
FROM evidence WHERE (how IN ('seen', 'alias') {forbidden}) OR ({linked})
GROUP BY left_key, right_key, left_kind, right_kind
"""


SAID = """
SELECT left_key, right_key, act, epoch_us(last_seen) AS last_seen, last_key
FROM evidence WHERE how = 'asserted'
"""

LOGINS = """
SELECT c.identifier_key, e.identifier_key AS owner_key, epoch_us(e.occurred_at) AS at_us, e.message_key
FROM events e JOIN contested c ON c.value = e.anonymous_id
WHERE e.user_id IS NOT NULL AND e.identifier_key <> c.identifier_key
"""
"""Messages on a contested device that name who uses it."""


def _code(column: str, kinds: Sequence[str]) -> str:
    cases = " ".join(f"WHEN {quoted(kind)} THEN {place}" for place, kind in enumerate(kinds))
    return f"CASE {column} {cases} ELSE {len(kinds)} END"


def of_persons(relation: str, identity: str, ownership: str | None, among: str | None = None) -> str:
    """Return the SELECT of a relation's rows with whose they are.

    `relation` has `identifier_key` and `occurred_at`; `ownership` is left out where nothing has several
    owners; `among` is a relation of the persons wanted, where not all are.
    """
    source = relation if relation.isidentifier() else f"({relation})"
    if ownership is None:
        return (
            f"SELECT i.person_key, r.* FROM {source} AS r"
            f" JOIN {identity} AS i ON i.identifier_key = r.identifier_key"
        )
    wanted = f"WHERE person_key IN (SELECT person_key FROM {among})" if among else ""
    return (
        f"SELECT * FROM (SELECT coalesce(o.person_key, i.person_key) AS person_key, r.* FROM {source} AS r"
        f" JOIN {identity} AS i ON i.identifier_key = r.identifier_key"
        f" LEFT JOIN {ownership} AS o ON o.identifier_key = r.identifier_key"
        f" AND r.occurred_at >= o.valid_from AND r.occurred_at < o.valid_until) AS owned {wanted}"
    )
