"""One SQL for all engines: DuckDB's dialect, plus the macros below for what engines disagree on.

========================  ====================================================================================
macro                     meaning
========================  ====================================================================================
``instant(text)``         the instant an ISO 8601 text names, in UTC (no offset means UTC), or null
``as_variant(json)``      a JSON text as a VARIANT; null where it is no JSON
``variant_json(v)``       a VARIANT as JSON text
``variant_text(v, 'a')``  member `a` of a VARIANT object as text
``json_member(j, 'a')``   member `a` of a JSON object text, as text without quotes; null if absent
``lowered(text)``         in small letters, each letter by itself: no rule for a word's last letter
``key64(text)``           64 bits of a stable hash, as a BIGINT
``decoded(text)``         percent-decoding; what is not valid stays as it is
``is_json_container(t)``  whether a text is a whole JSON object or array
``json_quoted(text)``     a text as a JSON string
``person_id_of(key)``     a person's key as its id: `p` and 16 hexadecimal digits
``row_label()``           a number that no other row of the same SELECT has
``distinct_texts(x)``     aggregate: the sorted list of distinct texts
``json_object_of(k, v)``  aggregate: a JSON object of names and JSON texts, sorted by name
``epoch_us(t)``           microseconds since the epoch
``iso_text(t)``           an instant as ISO 8601 in UTC, with milliseconds and `Z`
``shifted(t, us)``        an instant moved by microseconds
``messages_in(r)``        relation: one row a message of the log bodies in `r` (see `fields`)
``items_in(r)``            relation: the messages of the log bodies in `r` as JSON texts (`number`, `item`)
``elements_of(r, c)``     relation: one row an element (`element`, its JSON text) of the JSON array `r.c`
``members_of(r, c)``      relation: one row a member (`member_name`, `member_value` as JSON text) of `r.c`
========================  ====================================================================================

`now()` is the instant bound by the writer. Everything else is what sqlglot carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp

from tekil.warehouse import macros_duckdb, macros_spark

EngineName = Literal["duckdb", "spark"]

NOW = "bound_now_instant"
"""Stands in rendered SQL where the bound instant goes."""

_MACROS = {"duckdb": macros_duckdb, "spark": macros_spark}


def render(sql: str, engine: EngineName, now: str | None) -> str:
    """Return `sql` in an engine's own words, where `now` (SQL of an instant in UTC) stands for `now()`."""
    text = _render(sql, engine)
    if NOW not in text:
        return text
    if now is None:
        raise ValueError("this SQL uses now(), and no instant is bound")
    return text.replace(NOW, now)


@lru_cache(maxsize=1024)
def _render(sql: str, engine: EngineName) -> str:
    tree = sqlglot.parse_one(sql, dialect="duckdb").transform(_bind_now)
    macros = _MACROS[engine]
    tree = tree.transform(lambda node: _expand(node, engine, macros.SCALARS, macros.RELATIONS))
    if engine == "spark":
        tree = tree.transform(_zoned).transform(_ordered)
    return tree.sql(dialect=engine)


def _zoned(node: exp.Expression) -> exp.Expression:
    """Make TIMESTAMP what it is in Spark: an instant in the session's time zone, which is UTC."""
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.TIMESTAMP:
        return exp.DataType.build("TIMESTAMPTZ")
    return node


def _ordered(node: exp.Expression) -> exp.Expression:
    """Give the aggregates that a grouped SELECT is ordered by a name: not every server finds them."""
    order = node.args.get("order") if isinstance(node, exp.Select) else None
    if order is None or not node.args.get("group") or not order.find(exp.AggFunc):
        return node
    assert isinstance(node, exp.Select)
    grouped = node.copy()
    grouped.set("order", None)
    grouped.set("limit", None)
    outer = exp.select(*(exp.column(name, quoted=True) for name in node.named_selects))
    for position, term in enumerate(order.expressions):
        name = f"order_{position}"
        grouped = grouped.select(exp.alias_(term.this.copy(), name))
        outer = outer.order_by(exp.Ordered(**{**term.args, "this": exp.column(name)}))
    outer = outer.from_(grouped.subquery(alias="grouped"))
    outer.set("limit", node.args.get("limit"))
    return outer


