"""Rows become SQL that one can read, and SQL that says no more than rows becomes rows again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.errors import BadRequest
from tekil.expressions import Seen, Type, check
from tekil.models.audiences import person_scope, since_sql
from tekil.models.conditions import (
    OPERATORS,
    Conditions,
    Field,
    Group,
    Row,
    changed,
    conditions_of,
    fits,
    sql_of,
    trait,
)

FIELDS = {
    field.name: field
    for field in (
        Field("orders_30d", "feature", Type.INTEGER),
        Field("turnover", "feature", Type.DECIMAL),
        Field("channel", "feature", Type.TEXT),
        Field("is_back", "feature", Type.BOOLEAN),
        Field("last_order", "feature", Type.INSTANT),
        Field("last_seen", "activity", Type.INSTANT),
        Field("locale", "activity", Type.TEXT),
        Field("buyers", "audience", Type.BOOLEAN),
        trait("city"),
        trait("Sipariş No"),
    )
    if field
}
TYPES = {name: field.type for name, field in FIELDS.items() if field.of == "feature"}


def one(field: str, operator: str, value: str = "") -> str:
    return sql_of(Conditions("and", (Group("and", (Row(field, operator, value),)),)), FIELDS)


@pytest.mark.parametrize(
    ("row", "sql"),
    [
        (("orders_30d", "ge", "3"), "orders_30d >= 3"),
        (("turnover", "lt", "12,5"), "turnover < 12.5"),
        (("channel", "is", "İzmir'de"), "channel = 'İzmir''de'"),
        (("traits.city", "contains", "İz"), "contains(traits.city, 'İz')"),
        (('traits."Sipariş No"', "ge", "7"), 'number(traits."Sipariş No") >= 7'),
        (("is_back", "no"), "not is_back"),
        (("last_seen", "within", "14"), "last_seen > now() - interval 14 day"),
        (("last_order", "before", "90"), "last_order <= now() - interval 90 day"),
        (("buyers", "in_for", "14"), "since(buyers) <= now() - interval 14 day"),
        (("locale", "missing"), "locale is null"),
    ],
)
def test_a_row_is_written_as_somebody_would_write_it(row: tuple[str, ...], sql: str) -> None:
    assert one(*row) == sql


def test_groups_stand_in_brackets_a_group_a_line() -> None:
    both = Group("or", (Row("orders_30d", "ge", "3"), Row("buyers", "yes")))
    sql = sql_of(Conditions("and", (both, Group("and", (Row("traits.city", "is", "Van"), Row())))), FIELDS)
    assert sql == "(orders_30d >= 3 or buyers)\nand traits.city = 'Van'"
    assert sql_of(Conditions(), FIELDS) == ""


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("nothing", "ge", "3"), "There is no 'nothing'"),
        (("orders_30d", "contains", "x"), "cannot be compared like that"),
        (("buyers", "ge", "3"), "cannot be compared like that"),
        (("orders_30d", "in_for", "3"), "cannot be compared like that"),
        (("orders_30d", "nonsense", "3"), "cannot be compared like that"),
        (("orders_30d", "ge", "3 or true"), "with a number such as 12"),
        (("last_seen", "within", "0"), "whole number of days"),
        (("last_seen", "within", "9999"), "whole number of days"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(row: tuple[str, ...], told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        one(*row)


@pytest.mark.parametrize(
    "sql",
    [
        "days_since(last_seen) > 3",
        "orders_30d > turnover",
        "not (buyers and is_back)",
        "(buyers and (is_back or orders_30d > 1)) or buyers",
        "somebody_elses > 3",
        "orders_30d >",
        "last_seen > now() - interval 3 hour",
        "orders_30d is",
    ],
)
def test_what_says_more_than_rows_stays_sql(sql: str) -> None:
    assert conditions_of(sql, FIELDS) is None


def rows() -> st.SearchStrategy[Row]:
    values = {
        "text": st.text(max_size=12).filter(str.isprintable),
        "number": st.decimals(-999, 999, places=2).map(lambda n: f"{n:f}"),
        "days": st.integers(1, 3660).map(str),
        "": st.just(""),
    }
    pairs = [(f, name) for f in FIELDS.values() for name, o in OPERATORS.items() if fits(o, f)]
    return st.sampled_from(pairs).flatmap(
        lambda pair: values[OPERATORS[pair[1]].value].map(lambda value: Row(pair[0].name, pair[1], value))
    )


joins = st.sampled_from(["and", "or"])
groups = st.builds(Group, joins, st.lists(rows(), min_size=1, max_size=4).map(tuple))


@given(st.builds(Conditions, joins, st.lists(groups, min_size=1, max_size=4).map(tuple)))
def test_whatever_rows_say_is_understood_and_read_back_as_the_same(conditions: Conditions) -> None:
    sql = sql_of(conditions, FIELDS)
    scope = person_scope(TYPES)
    audience = {"buyers": Seen("TRUE", Type.BOOLEAN)}
    known = {"buyers": since_sql("buyers", "TRUE")}
    told = check(sql, type(scope)({**scope.columns, **audience}, scope.members, scope.stage, since=known))
    assert told.type is Type.BOOLEAN
    again = conditions_of(sql, FIELDS)
    assert again is not None
    assert sql_of(again, FIELDS) == sql


def test_rows_come_and_go_and_no_group_is_left_empty() -> None:
    start = Conditions("or", (Group("or", (Row("buyers", "yes"),)),))
    more = changed(start, lambda rows: rows[0].append(Row()))
    assert [len(group.rows) for group in more.groups] == [2]
    assert more.groups[0].joined == "or"
    assert len(changed(start, lambda rows: rows.append([Row()])).groups) == 2
    assert changed(start, lambda rows: rows[0].clear()) == Conditions("or", (Group(),))
