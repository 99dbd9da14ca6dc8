"""Expressions that want more than a person's own rows are refused: there are no words for it."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from tekil.definitions import Definition, InvalidDefinitions, Written, check, parse
from tekil.errors import BadRequest
from tekil.expressions import ExpressionFlaw, Type
from tekil.expressions import check as read
from tekil.kinds import KINDS
from tekil.models.audiences import person_scope
from tekil.models.conditions import Conditions, Field, Group, Row, sql_of
from tests.attacks.test_definitions import TRICKS

HOSTILE = [
    "count(*); drop table events",
    "count(*) -- the rest",
    "count(*) /* hidden */ > 0",
    "(select count(*) from events)",
    "exists (select 1)",
    "count(*) from events",
    "count(*) union select body from quarantine",
    "with recursive r as (select 1) select * from r",
    "read_csv('/etc/passwd')",
    "read_text('/etc/passwd') is not null",
    "count(*) filter (where event in (select event from events))",
    "glob('/*')",
    "getenv('HOME')",
    "pragma_table_info('events')",
    "duckdb_settings()",
    "current_setting('home_directory')",
    "copy(event)",
    "unnest(properties)",
    "range(1000000000)",
    "generate_series(1, 1000000000)",
    "repeat('x', 1000000000)",
    "list_transform(x, y -> y)",
    "count(*) over ()",
    "event::integer",
    "cast(event as integer)",
    "'a' || 'b'",
    "$1",
    "?",
    "events.event",
    "main.events",
    "identity.value",
    "max(person_key)",
    "max(message_key)",
    "max(rowid)",
    "regexp_matches(event, '(a+)+$')",
    "event like '%'",
    "nextval('s')",
    "now()",
    "random()",
    "setseed(1)",
    "1/0",
]


@pytest.mark.parametrize("sql", HOSTILE)
@pytest.mark.parametrize("kind", ["feature", "audience"])
def test_whatever_is_no_expression_over_a_person_is_refused(kind: str, sql: str) -> None:
    with pytest.raises(InvalidDefinitions):
        check(KINDS, [Written(Definition(kind, "x", {}, "", {"sql": sql}))], [])


@pytest.mark.parametrize(
    "sql",
    [
        "count(*) + " * 400 + "1",
        "(" * 3000 + "1" + ")" * 3000,
        "not " * 900 + "true",
        "case when true then " * 200 + "1" + " end" * 200,
        "count(*) = 1 or " * 900 + "true",
        "coalesce(" * 500 + "1" + ", 1)" * 500,
        "count(distinct " + "x" * 5000 + ")",
        "'" + "x" * 5000 + "'",
        "9" * 400,
        "lower(" * 24 + "max(event)" + ")" * 24,
    ],
    ids=lambda sql: f"{sql[:12]}… {len(sql)}",
)
def test_what_is_too_long_or_too_deep_is_refused_and_not_worked_on(sql: str) -> None:
    with pytest.raises(InvalidDefinitions):
        check(KINDS, [Written(Definition("feature", "x", {}, "", {"sql": sql}))], [])


def test_audiences_that_double_each_other_stay_of_a_size() -> None:
    """Thirty audiences that each hold the one before twice would be a billion conditions."""
    first = Definition("audience", "a0", {}, "", {"sql": "events > 1"})
    more = [
        Definition("audience", f"a{n}", {}, "", {"sql": f"a{n - 1} or not a{n - 1}"}) for n in range(1, 31)
    ]
    with pytest.raises(InvalidDefinitions, match="grows too long"):
        check(KINDS, [Written(one) for one in [first, *more]], [])


def test_a_document_that_grows_by_itself_is_refused() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    with pytest.raises(InvalidDefinitions, match="aliases"):
        parse(bomb)


@pytest.mark.parametrize("value", TRICKS)
def test_what_is_typed_beside_a_row_stays_a_text(value: str) -> None:
    fields = {"traits.city": Field("traits.city", "trait", Type.TEXT)}
    sql = sql_of(Conditions("and", (Group("and", (Row("traits.city", "is", value),)),)), fields)
    found = sqlglot.parse_one(f"SELECT {read(sql, person_scope({})).sql} FROM a", dialect="duckdb")
    assert [table.name for table in found.find_all(exp.Table)] == ["a"]
    assert value in [literal.this for literal in found.find_all(exp.Literal)]
    for operator in ("ge", "before"):
        with pytest.raises((BadRequest, ExpressionFlaw)):
            sql_of(Conditions("and", (Group("and", (Row("traits.city", operator, value),)),)), fields)
