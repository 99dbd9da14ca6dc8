"""Audiences: conditions over what is known of a person. Who they hold for is in; nobody is sorted by hand.

All audiences and chains of stages in force are one model: one row a person, one column an audience, true for
those who are in, and one column a chain (the name of the person's stage) and score (that of their grade).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

import msgspec

from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import Place, flaw_of
from tekil.expressions import ExpressionFlaw, Scope, Seen, Stage, Type, Typed, check, names_in
from tekil.models.features import COLUMN_TYPES, FEATURE_KIND, FeatureSpec, name_flaw, read_feature
from tekil.models.model import Model
from tekil.models.scores import (
    SCORES,
    grade_answers,
    grade_values,
    model_of_scores,
    names_of,
    points_asked,
    read_score,
    seen,
    specs_among,
)
from tekil.models.stages import ChainSpec, ChainStage, chain_of, check_chain, since_value_sql
from tekil.privacy.rectification import OBJECTION
from tekil.scores import SCORE, ReadScore, check_score, columns_of
from tekil.warehouse import bind

AUDIENCES = "audiences"
"""What the model of all audiences, and its table, is called."""

AUDIENCE, STAGE = "audience", "stage"
"""The kinds of definitions that are answered here."""

AUDIENCES_MAX, CHAINS_MAX, SCORES_MAX = 500, 20, 20

ACTIVITY_COLUMNS = {
    "events": Type.INTEGER,
    "pages": Type.INTEGER,
    "events_7d": Type.INTEGER,
    "events_30d": Type.INTEGER,
    "first_seen": Type.INSTANT,
    "last_seen": Type.INSTANT,
    "locale": Type.TEXT,
}
"""What an audience may name of a person's activity; a feature of the same name hides it."""

TOUCH_COLUMNS = {
    f"{touch}_{name}": Seen(f"a.{touch}.{member}", Type.TEXT)
    for touch in ("first_touch", "last_touch")
    for name, member in (
        ("source", "source"),
        ("medium", "medium"),
        ("campaign", "campaign"),
        ("click_id_kind", "click_id_kind"),
        ("referrer", "referrer_host"),
    )
}
"""What an audience may name of the visits that brought a person: the first one, and the last."""

_SINCE = re.compile(r'\bm\."([A-Za-z0-9_.]+)"')
"""Where it is asked since when somebody is in something."""

_OF_SCORES = re.compile(r'\bs\."')
"""Where something of a score is asked for."""

MAY_BE_PROFILED = f"coalesce(json_member(t.traits, '{OBJECTION}'), '') <> 'true'"
"""Who objects to profiling is in no audience, not even in one of those who are not in another."""


class AudienceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An audience's `spec`: a condition over features, traits, activity, audiences and time in them.

    `description` says in words whom it is for.
    """

    sql: str
    description: str = ""


def person_scope(features: Mapping[str, Type]) -> Scope:
    """Return what an audience may name, but for other audiences: a person's row."""
    columns = {name: Seen(f"a.{name}", kind) for name, kind in ACTIVITY_COLUMNS.items()} | TOUCH_COLUMNS
    columns |= {name: Seen(f'f."{name}"', kind) for name, kind in features.items()}
    members = {"traits": "json_member(t.traits, {0})"}
    return Scope(columns, members, Stage.PERSON, person="a.person_key")


def audience_model(definitions: Sequence[Definition]) -> Model:
    """Return the model of all audiences, chains and grades among some definitions, by their names.

    One that cannot be read (any more), and those that name it, are left out; `tekil plan` says why.
    """
    return _model(read_people(definitions), definitions)


def person_models(definitions: Sequence[Definition]) -> list[Model]:
    """Return the models of scores and of audiences: of what is answered over what is known of a person."""
    reading = read_people(definitions)
    conditions = " ".join(
        [one.among for one in reading.scores]
        + [rule.condition for one in reading.scores for rule in one.rules]
    )
    joins = f"{_KNOWN}{_timed(conditions)}"
    return [
        model_of_scores(reading.scores, reading.asked, joins, MAY_BE_PROFILED),
        _model(reading, definitions),
    ]


