"""Random expressions that are valid by construction, and random events for them to be about."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tekil.warehouse import Warehouse

NOON = datetime(2026, 3, 1, 12)

Draw = st.DrawFn

SPANS = ("1 second", "90 minutes", "'3' hour", "1 day", "7 days", "2 weeks", "30 day", "3650 days")
NUMBERS = ("0", "1", "-3", "12.5", "0.0001", "99999999999999", "7")
WORDS = ("'A'", "'Sipariş'", "'x''y'", "'{0}'", "'12.5'", "''")


def one(draw: Draw, *choices: str) -> str:
    return draw(st.sampled_from(choices))


def row_text(draw: Draw, depth: int) -> str:
    match draw(st.integers(0, 4)) if depth > 0 else 0:
        case 1:
            return f"lower({row_text(draw, depth - 1)})"
        case 2:
            return f"coalesce({row_text(draw, depth - 1)}, {one(draw, *WORDS)})"
        case 3:
            return f"nullif({row_text(draw, depth - 1)}, {one(draw, *WORDS)})"
        case 4:
            return f"case when {row_condition(draw, depth - 1)} then {row_text(draw, depth - 1)} end"
        case _:
            return one(
                draw, "event", "utm_source", "properties.sku", 'properties."Sipariş No"', "context.app"
            )


def row_number(draw: Draw, depth: int) -> str:
    match draw(st.integers(0, 5)) if depth > 0 else 0:
        case 1:
            other = draw(st.booleans()) and row_number(draw, depth - 1)
            return f"({row_number(draw, depth - 1)} {one(draw, *'+-*/')} {other or one(draw, *NUMBERS)})"
        case 2:
            return f"(-{row_number(draw, depth - 1)})"
        case 3:
            return f"number({row_text(draw, depth - 1)})"
        case 4:
            return f"days_between({row_instant(draw, depth - 1)}, {row_instant(draw, depth - 1)})"
        case 5:
            answer = row_number(draw, depth - 1)
            return f"case when {row_condition(draw, depth - 1)} then {answer} else {one(draw, *NUMBERS)} end"
        case _:
            return one(draw, "number(properties.price)", "number(properties.sku)", "1")


def row_instant(draw: Draw, depth: int) -> str:
    match draw(st.integers(0, 2)) if depth > 0 else 0:
        case 1:
            return f"({row_instant(draw, depth - 1)} {one(draw, '+', '-')} interval {one(draw, *SPANS)})"
        case 2:
            return f"coalesce({row_instant(draw, depth - 1)}, occurred_at)"
        case _:
            return one(draw, "occurred_at", "occurred_at", "instant(properties.due)")


def window(draw: Draw, instant: str) -> str:
    moment = one(draw, "now()", *(f"now() {sign} interval {one(draw, *SPANS)}" for sign in "--+"))
    match draw(st.integers(0, 4)):
        case 0:
            return f"{moment} {one(draw, '<', '<=', '>', '>=')} {instant}"
        case 1:
            return f"{instant} between now() - interval {one(draw, *SPANS)} and {moment}"
        case 2:
            return f"{instant} not between {moment} and now()"
        case _:
            return f"{instant} {one(draw, '<', '<=', '>', '>=')} {moment}"


def condition(draw: Draw, text: str, number: str, instant: str) -> str:
    comparison = one(draw, "=", "<>", "<", "<=", ">", ">=", "!=")
    match draw(st.integers(0, 7)):
        case 0:
            return f"{text} {comparison} {one(draw, *WORDS)}"
        case 1:
            return f"{number} {comparison} {one(draw, *NUMBERS)}"
        case 2:
            return f"{number} between {one(draw, *NUMBERS)} and 100"
        case 3:
            return f"{text} in ({one(draw, *WORDS)}, 'B', null)"
        case 4:
            return f"{one(draw, text, number, instant)} is not null"
        case 5:
            return f"{one(draw, 'contains', 'starts_with')}({text}, {one(draw, *WORDS)})"
        case _:
            return window(draw, instant)


def row_condition(draw: Draw, depth: int) -> str:
    match draw(st.integers(0, 3)) if depth > 0 else 0:
        case 1:
            parts = row_condition(draw, depth - 1), row_condition(draw, depth - 1)
            return f"({parts[0]} {one(draw, 'and', 'and', 'or')} {parts[1]})"
        case 2:
            return f"not ({row_condition(draw, depth - 1)})"
        case 3:
            return "is_true(properties.gift)"
        case _:
            below = depth - 1
            return condition(draw, row_text(draw, below), row_number(draw, below), row_instant(draw, below))


def asked(draw: Draw) -> str:
    return f" filter (where {row_condition(draw, 2)})" if draw(st.booleans()) else ""


def person_text(draw: Draw) -> str:
    return f"{one(draw, 'first', 'last', 'min', 'max')}({row_text(draw, 1)}){asked(draw)}"


def person_number(draw: Draw, depth: int) -> str:
    match draw(st.integers(0, 7)):
        case 0 if depth > 0:
            other = draw(st.booleans()) and person_number(draw, 0)
            return f"({person_number(draw, depth - 1)} {one(draw, *'+-*/')} {other or one(draw, *NUMBERS)})"
        case 1 if depth > 0:
            return f"coalesce({person_number(draw, depth - 1)}, 0)"
        case 2:
            return f"count(*){asked(draw)}"
        case 3:
            return f"count(distinct {one(draw, row_text(draw, 1), row_number(draw, 1))}){asked(draw)}"
        case 4:
            return f"distinct_days(){asked(draw)}"
        case 5:
            return f"days_since({person_instant(draw, 0)})"
        case _:
            aggregate = one(draw, "sum", "sum", "avg", "min", "max", "first", "last")
            return f"{aggregate}({row_number(draw, 2)}){asked(draw)}"


def person_instant(draw: Draw, depth: int) -> str:
    match draw(st.integers(0, 2)):
        case 0 if depth > 0:
            return f"({person_instant(draw, 0)} + interval {one(draw, *SPANS)})"
        case 1:
            return f"nth({draw(st.integers(1, 4))}, occurred_at){asked(draw)}"
        case _:
            return f"{one(draw, 'first', 'last', 'min', 'max')}({row_instant(draw, 1)}){asked(draw)}"


def person_condition(draw: Draw) -> str:
    return condition(draw, person_text(draw), person_number(draw, 0), person_instant(draw, 1))


@st.composite
def features(draw: Draw) -> str:
    """The SQL of a valid feature."""
    match draw(st.integers(0, 4)):
        case 0:
            return person_text(draw)
        case 1:
            return person_instant(draw, 1)
        case 2:
            return person_condition(draw)
        case _:
            return person_number(draw, 1)


prices = st.sampled_from(["12.5", "-3", "0", "0.00005", "99999999999999", "1e400", "x", "true"])
rest = st.fixed_dictionaries({"sku": st.sampled_from(["5", "A"]), "gift": st.sampled_from([True, 0, None])})
EDGES = [timedelta(), timedelta(microseconds=1), timedelta(days=1), timedelta(days=7), timedelta(hours=3)]


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some events of two people, their instants on and near the edges of windows."""
    found = []
    for number in range(draw(st.integers(1, 7))):
        ago = draw(st.sampled_from(EDGES)) + draw(st.sampled_from(EDGES)) * draw(st.integers(-1, 3))
        due = draw(
            st.sampled_from(["2026-03-02T12:00:00Z", "2026-02-01", "0001-01-01", "9999-12-31", "soon"])
        )
        found.append(
            {
                "person_key": draw(st.integers(1, 2)),
                "message_key": draw(st.permutations([number, number + 100]))[0],
                "event": draw(st.sampled_from(["A", "B", "Sipariş", None])),
                "utm_source": draw(st.sampled_from(["google", None])),
                "occurred_at": NOON - ago,
                "properties": json.dumps(
                    {"price": draw(prices), "Sipariş No": "ş1", "due": due, **draw(rest)}
                ),
                "context": '{"app": "Mağaza"}',
            }
        )
    return found


SCHEMA = pa.schema(
    [
        ("person_key", pa.int64()),
        ("message_key", pa.int64()),
        ("event", pa.string()),
        ("utm_source", pa.string()),
        ("utm_term", pa.string()),
        ("click_id_kind", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("properties", pa.string()),
        ("context", pa.string()),
    ]
)


def stage_events(warehouse: Warehouse, rows: list[dict[str, Any]]) -> None:
    """Make `person_events` of some events, as the engine shows it to models."""
    warehouse.stage("said", pa.Table.from_pylist(rows, SCHEMA))
    warehouse.derive(
        "person_events",
        "SELECT person_key, message_key, event, utm_source, utm_term, click_id_kind, occurred_at,"
        " as_variant(properties) AS properties, as_variant(context) AS context FROM said",
    )
