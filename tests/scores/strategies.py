"""Random scores for Hypothesis, over the events of `tests.expressions.strategies`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PERSON_CONDITIONS = ("events_7d > 1", "last_seen > now() - interval 9 day", "traits.plan is not null")
HALF_LIVES = ("1 day", "7 day", "40 day")


def rule(
    draw: st.DrawFn, name: str, each: tuple[str, ...], conditions: tuple[str, ...] = PERSON_CONDITIONS
) -> dict[str, Any]:
    points = draw(st.sampled_from([1, 3, 7, 20, -2, -9]))
    made: dict[str, Any] = {"name": name, "points": points}
    kind = draw(st.sampled_from(["if", "each", "each", "each", "both"]))
    if kind != "each":
        made["if"] = draw(st.sampled_from(conditions))
    if kind != "if":
        made["each"] = draw(st.sampled_from(each))
        if draw(st.integers(0, 3)):
            made["half_life"] = draw(st.sampled_from(HALF_LIVES))
        if draw(st.booleans()):
            made["most"] = draw(st.sampled_from([2, 10, 25]))
    return made


@st.composite
def scores(
    draw: st.DrawFn,
    each: tuple[str, ...] = ("event = 'A'", "event = 'B'", "event is not null"),
    conditions: tuple[str, ...] = PERSON_CONDITIONS,
) -> dict[str, Any]:
    """The `spec` of a valid score of one or two groups, each with grades or without."""
    groups: dict[str, Any] = {}
    for name in ("fit", "deeds")[: draw(st.integers(1, 2))]:
        rules = [rule(draw, f"{name}_{n}", each, conditions) for n in range(draw(st.integers(1, 3)))]
        groups[name] = {"rules": rules}
        if draw(st.booleans()):
            groups[name] |= {"least": draw(st.sampled_from([-5, 0])), "most": draw(st.sampled_from([6, 30]))}
    spec: dict[str, Any] = {"groups": groups}
    if draw(st.booleans()):
        spec |= {"least": 0, "most": 40}
    axes = draw(st.sampled_from([[], ["total"], list(groups)]))
    grades = {"A": draw(st.integers(8, 20)), "B": draw(st.integers(1, 7)), "C": draw(st.integers(-9, 0))}
    return {**spec, "grades": dict.fromkeys(axes, grades)}