def _model(reading: Reading, definitions: Sequence[Definition]) -> Model:
    answers = reading.answers
    kept = {**chains_among(definitions), **grade_values({one.name: one.spec for one in reading.scores})}
    values = {name: names for name, names in kept.items() if name in answers}
    selects = "".join(f',\n  {_permitted(answers[name])} AS "{name}"' for name in sorted(answers))
    nobody = "" if answers else "\nWHERE FALSE"
    sql = f"""SELECT a.person_key{selects}
FROM activity AS a{_KNOWN}{_scored(selects)}{_timed(selects)}{nobody}"""
    return Model(AUDIENCES, sql, {name: COLUMN_TYPES[answers[name].type] for name in sorted(answers)}, values)


_KNOWN = """
LEFT JOIN features AS f ON f.person_key = a.person_key
LEFT JOIN attributes AS t ON t.person_key = a.person_key"""


def _scored(selects: str) -> str:
    """Return the join that gives scores, where they are asked for."""
    if not _OF_SCORES.search(selects):
        return ""
    return f"\nLEFT JOIN {SCORES} AS s ON s.person_key = a.person_key"


def _permitted(answer: Typed) -> str:
    """Return an answer as it is of those who may be profiled; the others are in nothing."""
    if answer.type is Type.BOOLEAN:
        return f"({answer.sql} AND {MAY_BE_PROFILED})"
    return f"CASE WHEN {MAY_BE_PROFILED} THEN {answer.sql} END"


@dataclass(frozen=True, slots=True)
class MovesSql:
    """SELECTs over what is in force: the `people` whom a condition holds for, the `count` of who moves."""

    people: str
    count: str


def moves_sql(name: str, conditions: Mapping[str, Typed]) -> MovesSql:
    """Return what asks how an audience would be with other conditions than those in force."""
    made = _permitted(conditions[name])
    everybody = bind(
        f"""SELECT a.person_key, a.last_seen, {made} AS is_in, w.person_key IS NOT NULL AS was_in
FROM activity AS a{_KNOWN}{_scored(made)}{_timed(made)}
LEFT JOIN (SELECT person_key FROM members WHERE audience = '{name}') AS w ON w.person_key = a.person_key""",
        {"moments": "SELECT person_key, now() AS turned_at FROM activity"},
    )
    counted = {"people": "is_in", "entering": "is_in AND NOT was_in", "leaving": "was_in AND NOT is_in"}
    asked = ", ".join(f"count(*) FILTER (WHERE {what}) AS {column}" for column, what in counted.items())
    return MovesSql(
        f"SELECT person_key FROM ({everybody}) AS everybody WHERE is_in",
        f"SELECT {asked} FROM ({everybody}) AS everybody",
    )


def since_sql(name: str, condition: str) -> str:
    """Return since when somebody is in an audience: since it was noted, or, who enters now, from now on."""
    return f'CASE WHEN {condition} THEN coalesce(m."{name}", n.turned_at) END'


def _timed(selects: str) -> str:
    """Return the joins that say since when somebody is in those audiences and stages of which it is asked."""
    columns = ", ".join(
        f"max(since) FILTER (WHERE audience = '{name}') AS \"{name}\""
        for name in sorted(set(_SINCE.findall(selects)))
    )
    if not columns:
        return ""
    return f"""
LEFT JOIN (SELECT person_key, {columns} FROM members GROUP BY person_key) AS m ON m.person_key = a.person_key
LEFT JOIN moments AS n ON n.person_key = a.person_key"""


def read_audiences(definitions: Sequence[Definition]) -> tuple[dict[str, Typed], dict[str, Flaw]]:
    """Return what each audience, chain and grade among some definitions is, and what is wrong with them."""
    reading = read_people(definitions)
    return reading.answers, reading.flaws


@dataclass(frozen=True)
class Reading:
    """What some definitions ask of a person: answers and flaws by name, scores, and points that matter."""

    answers: dict[str, Typed]
    flaws: dict[str, Flaw]
    scores: tuple[ReadScore, ...] = ()
    asked: Mapping[str, Collection[int]] = field(default_factory=dict)


