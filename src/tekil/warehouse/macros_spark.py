"""The dialect's macros in Spark's own words.

Templates are Spark SQL: inside a string a backslash is written twice.
"""

from __future__ import annotations

from datetime import datetime

from tekil.warehouse.fields import (
    CONTEXT_COLUMNS,
    CONTEXT_TAKEN,
    DAY_US,
    DIVIDED,
    ISO_INSTANT,
    JSONS,
    NUMBER,
    TEXTS,
    spark_context_schema,
    spark_schema,
    spark_shapes,
)

UNREADABLE = "tekil:unreadable"
"""What the reader of bodies raises where a body is no JSON: by itself Spark would skip it in silence."""


def instant_literal(instant: datetime) -> str:
    """Return an instant (UTC without a zone) as a literal."""
    return f"TIMESTAMP '{instant.isoformat(sep=' ')}'"


def quoted(text: str) -> str:
    """Return a text as a string literal of Spark SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quote(text: str) -> str:
    return f"substr(to_json(array({text})), 2, length(to_json(array({text}))) - 2)"


def _object_of(name: str, value: str) -> str:
    members = f"array_sort(collect_list(concat({_quote(name)}, ':', {value})))"
    return f"concat('{{', array_join({members}, ','), '}}')"


# Hex digits 17 to 32 of the MD5, the pairs in reverse: its last eight bytes read little-endian.
_LAST_HALF = "regexp_replace(substr(md5({0}), 17), '(..)(..)(..)(..)(..)(..)(..)(..)', '$8$7$6$5$4$3$2$1')"
# Every % that begins no escape is escaped itself, so that the decoder takes the rest.
_ESCAPED = (
    "replace(replace(regexp_replace({0}, '%([0-9A-Fa-f]{2})', '\\u0001$1'), '%', '%25'), '\\u0001', '%')"
)

SCALARS = {
    # The pattern keeps out what Spark would read and no other engine: `2026`, `12:00`, names of zones.
    "instant": (
        f"CASE WHEN {{0}} RLIKE {quoted(ISO_INSTANT)}"
        " THEN try_cast(replace({0}, ' UTC', 'Z') AS TIMESTAMP) END"
    ),
    "as_variant": "try_parse_json({0})",
    "variant_json": "to_json({0})",
    # Not every server gives a number or a truth value as text, so what is no string is read from the JSON.
    "variant_text": (
        "coalesce(try_variant_get({0}, concat('$[\"', {1}, '\"]'), 'string'),"
        " get_json_object(to_json({0}), concat('$.', {1})))"
    ),
    "json_member": "get_json_object({0}, concat('$.', {1}))",
    # An unsigned half would not fit a BIGINT: 60 bits, then the upper three of the last four.
    "key64": (
        f"(CAST(conv(substr({_LAST_HALF}, 1, 15), 16, 10) AS BIGINT) * 8"
        f" + shiftright(CAST(conv(substr({_LAST_HALF}, 16, 1), 16, 10) AS BIGINT), 1))"
    ),
    "person_id_of": "concat('p', lpad(lower(hex({0})), 16, '0'))",
    "row_label": "monotonically_increasing_id()",
    "lowered": "lower(translate({0}, 'İΣ', 'iσ'))",
    "decoded": f"coalesce(try_url_decode({_ESCAPED}), replace({{0}}, '+', ' '))",
    "is_json_container": "(substr({0}, 1, 1) IN ('{', '[') AND try_parse_json({0}) IS NOT NULL)",
    "json_quoted": _quote("{0}"),
    "distinct_texts": "array_sort(collect_set({0}))",
    "json_object_of": _object_of("{0}", "{1}"),
    "epoch_us": "unix_micros({0})",
    "iso_text": "date_format({0}, \"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'\")",
    "shifted": "timestamp_micros(unix_micros({0}) + CAST({1} AS BIGINT))",
    "decimal_of": f"CASE WHEN {{0}} RLIKE {quoted(NUMBER)} THEN try_cast({{0}} AS DECIMAL(18, 4)) END",
    "divided": DIVIDED,
    "day_in": "CAST(from_utc_timestamp({0}, {1}) AS DATE)",
    "days_between": (
        f"((unix_micros({{1}}) - unix_micros({{0}}) - ((unix_micros({{1}}) - unix_micros({{0}})) % {DAY_US}"
        f" + {DAY_US}) % {DAY_US}) div {DAY_US})"
    ),
    "nth_of": "get(array_sort(collect_list({0})), {1} - 1)",
}

_TEXTS = ", ".join(f"message.{name} AS {name}" for name in TEXTS)
# A member that is no object gets quotes: Spark takes them off a string, and '{' would look like one.
_JSONS = ", ".join(
    f"CASE WHEN shape.{name} IS NULL AND message.{name} IS NOT NULL"
    f" THEN {_quote(f'message.{name}')} ELSE message.{name} END AS {name}"
    for name in JSONS
)
_CONTEXT = ", ".join(f"about.{path} AS {column}" for path, column in CONTEXT_COLUMNS.items())

_TAKEN = ", ".join(quoted(name) for name in CONTEXT_TAKEN)

RELATIONS = {
    "messages_in": f"""
        WITH flat AS (
          SELECT position, source, door, received_at, body_sent_at, oversize, strange, number,
            is_nul_in_body, {_TEXTS}, {_JSONS}
          FROM (
            SELECT position, source, door, received_at, envelope.sentAt AS body_sent_at,
              envelope.oversize AS oversize, envelope.strange AS strange, is_nul_in_body,
              CAST(number AS BIGINT) AS number, message, get(shapes.batch, number) AS shape
            FROM (
              SELECT *, from_json(body, {quoted(spark_schema())}) AS envelope,
                from_json(body, {quoted(spark_shapes())}) AS shapes,
                instr(body, '\\\\u0000') > 0 AS is_nul_in_body
              FROM {{0}}
            ) AS read_bodies
            LATERAL VIEW posexplode(coalesce(envelope.batch, raise_error({quoted(UNREADABLE)}))) exploded
              AS number, message
          ) AS shaped
        ), rests AS (
          SELECT f.position, f.number, {_object_of("m.key", "to_json(m.value)")} AS rest
          FROM flat AS f, LATERAL variant_explode(try_parse_json(f.context)) AS m
          WHERE m.key NOT IN ({_TAKEN})
          GROUP BY f.position, f.number
        )
        SELECT described.*, {_CONTEXT}
        FROM (
          SELECT flat.*, from_json(context, {quoted(spark_context_schema())}) AS about,
            CASE WHEN context IS NOT NULL THEN coalesce(rest, '{{}}') END AS context_rest
          FROM flat LEFT JOIN rests ON rests.position = flat.position AND rests.number = flat.number
        ) AS described""",
    # Spark hands out a string without its quotes; one that is itself JSON is not told from the JSON it holds.
    "items_in": f"""
        SELECT position, CAST(number AS BIGINT) AS number, coalesce(
            CASE WHEN try_parse_json(item) IS NOT NULL THEN item ELSE {_quote("item")} END, 'null') AS item
        FROM (SELECT position, from_json(body, 'batch ARRAY<STRING>').batch AS items FROM {{0}}) AS bodies
        LATERAL VIEW posexplode(items) exploded AS number, item""",
    "members_of": """
        SELECT r.*, m.key AS member_name, to_json(m.value) AS member_value
        FROM {0} AS r, LATERAL variant_explode(try_parse_json(r.{1})) AS m""",
}
