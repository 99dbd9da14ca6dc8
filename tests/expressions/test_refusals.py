"""Hostile and mistaken expressions: refused by construction, with the place, the reason and what to write."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from tekil.expressions import ExpressionFlaw
from tekil.models.features import read_feature


def refused(sql: str) -> str:
    with pytest.raises(ExpressionFlaw) as caught:
        read_feature(sql)
    return str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "count(*); DROP TABLE events",
        "count(*) FROM events",
        "(SELECT count(*) FROM events)",
        "count((select 1))",
        "exists (select 1)",
        "read_csv('/etc/passwd')",
        "count(read_text('/etc/passwd'))",
        "getenv('HOME')",
        "first(getenv('HOME'))",
        "pragma_version()",
        "current_setting('x')",
        "getvariable('tekil_now')",
        "query('select 1')",
        "count(*) over (order by occurred_at)",
        "row_number() over ()",
        "unnest([1, 2])",
        "first(x -> x + 1)",
        "count(*) -- where",
        "count(*) /* hidden */",
        "count(*) # hidden",
        "count($1)",
        "count(?)",
        "count(:name)",
        "first(properties['total'])",
        "first(properties.total::varchar)",
        "cast(count(*) as varchar)",
        "try_cast(count(*) as varchar)",
        "first({'a': 1})",
        "count(columns('.*'))",
        "sum(*)",
        "first(*)",
        "count(events.*)",
        "first(event || 'x')",
        "first(event like '%')",
        'first(properties."a\'b")',
        'first(properties."a""b")',
        'first(properties."a.b")',
        "first(properties.\"a'] || getenv('HOME')\")",
        'first("event")',
        "first(event.x)",
        "first(main.event)",
        "count(*) filter (where event = 'a\x00b')",
        "count(*) filter (where event = 'a\u202eb')",
        "c\u043eunt(*)",  # the second letter is Cyrillic
        "count(*)\u00a0",
        "count(*) filter (where event = 'open",
        "1 as x",
        "@x",
        "count(*) union select 1",
        "with x as (select 1) count(*)",
        "array_agg(event)",
        "repeat('x', 1000000000)",
        "random()",
        "now()",
        "current_timestamp",
    ],
)
def test_what_is_not_in_the_language_cannot_be_said(sql: str) -> None:
    refused(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "count(*)" + " " * 5000,
        "(" * 3000 + "1" + ")" * 3,
        "(" * 200 + "count(*)" + ")" * 200,
        "not " * 900 + "true",
        "-" * 1 + "- " * 1500 + "1",
        "case when " * 300 + "true",
        "count(*)" + " + 1" * 400,
        "count(*) filter (where event in (" + ",".join(["'x'"] * 600) + "))",
        "coalesce(" * 300,
        "1" * 3000,
        "99999999999999999999",
        "max(occurred_at) > now() - interval 999999999 day",
        "max(occurred_at) > now() - interval 4000 day",
        "nth(100000, occurred_at)",
        "sum(number(" + "case when is_true(properties.x) then " * 30 + "'1'" + " end" * 30 + "))",
    ],
)
def test_what_is_too_long_too_deep_or_too_great_is_refused_at_once(sql: str) -> None:
    refused(sql)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("", "line 1, column 1: There is no expression here."),
        ("cuont(*)", "line 1, column 1: There is no function cuont(). Did you mean count?"),
        (
            "count(*)\n  filter (where evnt = 'A')",
            "line 2, column 17: There is no 'evnt' here. Did you mean event?",
        ),
        (
            "sum(properties.total)",
            "column 5: sum wants number; write number(properties.total), but this is text.",
        ),
        ("count(*) filter (where properties.n > 5)", "Write number(properties.n)."),
        ("count(*) filter (where occurred_at > '2026-01-01')", "Write instant('2026-01-01')."),
        ("count(*) filter (where properties.gift)", "write is_true(properties.gift)"),
        ("max(occurred_at) = now()", "column 20: now() stands only where it can be foreseen"),
        ("max(occurred_at) > now() - interval 1 month", "A month has no fixed length; write days."),
        ("last(event) = event", "put the first into an aggregate"),
        ("event", "A feature is about all of a person's events"),
        ("sum(count(*))", "count stands inside another aggregate"),
        ("days_since(occurred_at)", "days_since(max(occurred_at))"),
        ("max(occurred_at) - min(occurred_at)", "days_between"),
        ("count(*) + max(occurred_at)", "+ wants number or whole number, but this is instant."),
        ("count(*) and true", "and wants yes or no, but this is whole number."),
        ("count(*, *)", "Here ')' should follow, but there is ','."),
        ("count(*) filter where true", "Here '(' should follow, but there is 'where'."),
        ("first(properties.a.b)", "Write properties. and one name"),
        ("nth(occurred_at, 2)", "nth wants whole number"),
        ("lower(distinct event)", "lower takes no *, DISTINCT or FILTER"),
        ("coalesce(1)", "coalesce takes 2 arguments, not 1."),
        ("case count(*) when 1 then 2 end", "After 'case' comes 'when'"),
        ("first(null)", "first wants"),
    ],
)
def test_a_mistake_is_told_in_its_place_with_what_to_write(sql: str, told: str) -> None:
    assert told in refused(sql)


PIECES = """
count ( ) * event properties . now() - interval 5 day 'x' and or not < = , filter where case when then end
select ; " ' is null in between max occurred_at sum number \\ {0} ş distinct coalesce
"""
pieces = st.sampled_from(PIECES.split())


@given(st.lists(pieces, max_size=30).map(" ".join) | st.text(max_size=60))
def test_any_text_is_refused_in_words_or_gives_one_expression_of_known_parts(sql: str) -> None:
    try:
        found = read_feature(sql)
    except ExpressionFlaw:
        return
    tree = sqlglot.parse_one(f"SELECT {found.sql} FROM person_events", dialect="duckdb")
    assert isinstance(tree, exp.Select)
    assert len(tree.selects) == 1
    assert [table.name for table in tree.find_all(exp.Table)] == ["person_events"]