def read_people(definitions: Sequence[Definition]) -> Reading:
    """Return what all audiences, chains and scores among some definitions mean together.

    A score may name audiences and stages that name no score themselves; those may name any.
    """
    features, asked, flaws = _specs(definitions)
    scope = person_scope(features)
    found, wrong = _read(asked, scope)
    specs = {name: spec for name, spec in specs_among(definitions).items() if name not in flaws}
    if not specs:
        return Reading(found, {**flaws, **wrong})
    scores: list[ReadScore] = []
    for name, spec in specs.items():
        read = read_score(name, spec, _within(scope, found, asked))
        if isinstance(read, Flaw):
            flaws[name] = read
        else:
            scores.append(read)
    fading = {name for score in scores for name in columns_of(score.name, score.spec)}
    grades = {name: one for score in scores for name, one in grade_answers(score).items()}
    values = grade_values({score.name: score.spec for score in scores})
    points, unforeseen = _points(asked, fading)
    seen_of = {name: one for score in scores for name, one in seen(score).items()}
    since = {name: since_value_sql(name, one.sql, values[name]) for name, one in grades.items()}
    able = {name: one for name, one in asked.items() if name not in unforeseen}
    found, wrong = _read(able, replace(scope, columns={**scope.columns, **seen_of}, since=since))
    return Reading({**found, **grades}, {**flaws, **wrong, **unforeseen}, tuple(scores), points)


def _points(
    asked: Mapping[str, _Asked], fading: Collection[str]
) -> tuple[dict[str, set[int]], dict[str, Flaw]]:
    """Return the points that conditions compare scores with, and conditions whose turn cannot be foreseen."""
    points: dict[str, set[int]] = {}
    flaws: dict[str, Flaw] = {}
    for name, one in asked.items():
        for number, sql in enumerate(one.sqls):
            if not _names_in(sql) & set(fading):
                continue
            try:
                for column, levels in points_asked([sql], fading).items():
                    points.setdefault(column, set()).update(levels)
            except ExpressionFlaw as flaw:
                flaws[name] = Flaw(one.place(number), str(flaw))
    return points, flaws


def _read(asked: Mapping[str, _Asked], scope: Scope) -> tuple[dict[str, Typed], dict[str, Flaw]]:
    """Return what audiences and chains mean within a scope, and what is wrong with the others."""
    flaws: dict[str, Flaw] = {}
    named = {name: set().union(*map(_names_in, one.sqls)) & asked.keys() for name, one in asked.items()}
    try:
        order = list(TopologicalSorter(named).static_order())
    except CycleError as error:
        # Nobody on a circle can be in force; those beside it are told of on the next plan.
        circle = list(dict.fromkeys(error.args[1]))
        told = f"These name each other in a circle: {' → '.join([*circle, circle[0]])}."
        return {}, {name: Flaw(asked[name].place(0), told) for name in circle}
    found: dict[str, Typed] = {}
    for name in order:
        try:
            found[name] = asked[name].read(_within(scope, found, asked))
        except _Wrong as wrong:
            flaws[name] = wrong.flaw
    return found, flaws


def _within(scope: Scope, found: Mapping[str, Typed], asked: Mapping[str, _Asked]) -> Scope:
    """Return a scope in which answers that were found may be named, too, and asked since when they hold."""
    columns = {name: Seen(answer.sql, answer.type) for name, answer in found.items()}
    since = {name: asked[name].since(answer) for name, answer in found.items()}
    return replace(scope, columns={**scope.columns, **columns}, since={**scope.since, **since})


class _Wrong(Exception):
    """A flaw, on its way from where it was found."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.text)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a definition asks of a person: one condition, or one for each of some `stages`."""

    kind: str
    name: str
    sqls: tuple[str, ...]
    stages: tuple[ChainStage, ...] = ()

    @staticmethod
    def of(definition: Definition) -> _Asked:
        """Return what a definition asks. Raises `msgspec.ValidationError`."""
        if definition.kind == AUDIENCE:
            spec = msgspec.convert(definition.spec, AudienceSpec)
            return _Asked(definition.kind, definition.name, (spec.sql,))
        stages = tuple(msgspec.convert(definition.spec, ChainSpec).stages)
        return _Asked(definition.kind, definition.name, tuple(stage.sql for stage in stages), stages)

    def place(self, number: int) -> Place:
        """Return where in the document a condition stands."""
        return ("spec", "stages", number, "sql") if self.stages else ("spec", "sql")

    def since(self, answer: Typed) -> str:
        """Return since when the answer is what it is."""
        if self.stages:
            return since_value_sql(self.name, answer.sql, [stage.name for stage in self.stages])
        return since_sql(self.name, answer.sql)

    def read(self, scope: Scope) -> Typed:
        """Return the answer as SQL. Raises `_Wrong`."""
        conditions = []
        for number, sql in enumerate(self.sqls):
            try:
                conditions.append(_condition(sql, scope, is_constant=bool(self.stages)))
            except ExpressionFlaw as flaw:
                raise _Wrong(Flaw(self.place(number), str(flaw))) from flaw
        return chain_of(self.stages, conditions) if self.stages else conditions[0]


