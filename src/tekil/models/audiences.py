"""Audiences: conditions over what is known of a person. Who they hold for is in; nobody is sorted by hand.

All audiences in force are one model: one row a person, one column an audience, true for those who are in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

import msgspec

from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import flaw_of
from tekil.expressions import ExpressionFlaw, Scope, Seen, Stage, Type, Typed, check, names_in
from tekil.models.features import FEATURE_KIND, FeatureSpec, name_flaw, read_feature
from tekil.models.model import Model
from tekil.privacy.rectification import OBJECTION
from tekil.warehouse import bind

AUDIENCES = "audiences"
"""What the model of all audiences, and its table, is called."""

AUDIENCES_MAX = 500

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
    columns = {name: Seen(f"a.{name}", kind) for name, kind in ACTIVITY_COLUMNS.items()}
    columns |= {name: Seen(f'f."{name}"', kind) for name, kind in features.items()}
    members = {"traits": "json_member(t.traits, {0})"}
    return Scope(columns, members, Stage.PERSON, person="a.person_key")


def audience_model(definitions: Sequence[Definition]) -> Model:
    """Return the model of all audiences among some definitions, in the order of their names.

    One that cannot be read (any more), and those that name it, are left out; `tekil plan` says why.
    """
    conditions, _ = read_audiences(definitions)
    selects = "".join(
        f',\n  ({conditions[name].sql} AND {MAY_BE_PROFILED}) AS "{name}"' for name in sorted(conditions)
    )
    nobody = "" if conditions else "\nWHERE FALSE"
    sql = f"""SELECT a.person_key{selects}
FROM activity AS a
LEFT JOIN features AS f ON f.person_key = a.person_key
LEFT JOIN attributes AS t ON t.person_key = a.person_key{_timed(selects, sorted(conditions))}{nobody}"""
    return Model(AUDIENCES, sql, dict.fromkeys(sorted(conditions), "boolean"))


@dataclass(frozen=True, slots=True)
class MovesSql:
    """SELECTs over what is in force: the `people` whom a condition holds for, the `count` of who moves."""

    people: str
    count: str


def moves_sql(name: str, conditions: Mapping[str, Typed]) -> MovesSql:
    """Return what asks how an audience would be with other conditions than those in force."""
    made = f"({conditions[name].sql} AND {MAY_BE_PROFILED})"
    everybody = bind(
        f"""SELECT a.person_key, a.last_seen, {made} AS is_in, w.person_key IS NOT NULL AS was_in
FROM activity AS a
LEFT JOIN features AS f ON f.person_key = a.person_key
LEFT JOIN attributes AS t ON t.person_key = a.person_key{_timed(made, sorted(conditions))}
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


def _timed(selects: str, names: Sequence[str]) -> str:
    """Return the joins that say since when somebody is in those audiences of which it is asked."""
    columns = ", ".join(
        f"max(since) FILTER (WHERE audience = '{name}') AS \"{name}\""
        for name in names
        if f'm."{name}"' in selects
    )
    if not columns:
        return ""
    return f"""
LEFT JOIN (SELECT person_key, {columns} FROM members GROUP BY person_key) AS m ON m.person_key = a.person_key
LEFT JOIN moments AS n ON n.person_key = a.person_key"""


def read_audiences(definitions: Sequence[Definition]) -> tuple[dict[str, Typed], dict[str, Flaw]]:
    """Return what each audience among some definitions asks, and what is wrong with the others, by name."""
    features, sqls, flaws = _specs(definitions)
    named = {name: _audiences_in(sql, sqls) for name, sql in sqls.items()}
    try:
        order = list(TopologicalSorter(named).static_order())
    except CycleError as error:
        # Nobody on a circle can be in force; those beside it are told of on the next plan.
        circle = list(dict.fromkeys(error.args[1]))
        told = f"These name each other in a circle: {' → '.join([*circle, circle[0]])}."
        return {}, {**flaws, **{name: Flaw(("spec", "sql"), told) for name in circle}}
    scope = person_scope(features)
    found: dict[str, Typed] = {}
    for name in order:
        columns = {**scope.columns, **{n: Seen(t.sql, t.type) for n, t in found.items()}}
        since = {n: since_sql(n, t.sql) for n, t in found.items()}
        try:
            condition = check(sqls[name], replace(scope, columns=columns, since=since))
            if condition.type is not Type.BOOLEAN or condition.stage is not Stage.PERSON:
                told = f"An audience is a condition over a person, but this is {condition.type.value}."
                raise ExpressionFlaw(told, sqls[name], 0)
        except ExpressionFlaw as flaw:
            flaws[name] = Flaw(("spec", "sql"), str(flaw))
            continue
        found[name] = replace(condition, sql=f"coalesce({condition.sql}, FALSE)")
    return found, flaws


def _specs(
    definitions: Sequence[Definition],
) -> tuple[dict[str, Type], dict[str, str], dict[str, Flaw]]:
    """Return the types of the features, the SQL of the audiences, and the flaws of audiences, by name."""
    features: dict[str, Type] = {}
    sqls: dict[str, str] = {}
    flaws: dict[str, Flaw] = {}
    for definition in definitions:
        try:
            if definition.kind == FEATURE_KIND.name:
                features[definition.name] = read_feature(
                    msgspec.convert(definition.spec, FeatureSpec).sql
                ).type
            elif definition.kind == AUDIENCE_KIND.name:
                sqls[definition.name] = msgspec.convert(definition.spec, AudienceSpec).sql
        except (ExpressionFlaw, msgspec.ValidationError):
            continue
    for name in sqls.keys() & {*features, *ACTIVITY_COLUMNS}:
        flaws[name] = Flaw(("name",), f"{name!r} is the name of something else that is known of people.")
        del sqls[name]
    return features, sqls, flaws


def _audiences_in(sql: str, sqls: Mapping[str, str]) -> set[str]:
    try:
        return names_in(sql) & sqls.keys()
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


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    found, flaws = read_audiences(definitions)
    if len(found) > AUDIENCES_MAX:
        flaws[max(found)] = Flaw(("kind",), f"There are at most {AUDIENCES_MAX} audiences.")
    return sorted(flaws.items())


AUDIENCE_KIND = Kind("audience", _check_audience, _check_together, reads=(FEATURE_KIND.name,))