def _bind_now(node: exp.Expression) -> exp.Expression:
    return exp.column(NOW) if _is_now(node) else node


def _is_now(node: object) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == "now"


def _fill(template: str, arguments: Sequence[str]) -> str:
    """Put arguments where `{0}`, `{1}` … stand. Other braces are the engine's own and stay."""
    for position, argument in enumerate(arguments):
        template = template.replace(f"{{{position}}}", argument)
    return template


def _expand(
    node: exp.Expression, engine: EngineName, scalars: Mapping[str, str], relations: Mapping[str, str]
) -> exp.Expression:
    """Replace a macro's call by its meaning; the arguments are expanded in their turn."""
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous):
        template = relations.get(node.this.name.lower())
        if template is not None:
            arguments = [argument.name for argument in node.this.expressions]
            subquery = sqlglot.parse_one(_fill(template, arguments), dialect=engine)
            assert isinstance(subquery, exp.Query)
            return subquery.subquery(alias=node.alias or "expanded")
    if isinstance(node, exp.Anonymous):
        template = scalars.get(node.name.lower())
        if template is not None:
            texts = [
                argument.transform(lambda inner: _expand(inner, engine, scalars, relations)).sql(
                    dialect=engine
                )
                for argument in node.expressions
            ]
            return exp.paren(sqlglot.parse_one(_fill(template, texts), dialect=engine))
    return node


@lru_cache(maxsize=1024)
def _bind(sql: str, names: tuple[tuple[str, str], ...]) -> str:
    sources = dict(names)
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    hidden = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        source = sources.get(table.name)
        if source is None or table.name in hidden:
            continue
        alias = table.alias or table.name
        if source.isidentifier():
            table.replace(exp.alias_(exp.to_table(source), alias, table=True))
        else:
            subquery = sqlglot.parse_one(source, dialect="duckdb")
            assert isinstance(subquery, exp.Query)
            table.replace(subquery.subquery(alias=alias))
    return tree.sql(dialect="duckdb")


def bind(sql: str, names: Mapping[str, str]) -> str:
    """Return a SELECT that reads other relations than it names: this is what a binding is.

    `names` maps a relation's name to another relation's, or to a SELECT that takes its place.
    """
    return _bind(sql, tuple(sorted(names.items())))


@lru_cache(maxsize=1024)
def columns_used(sql: str) -> frozenset[str]:
    """Return the names of all columns that a SELECT mentions anywhere."""
    return frozenset(column.name for column in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Column))


def columns_given(sql: str) -> list[str]:
    """Return the names of the columns that a SELECT gives, in order; a star stands for itself."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(tree, exp.Query)
    return list(tree.named_selects)


def wake_expression(sql: str) -> str | None:
    """Return the aggregate that says when a SELECT's answers for one group can next change by time alone.

    Every comparison `<column> > now() - interval <constant>` in `sql` closes at `column + interval`. The
    answer is the earliest such instant still to come, as SQL over the same rows; nothing where there is no
    window. At that instant the comparison turns false, so a refresh then is neither early nor late.
    """
    edges = []
    for comparison in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.GT):
        column, bound = comparison.left, comparison.right
        if not (isinstance(bound, exp.Sub) and _is_now(bound.left)):
            continue
        if isinstance(column, exp.Column) and isinstance(bound.right, exp.Interval):
            edges.append((column.sql(dialect="duckdb"), bound.right.sql(dialect="duckdb")))
    terms = [
        f"min({column} + {interval}) FILTER (WHERE {column} > now() - {interval})"
        for column, interval in sorted(set(edges))
    ]
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else f"least({', '.join(terms)})"
