"""The dialect's macros in DuckDB's own words."""

from __future__ import annotations

import json
from datetime import datetime

from tekil.warehouse.fields import (
    CONTEXT_COLUMNS,
    CONTEXT_TAKEN,
    DAY_US,
    DIVIDED,
    FIELD_NAMES,
    ISO_INSTANT,
    NUMBER,
    duckdb_context_schema,
    duckdb_schema,
)


def instant_literal(instant: datetime) -> str:
    """Return an instant (UTC without a zone) as a literal."""
    return f"TIMESTAMP '{instant.isoformat(sep=' ')}'"


SCALARS = {
    # A cast straight to TIMESTAMP would ignore an offset; the session's time zone is UTC.
    "instant": (
        f"CASE WHEN regexp_matches({{0}}, '{ISO_INSTANT}')"
        " THEN CAST(TRY_CAST({0} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) END"
    ),
    "as_variant": "TRY(CAST(CAST({0} AS JSON) AS VARIANT))",
    "variant_json": "CAST(CAST({0} AS JSON) AS VARCHAR)",
    "variant_text": "variant_extract_string({0}, {1})",
    "json_member": "json_extract_string({0}, '$.' || {1})",
    # Half of an MD5, shifted to stay positive: stable for ever, unlike the engine's own hash(). The function
    # made for it, md5_number_lower, gives the same and takes four times as long.
    "key64": "CAST(md5_number({0}) >> 65 AS BIGINT)",
    "person_id_of": "printf('p%016x', {0})",
    "row_label": "row_number() OVER ()",
    "lowered": "lower({0})",
    "decoded": "coalesce(TRY(url_decode(replace({0}, '+', ' '))), replace({0}, '+', ' '))",
    "is_json_container": "CASE WHEN {0} LIKE '{%' OR {0} LIKE '[%' THEN json_valid({0}) ELSE FALSE END",
    "json_quoted": "CAST(to_json({0}) AS VARCHAR)",
    "distinct_texts": "list_sort(list(DISTINCT {0}))",
    "json_object_of": (
        "'{' || array_to_string(list_sort(list(CAST(to_json({0}) AS VARCHAR) || ':' || {1})), ',') || '}'"
    ),
    "epoch_us": "epoch_us({0})",
    "iso_text": "strftime({0}, '%Y-%m-%dT%H:%M:%S.%gZ')",
    "shifted": "({0} + to_microseconds(CAST({1} AS BIGINT)))",
    "decimal_of": f"CASE WHEN regexp_matches({{0}}, '{NUMBER}') THEN TRY_CAST({{0}} AS DECIMAL(18, 4)) END",
    "divided": DIVIDED,
    "day_in": "CAST(({0} AT TIME ZONE 'UTC') AT TIME ZONE {1} AS DATE)",
    "days_between": (
        f"((epoch_us({{1}}) - epoch_us({{0}}) - ((epoch_us({{1}}) - epoch_us({{0}})) % {DAY_US} + {DAY_US})"
        f" % {DAY_US}) // {DAY_US})"
    ),
    "nth_of": "list_sort(list({0}) FILTER (WHERE {0} IS NOT NULL))[{1}]",
}

_FIELDS = ", ".join(f"message.{name} AS {name}" for name in FIELD_NAMES)
_CONTEXT = ", ".join(f"about.{path} AS {column}" for path, column in CONTEXT_COLUMNS.items())

# A merge patch takes away what it gives as null (RFC 7396): one pass over a context, whatever is in it.
WITHOUT = json.dumps(dict.fromkeys(CONTEXT_TAKEN))

RELATIONS = {
    # One statement from the body to flat columns, so that the engine's threads share the parsing.
    "messages_in": f"""
        SELECT * EXCLUDE (about), {_CONTEXT}
        FROM (
          SELECT position, source, door, received_at, body_sent_at, oversize, strange, number,
            is_nul_in_body, {_FIELDS},
            from_json(message.context, '{duckdb_context_schema()}') AS about,
            CASE WHEN message.context IS NOT NULL
              THEN json_merge_patch(message.context, '{WITHOUT}') END AS context_rest
          FROM (
            SELECT position, source, door, received_at, envelope.sentAt AS body_sent_at,
              envelope.oversize AS oversize, envelope.strange AS strange, is_nul_in_body,
              unnest(envelope.batch) AS message,
              generate_subscripts(envelope.batch, 1) - 1 AS number
            FROM (
              SELECT *, from_json(body, '{duckdb_schema()}') AS envelope,
                strpos(body, '\\u0000') > 0 AS is_nul_in_body
              FROM {{0}}
            )
          )
        )""",
    "items_in": """
        SELECT position, generate_subscripts(items, 1) - 1 AS number,
          coalesce(CAST(unnest(items) AS VARCHAR), 'null') AS item
        FROM (SELECT position, from_json(body, '{"batch": ["JSON"]}').batch AS items FROM {0})""",
    "members_of": """
        SELECT * EXCLUDE (member), member.key AS member_name,
          CAST(member.value AS VARCHAR) AS member_value
        FROM (
          SELECT *, unnest(map_entries(from_json({1}, '"MAP(VARCHAR, JSON)"'))) AS member FROM {0}
        )""",
}
