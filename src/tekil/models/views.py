"""Views for people who write SQL: the same relations that models read, and the models put together."""

from __future__ import annotations

from tekil.identity import of_persons
from tekil.privacy.rectification import OBJECTION


def _with_person(table: str) -> str:
    rows = of_persons(table, "identity", "ownership")
    return f"SELECT person_id_of(person_key) AS person_id, p.* FROM ({rows}) AS p"


VIEWS = {
    "person_events": _with_person("events"),
    "person_traits": _with_person("traits"),
    "profile": """
        SELECT person_id_of(a.person_key) AS person_id, a.*, t.traits, t.trait_sources
        FROM activity a LEFT JOIN attributes t ON t.person_key = a.person_key""",
    "memberships": "SELECT person_id_of(person_key) AS person_id, m.* FROM members m",
    "objections": f"""
        SELECT person_id_of(person_key) AS person_id, person_key FROM attributes
        WHERE json_member(traits, '{OBJECTION}') = 'true'""",
    "identifiers": """
        SELECT person_id_of(i.person_key) AS person_id, i.kind, i.value, i.first_seen, i.last_seen,
          person_id_of(i.identifier_key) AS identifier_id,
          CASE WHEN i.kind = 'email' THEN s.shadow END AS email_domain,
          CASE WHEN i.kind = 'phone' THEN s.shadow END AS phone_country
        FROM identity i LEFT JOIN sealed_values s ON s.token = i.value""",
    "timeline": """
        SELECT identifier_key, message_key, message_id, source, type, event, occurred_at, received_at, url,
          title, utm_campaign AS campaign, variant_json(properties) AS properties
        FROM events""",
    "records": """
        SELECT object, key, fields, source, occurred_at FROM (
          SELECT *, row_number() OVER (
            PARTITION BY record_key ORDER BY occurred_at DESC, source DESC, message_key DESC) AS place
          FROM record_changes
        ) AS changes WHERE place = 1""",
}
"""Name → SELECT."""