def _condition(sql: str, scope: Scope, *, is_constant: bool) -> Typed:
    """Return a condition over a person, false where nothing is known. Raises `ExpressionFlaw`."""
    found = check(sql, scope)
    stages = (Stage.PERSON, Stage.CONSTANT) if is_constant else (Stage.PERSON,)
    if found.type is not Type.BOOLEAN or found.stage not in stages:
        told = f"Here stands a condition over a person, but this is {found.type.value}."
        if not is_constant:
            told = f"An audience is a condition over a person, but this is {found.type.value}."
        raise ExpressionFlaw(told, sql, 0)
    return replace(found, sql=f"coalesce({found.sql}, FALSE)")


def chains_among(definitions: Sequence[Definition]) -> dict[str, tuple[str, ...]]:
    """Return the names of the stages of each chain, first to last."""
    found = {}
    for definition in definitions:
        if definition.kind == STAGE:
            try:
                found[definition.name] = tuple(stage.name for stage in _Asked.of(definition).stages)
            except msgspec.ValidationError:
                continue
    return found


def _specs(
    definitions: Sequence[Definition],
) -> tuple[dict[str, Type], dict[str, _Asked], dict[str, Flaw]]:
    """Return the types of the features, what audiences and chains ask, and their flaws, by name."""
    features: dict[str, Type] = {}
    asked: dict[str, _Asked] = {}
    flaws: dict[str, Flaw] = {}
    for definition in sorted(definitions, key=lambda one: (one.name, one.kind)):
        name = definition.name
        try:
            if definition.kind == FEATURE_KIND.name:
                features[name] = read_feature(msgspec.convert(definition.spec, FeatureSpec).sql).type
            elif name in asked:
                told = f"{name!r} is the name of an audience, and of a chain of stages."
                flaws[name] = Flaw(("name",), told)
            elif definition.kind in (AUDIENCE, STAGE):
                asked[name] = _Asked.of(definition)
        except (ExpressionFlaw, msgspec.ValidationError):
            continue
    taken = {*features, *ACTIVITY_COLUMNS, *TOUCH_COLUMNS}
    for name, spec in specs_among(definitions).items():
        both = sorted(names_of(name, spec).keys() & (taken | asked.keys()))
        if both:
            flaws[name] = Flaw(
                ("name",), f"{both[0]!r} is the name of something else that is known of people."
            )
        taken |= names_of(name, spec).keys()
    for name in asked.keys() & taken:
        flaws[name] = Flaw(("name",), f"{name!r} is the name of something else that is known of people.")
    return features, {name: one for name, one in asked.items() if name not in flaws}, flaws


def _names_in(sql: str) -> set[str]:
    try:
        return names_in(sql)
    except ExpressionFlaw:
        return set()


def _check_audience(definition: Definition) -> list[Flaw]:
    flaws = [flaw] if (flaw := name_flaw(definition.name)) else []
    try:
        names_in(msgspec.convert(definition.spec, AudienceSpec).sql)
    except msgspec.ValidationError as error:
        return [*flaws, flaw_of(error, ("spec",))]
    except ExpressionFlaw as flaw:
        return [*flaws, Flaw(("spec", "sql"), str(flaw))]
    return flaws


def _together(kind: str, most: int) -> Callable[[Sequence[Definition]], list[tuple[str, Flaw]]]:
    def check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
        _, flaws = read_audiences(definitions)
        mine = [definition.name for definition in definitions if definition.kind == kind]
        if len(mine) > most:
            flaws[max(mine)] = Flaw(("kind",), f"There are at most {most} of this kind.")
        return sorted((name, flaw) for name, flaw in flaws.items() if name in mine)

    return check_together


AUDIENCE_KIND = Kind(
    AUDIENCE, _check_audience, _together(AUDIENCE, AUDIENCES_MAX), reads=(FEATURE_KIND.name, STAGE, SCORE)
)
STAGE_KIND = Kind(
    STAGE, check_chain, _together(STAGE, CHAINS_MAX), reads=(FEATURE_KIND.name, AUDIENCE, SCORE)
)
SCORE_KIND = Kind(
    SCORE, check_score, _together(SCORE, SCORES_MAX), reads=(FEATURE_KIND.name, AUDIENCE, STAGE)
)
