"""Views for people who write SQL: the same relations that models read, and the models put together."""

from __future__ import annotations

VIEWS = {
    "person_events": """
        SELECT i.person_id, e.* FROM events e JOIN identity i ON i.identifier_key = e.identifier_key""",
    "person_traits": """
        SELECT i.person_id, t.* FROM traits t JOIN identity i ON i.identifier_key = t.identifier_key""",
    "profile": """
        SELECT a.*, t.traits, t.trait_sources
        FROM activity a LEFT JOIN attributes t ON t.person_id = a.person_id""",
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
