"""What identity keeps."""

from __future__ import annotations

from tekil.warehouse import BY_IDENTIFIER, Column, Table

EVIDENCE = Table(
    "evidence",
    (
        # Two identifiers that messages of a source named together; left_key < right_key.
        Column("left_key", "bigint"),
        Column("right_key", "bigint"),
        Column("source", "text"),
        Column("first_seen", "timestamp"),
        Column("last_seen", "timestamp"),
        Column("messages", "bigint"),
    ),
    key="left_key",
    erasure=BY_IDENTIFIER,
)

IDENTITY = Table(
    "identity",
    (
        # identifier_key is key64 of `kind:value`; person_key is that of the person's oldest identifier.
        Column("identifier_key", "bigint"),
        Column("kind", "text"),
        Column("value", "text"),
        Column("first_seen", "timestamp"),
        Column("last_seen", "timestamp"),
        Column("person_key", "bigint"),
    ),
    key="identifier_key",
    erasure=BY_IDENTIFIER,
)

TABLES = (EVIDENCE, IDENTITY)
"""All tables of identity."""
