"""SQL as the audit trail keeps it: what was asked, without the values that were asked for."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

LENGTH_MAX = 2_000


def without_values(statement: str, dialect: str = "duckdb") -> str:
    """Return a statement with `?` for each literal and no comments; empty where it cannot be read.

    A condition such as `email = 'ayse@example.com'` names a person, and no entry may.
    """
    try:
        parsed = sqlglot.parse_one(statement, dialect=dialect)
    except (SqlglotError, RecursionError):
        return ""
    bare = parsed.transform(lambda node: exp.Placeholder() if isinstance(node, exp.Literal) else node)
    return bare.sql(dialect=dialect, comments=False)[:LENGTH_MAX]
