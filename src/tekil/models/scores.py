"""Scores among the definitions: what their conditions mean, and the model of them all.

All scores in force are one model: one row a person, with how often each rule applies. From that, points at
any instant follow without looking at events again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import ceil, floor

import msgspec

from tekil.definitions import Definition, Flaw
from tekil.definitions.document import Place
from tekil.expressions import ExpressionFlaw, Scope, Seen, Stage, Type, Typed, check, thresholds
from tekil.models.features import RESERVED, event_scope
from tekil.models.model import Model
from tekil.scores import (
    GRADE,
    SCORE,
    ReadRule,
    ReadScore,
    ScoreSpec,
    columns_held,
    columns_of,
    grades_of,
    read_spec,
    scores_sql,
    value_sql,
)

SCORES = "scores"
"""What the model of all scores, and its table, is called."""


def specs_among(definitions: Sequence[Definition]) -> dict[str, ScoreSpec]:
    """Return the specs of the scores among some definitions, by name, as far as they can be read."""
    found = {}
    for definition in sorted(definitions, key=lambda one: one.name):
        if definition.kind == SCORE:
            try:
                found[definition.name] = read_spec(definition)
            except msgspec.ValidationError:
                continue
    return found


def names_of(name: str, spec: ScoreSpec) -> dict[str, str]:
    """Return all names that a score gives to what is known of people: its columns, and its grade."""
    return {**columns_of(name, spec), **({f"{name}_{GRADE}": GRADE} if spec.grades else {})}


def read_score(name: str, spec: ScoreSpec, scope: Scope) -> ReadScore | Flaw:
    """Return what a score means whose conditions may name what is in `scope`, or what is wrong with it."""
    events = event_scope()
    place: Place = ("spec",)
    try:
        place = ("spec", "audience")
        among = _condition(spec.audience, scope) if spec.audience else ""
        rules = []
        for group, of in spec.groups.items():
            for number, rule in enumerate(of.rules):
                place = ("spec", "groups", group, "rules", number, "if")
                condition = _condition(rule.condition, scope) if rule.condition else ""
                place = (*place[:-1], "each")
                each = _each(rule.each, events) if rule.each else ""
                rules.append(ReadRule(group, rule, condition, each))
    except ExpressionFlaw as flaw:
        return Flaw(place, str(flaw))
    return ReadScore(name, spec, among, tuple(rules))


def _condition(sql: str, scope: Scope) -> str:
    """Return a condition over a person, false where nothing is known. Raises `ExpressionFlaw`."""
    found = check(sql, scope)
    if found.type is not Type.BOOLEAN or found.stage is not Stage.PERSON:
        told = f"Here stands a condition over a person, but this is {found.type.value}."
        raise ExpressionFlaw(told, sql, 0)
    return f"coalesce({found.sql}, FALSE)"


def _each(sql: str, scope: Scope) -> str:
    """Return a condition over an event. Raises `ExpressionFlaw`."""
    found = check(sql, scope)
    if found.type is not Type.BOOLEAN or found.stage is Stage.PERSON:
        told = f"each is a condition over an event, but this is {found.type.value}."
        raise ExpressionFlaw(told, sql, 0)
    if "now()" in found.sql:
        told = (
            "Here points fade by half_life; what counts events of some days is a feature, to be named in if."
        )
        raise ExpressionFlaw(told, sql, 0)
    return found.sql


def seen(score: ReadScore) -> dict[str, Seen]:
    """Return what conditions may name of a score: whole points, of groups and of all, and the grade."""
    found = {
        column: Seen(value_sql(score, group), Type.INTEGER)
        for column, group in columns_of(score.name, score.spec).items()
    }
    if score.spec.grades:
        found[f"{score.name}_{GRADE}"] = Seen(f's."{score.name}_{GRADE}"', Type.TEXT)
    return found


def grade_answers(score: ReadScore) -> dict[str, Typed]:
    """Return a score's grade as an answer that is kept like a stage; none where it gives no grades."""
    name = f"{score.name}_{GRADE}"
    return {name: Typed(f's."{name}"', Type.TEXT, Stage.PERSON)} if score.spec.grades else {}


def grade_values(specs: Mapping[str, ScoreSpec]) -> dict[str, tuple[str, ...]]:
    """Return the grades that each score's grade can be, by the answer's name."""
    return {f"{name}_{GRADE}": grades_of(spec) for name, spec in specs.items() if spec.grades}


def points_asked(sqls: Collection[str], names: Collection[str]) -> dict[str, set[int]]:
    """Return by name the whole points at which some conditions may turn. Raises `ExpressionFlaw`."""
    found: dict[str, set[int]] = {}
    for sql in sqls:
        for name, constants in thresholds(sql, names).items():
            levels = found.setdefault(name, set())
            for constant in constants:
                levels |= {ceil(constant), floor(constant) + 1}
    return found


def scores_in(columns: Sequence[str]) -> list[str]:
    """Return which of the columns of the table of scores hold a score whole."""
    return [c for c in columns if "__" not in c and not c.endswith(f"_{GRADE}") and c not in RESERVED]


def model_of_scores(
    scores: Sequence[ReadScore], asked: Mapping[str, Collection[int]], joins: str, where: str
) -> Model:
    """Return the model of some scores; `asked` are the points whose passing conditions ask for."""
    if not scores:
        return Model(SCORES, "SELECT a.person_key FROM activity AS a WHERE FALSE", {})
    sql, wakes = scores_sql(scores, asked, joins, where)
    return replace(Model(SCORES, sql, columns_held(scores)), wakes_itself=wakes)
