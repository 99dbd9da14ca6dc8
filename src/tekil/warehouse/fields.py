"""The members of a message that are read into columns, for each engine's JSON reader."""

from __future__ import annotations

import json
from typing import Any

TEXTS = (
    "type",
    "event",
    "name",
    "userId",
    "anonymousId",
    "previousId",
    "groupId",
    "messageId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "object",
)
"""Members read as text; a number becomes its digits, an object its JSON."""

JSONS = ("properties", "traits", "context", "key", "fields")
"""Members read as JSON text."""

FIELD_NAMES = TEXTS + JSONS

CONTEXT: dict[str, Any] = {
    "page": {"url": "", "title": "", "referrer": ""},
    "campaign": {"source": "", "medium": "", "name": "", "term": "", "content": ""},
    "library": {"name": "", "version": ""},
    "traits": {"email": "", "phone": ""},
    "userAgent": "",
    "locale": "",
}
"""The part of `context` that becomes columns; leaves are text."""

CONTEXT_COLUMNS = {
    "page.url": "context_url",
    "page.title": "context_title",
    "page.referrer": "context_referrer",
    "campaign.source": "campaign_source",
    "campaign.medium": "campaign_medium",
    "campaign.name": "campaign_name",
    "campaign.term": "campaign_term",
    "campaign.content": "campaign_content",
    "library.name": "library_name",
    "library.version": "library_version",
    "traits.email": "context_email",
    "traits.phone": "context_phone",
    "userAgent": "user_agent",
    "locale": "locale",
}
"""Where each leaf of `CONTEXT` goes."""

CONTEXT_TAKEN = ("page", "campaign", "library", "userAgent", "locale", "traits", "ip")
"""Members that `context_rest` leaves out: they are columns, or, as an IP address, nobody's to keep."""


ISO_INSTANT = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    "([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
    "( ?UTC|Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?$"
)
"""How an instant is written, for every engine alike: each by itself reads other shapes besides."""

NUMBER = "^-?[0-9]{1,14}([.][0-9]+)?$"
"""How a number is written in a text, for every engine alike."""

DAY_US = 86_400_000_000

# Of whole numbers of ten-thousandths, so that both engines divide the same two doubles, and round them so.
_UNITS = "CAST(CAST(CAST({} AS DECIMAL(19, 4)) * 10000 AS BIGINT) AS DOUBLE)"
_QUOTIENT = f"floor({_UNITS.format('{0}')} / NULLIF({_UNITS.format('{1}')}, 0) * 10000 + 0.5)"
DIVIDED = (
    f"TRY_CAST(CAST(TRY_CAST({_QUOTIENT} AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.0001 AS DECIMAL(5, 4))"
    " AS DECIMAL(18, 4))"
)
"""Division of one DECIMAL(18, 4) by another, for every engine alike."""


def duckdb_schema() -> str:
    """Return the structure of a log body in the words of DuckDB's `from_json`."""
    message = dict.fromkeys(TEXTS, "VARCHAR") | dict.fromkeys(JSONS, "JSON")
    return json.dumps(
        {"batch": [message], "sentAt": "VARCHAR", "oversize": ["INTEGER"], "strange": ["INTEGER"]}
    )


def duckdb_context_schema() -> str:
    """Return the structure of `context` in the words of DuckDB's `from_json`."""
    return json.dumps(_typed(CONTEXT))


def _typed(shape: dict[str, Any]) -> dict[str, Any]:
    return {name: _typed(inner) if inner else "VARCHAR" for name, inner in shape.items()}


def spark_context_schema() -> str:
    """Return the structure of `context` as a Spark DDL string."""
    return _ddl(CONTEXT)


def _ddl(shape: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}: STRUCT<{_ddl(inner)}>" if inner else f"{name}: STRING" for name, inner in shape.items()
    )


def spark_schema() -> str:
    """Return the structure of a log body as a Spark DDL string."""
    fields = ", ".join(f"{name}: STRING" for name in FIELD_NAMES)
    return f"batch ARRAY<STRUCT<{fields}>>, sentAt STRING, oversize ARRAY<BIGINT>, strange ARRAY<BIGINT>"


def spark_shapes() -> str:
    """Return a Spark DDL string by which a member of `JSONS` reads as nothing unless it is an object."""
    fields = ", ".join(f"{name}: STRUCT<any: STRING>" for name in JSONS)
    return f"batch ARRAY<STRUCT<{fields}>>"
