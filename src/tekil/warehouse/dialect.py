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
``decimal_of(text)``      a text such as `-12.5` as a DECIMAL(18, 4); null where it is none, or does not fit
``divided(a, b)``         one DECIMAL(18, 4) by another, to four places; null for a divisor of 0
``day_in(t, 'zone')``     the day on which an instant falls in a time zone, as a DATE
``days_between(a, b)``    whole days of 24 hours from one instant to another, rounded down
``nth_of(t, n)``          aggregate: the nth of the instants, sorted; null where there are fewer
``messages_in(r)``        relation: one row a message of the log bodies in `r` (see `fields`)
``items_in(r)``            relation: the messages of the log bodies in `r` as JSON texts (`number`, `item`)
``elements_of(r, c)``     relation: one row an element (`element`, its JSON text) of the JSON array `r.c`
``members_of(r, c)``      relation: one row a member (`member_name`, `member_value` as JSON text) of `r.c`
========================  ====================================================================================

`now()` is the instant bound by the writer. Everything else is what sqlglot carries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp

from tekil.warehouse import macros_duckdb, macros_spark

EngineName = Literal["duckdb", "spark"]

NOW = "bound_now_instant"
"""Stands in rendered SQL where the bound instant goes."""

_WORDS = """
all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast
check collate collation column columns concurrently constraint create cross default deferrable desc
describe distinct do else end except false fetch for foreign freeze from full generated glob group having
ilike in initially inner intersect into is isnull join lambda lateral leading left like limit map natural
not notnull null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional
primary qualify references returning right select semi show similar some struct summarize symmetric table
tablesample then to trailing true try_cast tuple union unique unpack unpivot using variadic verbose when
where window with
"""

RESERVED_WORDS = frozenset(_WORDS.split())
"""Words that cannot be the name of a column unless it is quoted everywhere."""

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


_PLACE = re.compile(r"\{(\d)\}")


def _fill(template: str, arguments: Sequence[str]) -> str:
    """Put arguments where `{0}`, `{1}` … stand. Other braces are the engine's own and stay."""
    # In one go: an argument may hold braces of its own, inside a text.
    places = dict(zip("0123456789", arguments, strict=False))
    return _PLACE.sub(lambda found: places.get(found[1], found[0]), template)


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


@lru_cache(maxsize=1024)
def relations_read(sql: str) -> frozenset[str]:
    """Return the names of all relations that a SELECT reads, in DuckDB's words.

    >>> sorted(relations_read("WITH a AS (SELECT * FROM b) SELECT * FROM a JOIN c USING (d)"))
    ['b', 'c']
    """
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    return frozenset(table.name for table in tree.find_all(exp.Table)) - named


def columns_given(sql: str) -> list[str]:
    """Return the names of the columns that a SELECT gives, in order; a star stands for itself."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    assert isinstance(tree, exp.Query)
    return list(tree.named_selects)


AGGREGATE_MACROS = frozenset({"distinct_texts", "json_object_of", "nth_of"})


def wake_expression(sql: str) -> str | None:
    """Return what says when a SELECT's answers for one group can next change by time alone, as SQL.

    Answers change where `x < <= > >= now()`, `now() - interval …` or `now() + interval …` does, and where
    `days_between(x, now())` counts one more; `now()` may stand nowhere else. Between this instant of the next
    change, the earliest still to come, and now, no answer changes: a refresh then is neither early nor late.
    Nothing where there is no such place.
    """
    terms = set()
    for node in sqlglot.parse_one(sql, dialect="duckdb").walk():
        edge = _edge_of(node)
        if edge is None:
            continue
        if _is_over_rows(node):
            terms.add(f"min({edge}) FILTER (WHERE {' AND '.join([f'{edge} > now()', *_beside(node)])})")
        else:
            terms.add(f"CASE WHEN {edge} > now() THEN {edge} END")
    if not terms:
        return None
    return min(terms) if len(terms) == 1 else f"least({', '.join(sorted(terms))})"


def _edge_of(node: exp.Expr) -> str | None:
    """Return, as SQL, when a comparison with now turns, or a number of days until now grows."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "days_between":
        since, until = node.expressions
        if not _is_now(until):
            return None
        instant = since.sql(dialect="duckdb")
        return f"shifted({instant}, (days_between({instant}, now()) + 1) * 86400000000)"
    if not isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE):
        return None
    moment = node.right
    edge = node.left.sql(dialect="duckdb")
    if (
        isinstance(moment, exp.Sub | exp.Add)
        and isinstance(moment.right, exp.Interval)
        and _is_now(moment.left)
    ):
        sign = "+" if isinstance(moment, exp.Sub) else "-"
        edge = f"{edge} {sign} {moment.right.sql(dialect='duckdb')}"
    elif not _is_now(moment):
        return None
    # At the very edge > is false and <= is true already; >= and < turn one microsecond later.
    return edge if isinstance(node, exp.GT | exp.LTE) else f"shifted({edge}, 1)"


def _is_over_rows(node: exp.Expr) -> bool:
    """Return whether a node stands inside an aggregate, so that it is about each row of a group."""
    parent = node.parent
    while parent is not None and not isinstance(parent, exp.Query):
        is_macro = isinstance(parent, exp.Anonymous) and parent.name.lower() in AGGREGATE_MACROS
        if is_macro or isinstance(parent, exp.AggFunc | exp.Filter):
            return True
        parent = parent.parent
    return False


def _beside(node: exp.Expr) -> list[str]:
    """Return what else a FILTER asks of a row whatever the time: only such rows have an edge."""
    asked = []
    inner, parent = node, node.parent
    while isinstance(parent, exp.And | exp.Paren):
        if isinstance(parent, exp.And):
            other = parent.right if parent.left is inner else parent.left
            both = other.unnest()
            parts = list(both.flatten()) if isinstance(both, exp.And) else [both]
            asked += [part for part in parts if not any(map(_is_now, part.walk()))]
        inner, parent = parent, parent.parent
    if not isinstance(parent, exp.Where) or not isinstance(parent.parent, exp.Filter):
        return []
    return [f"({part.sql(dialect='duckdb')})" for part in asked]
