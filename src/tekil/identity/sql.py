"""Identity's SELECTs over `events` and over what identity itself has staged."""

from __future__ import annotations

# Whether a previous id was an anonymous one is not said by the spec; anonymous ids are UUIDs.
_UUID = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

SIGHTINGS = f"""
SELECT row_label() AS sighting, * FROM (
  SELECT source, user_id, anonymous_id, email, phone,
    CASE WHEN previous_id IS NOT NULL AND NOT regexp_matches(previous_id, '{_UUID}')
      THEN previous_id END AS previous_user_id,
    CASE WHEN previous_id IS NOT NULL AND regexp_matches(previous_id, '{_UUID}')
      THEN previous_id END AS previous_anonymous_id,
    min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS messages
  FROM events
  GROUP BY source, user_id, anonymous_id, email, phone, previous_user_id, previous_anonymous_id
) AS seen
"""
"""Each set of identifiers that a source named in one message, and when."""

_MENTIONED = {
    "user_id": "user_id",
    "anonymous_id": "anonymous_id",
    "email": "email",
    "phone": "phone",
    "previous_user_id": "user_id",
    "previous_anonymous_id": "anonymous_id",
}
"""Column of a sighting → the kind of identifier in it, strongest first."""

_MENTIONS = "\n  UNION ALL\n".join(
    f"  SELECT sighting, source, '{kind}' AS kind, {column} AS value, first_seen, last_seen, messages"
    f" FROM sightings WHERE {column} IS NOT NULL"
    for column, kind in _MENTIONED.items()
)

MENTIONS = f"""
SELECT *, key64(kind || ':' || value) AS identifier_key FROM (
{_MENTIONS}
) AS named
"""
"""Each identifier of each sighting."""

IDENTIFIERS = """
SELECT identifier_key, kind, value, min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM mentions GROUP BY identifier_key, kind, value
"""
"""Every identifier ever named."""

EVIDENCE = """
SELECT one.identifier_key AS left_key, other.identifier_key AS right_key, one.source,
  min(one.first_seen) AS first_seen, max(one.last_seen) AS last_seen,
  CAST(sum(one.messages) AS BIGINT) AS messages
FROM mentions one JOIN mentions other
  ON other.sighting = one.sighting AND one.identifier_key < other.identifier_key
GROUP BY left_key, right_key, one.source
"""
"""Every pair of identifiers that a source named together."""

IDENTITY = """
SELECT i.identifier_key, i.kind, i.value, i.first_seen, i.last_seen, o.person_key
FROM identifiers i JOIN owners o ON o.identifier_key = i.identifier_key
"""
"""Identifiers with the person each belongs to."""

TOUCHED_KEYS = """
SELECT DISTINCT identifier_key FROM (
  SELECT identifier_key FROM new_events
  UNION ALL SELECT key64('anonymous_id:' || anonymous_id) FROM new_events WHERE anonymous_id IS NOT NULL
  UNION ALL SELECT key64('email:' || email) FROM new_events WHERE email IS NOT NULL
  UNION ALL SELECT key64('phone:' || phone) FROM new_events WHERE phone IS NOT NULL
  UNION ALL SELECT key64('user_id:' || previous_id) FROM new_events WHERE previous_id IS NOT NULL
  UNION ALL SELECT key64('anonymous_id:' || previous_id) FROM new_events WHERE previous_id IS NOT NULL
) AS named
"""
"""Every identifier that the new events name. (Of a previous id, both readings: too many does no harm.)"""

TOUCHED_PERSONS = """
SELECT DISTINCT person_key FROM (
  SELECT person_key FROM identity
  WHERE identifier_key IN (SELECT identifier_key FROM touched_keys)
  UNION ALL
  SELECT person_key FROM due
) AS persons
"""
"""Persons, as they were, who own one of those identifiers, or whose time has come."""

REACHED_IDENTIFIERS = """
SELECT DISTINCT identifier_key FROM (
  SELECT identifier_key FROM touched_keys
  UNION ALL
  SELECT identifier_key FROM identity WHERE person_key IN (SELECT person_key FROM touched_persons)
) AS keys
"""
"""All identifiers of those persons, and the new ones: closed under whatever the new events may join."""
