"""Scores as SQL: what rules give each person, the grade now, and when time can next change it.

Steps, each a SELECT over the one before:

``base``     per rule how many times it applies; where points fade, the weight of all at the last of them
``raws``     what each fading rule gives now
``sums``     per group the sum; of the fading part of it what gives (p) and what takes (n), and how fast
``limits``   the same within the group's limits; a sum beyond them does not move until it is back at them
``levels``   how far groups and total are from the next thresholds below and above; the grade
``steps``    how soon, at the soonest, one of those is passed

What fades falls no faster than if all of it faded at the mean rate of now, because log-sums of exponentials
are convex; so a person wakes exactly where there is one half-life, and a few times too early (each time by
quadratically less) where several mix, but never too late. The instants are of DOUBLE arithmetic on
microseconds, whose error over ten years is below one microsecond.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tekil.scores.formula import WEIGHT
from tekil.scores.spec import GRADE, TOTAL, Group, Rule, ScoreSpec, axis, half_life_us
from tekil.warehouse import wake_expression
from tekil.warehouse.protocol import ColumnType

SECOND_US = 1_000_000.0
NEARLY = 1 - 1e-9
"""What is left of the fading part when it has as good as gone."""

EARLIER = 1 - 1e-12
"""By so much a person wakes before the instant: arithmetic may err by less."""

BEYOND = 1e-6
"""A sum so many points beyond a limit is beyond it; nearer, it is as good as there."""


@dataclass(frozen=True, slots=True)
class ReadRule:
    """A rule, understood: the SQL of what it asks of the person and of each event; empty for nothing."""

    group: str
    rule: Rule
    condition: str
    each: str

    @property
    def half_life(self) -> int:
        """In microseconds; 0 where points last."""
        return half_life_us(self.rule)


@dataclass(frozen=True)
class ReadScore:
    """A score, understood. `among` is the SQL of whom it is about, nothing for everybody."""

    name: str
    spec: ScoreSpec
    among: str
    rules: tuple[ReadRule, ...]

    def of(self, group: str) -> list[ReadRule]:
        """Return the rules of a group."""
        return [rule for rule in self.rules if rule.group == group]

    def column(self, name: str, *more: str) -> str:
        """Return a column of the score, quoted."""
        return '"' + "__".join((self.name, name, *more)) + '"'

    @property
    def is_there(self) -> str:
        """Return the column that is null of whoever has no such score."""
        return self.column(self.rules[0].rule.name)


def columns_held(scores: Sequence[ReadScore]) -> dict[str, ColumnType]:
    """Return the columns of the table of scores."""
    columns: dict[str, ColumnType] = {}
    for score in scores:
        for one in score.rules:
            columns[f"{score.name}__{one.rule.name}"] = "bigint"
            if one.half_life:
                columns[f"{score.name}__{one.rule.name}__weight"] = "bigint"
                columns[f"{score.name}__{one.rule.name}__at"] = "timestamp"
        if score.spec.grades:
            columns[f"{score.name}_{GRADE}"] = "text"
        columns[score.name] = "text"
    return columns


def value_sql(score: ReadScore, group: str, alias: str = "s") -> str:
    """Return the whole points of a group, or of all (''), at now(), over the table of scores."""
    groups = [group] if group else list(score.spec.groups)
    sums = [_clamped(_sum(score, name, alias), score.spec.groups[name]) for name in groups]
    points = f"CAST(floor({' + '.join(sums)} + 0.5e0) AS BIGINT)"
    if not group:
        points = _between(points, score.spec.least, score.spec.most)
    return f"(CASE WHEN {alias}.{score.is_there} IS NOT NULL THEN {points} END)"


def scores_sql(
    scores: Sequence[ReadScore], thresholds: Mapping[str, Collection[int]], joins: str, where: str
) -> tuple[str, bool]:
    """Return the SELECT of the table of scores, and whether it gives a `wake_at`.

    `joins` bring in what conditions name, `where` says who may have a score; `thresholds` are, by a score's
    name or `score_group`, the whole points whose passing somebody asks for.
    """
    raws = [
        f"{_fading(score, one, 'b')} AS {score.column('_raw', one.rule.name)}"
        for score in scores
        for one in score.rules
        if one.half_life
    ]
    sql = base_sql(scores, joins, where)
    windows = wake_expression(sql)
    if windows:
        sql = base_sql(scores, joins, where, f", {windows} AS window_wake")
    sql = _over(sql, raws)
    sql = _over(sql, [column for score in scores for column in _sum_columns(score)])
    sql = _over(sql, [column for score in scores for column in _limit_columns(score)])
    sql = _over(sql, [column for score in scores for column in _level_columns(score, thresholds)])
    steps = [step for score in scores for step in _steps(score, thresholds)]
    sql = _over(sql, [f"{_least(steps)} AS next_step"] if steps else [])
    kinks = [kink for score in scores for one in score.rules for kink in _kinks(score, one)]
    after = "CASE WHEN next_step IS NOT NULL THEN shifted(now(), CAST(next_step AS BIGINT)) END"
    instants = [*(["window_wake"] if windows else []), *kinks, *([after] if steps else [])]
    held = {score.name: _held(score) for score in scores}
    told = [f'{held[name]} AS "{name}"' if name in held else f'"{name}"' for name in columns_held(scores)]
    wake = f", {_least(instants)} AS wake_at" if instants else ""
    return f"SELECT person_key, {', '.join(told)}{wake}\nFROM ({sql}) AS b", bool(instants)


def base_sql(scores: Sequence[ReadScore], joins: str, where: str, more: str = "") -> str:
    """Return the SELECT of how often each rule applies to each person."""
    selects = [select for score in scores for one in score.rules for select in _base_columns(score, one)]
    events = events_sql(scores)
    joined = f"\nLEFT JOIN ({events}) AS e ON e.person_key = a.person_key" if events else ""
    return f"""SELECT a.person_key, {", ".join(selects)}{more}
FROM activity AS a{joins}{joined}
WHERE {where}"""


def events_sql(scores: Sequence[ReadScore]) -> str:
    """Return the SELECT of what events give: counts, and where they fade, weights at the last of them."""
    asked = [(score, one) for score in scores for one in score.rules if one.each]
    if not asked:
        return ""
    among = " OR ".join(dict.fromkeys(f"({one.each})" for _, one in asked))
    columns, lasts = [], []
    for score, one in asked:
        name, where = one.rule.name, f"FILTER (WHERE {one.each})"
        columns.append(f"count(*) {where} AS {score.column(name)}")
        if one.half_life:
            at = score.column(name, "at")
            lasts.append(f"max(occurred_at) {where} AS {at}")
            ago = f"CAST(epoch_us(l.{at}) - epoch_us(p.occurred_at) AS DOUBLE)"
            weight = f"pow(2e0, -({ago} / {_double(one.half_life)})) * {_double(WEIGHT)} + 0.5e0"
            summed = f"CAST(sum(CAST(floor({weight}) AS BIGINT)) {where} AS BIGINT)"
            columns.append(f"{summed} AS {score.column(name, 'weight')}")
            columns.append(f"max(p.occurred_at) {where} AS {at}")
    joined = (
        f"\nJOIN (SELECT person_key, {', '.join(lasts)} FROM person_events WHERE {among} GROUP BY person_key)"
        " AS l ON l.person_key = p.person_key"
        if lasts
        else ""
    )
    return f"""SELECT p.person_key, {", ".join(columns)}
FROM person_events AS p{joined}
WHERE {among} GROUP BY p.person_key"""


def _base_columns(score: ReadScore, one: ReadRule) -> list[str]:
    """Return the columns of a rule: null of whom the score is not about, 0 of whom the rule is not for."""
    name = score.column(one.rule.name)
    times = f"coalesce(e.{name}, 0)" if one.each else "1"
    if one.condition:
        times = f"CASE WHEN {one.condition} THEN {times} ELSE 0 END"
    columns = [f"{_among(score, f'CAST({times} AS BIGINT)')} AS {name}"]
    if one.half_life:
        condition = f"WHEN NOT {one.condition} THEN " if one.condition else ""
        weight, at = (f"e.{score.column(one.rule.name, which)}" for which in ("weight", "at"))
        weight = f"coalesce({weight}, 0)"
        if one.condition:
            weight, at = (
                f"CASE {condition}CAST({nothing}) ELSE {held} END"
                for held, nothing in ((weight, "0 AS BIGINT"), (at, "NULL AS TIMESTAMP"))
            )
        columns.append(f"{_among(score, weight)} AS {score.column(one.rule.name, 'weight')}")
        columns.append(f"{_among(score, at)} AS {score.column(one.rule.name, 'at')}")
    return columns


def _among(score: ReadScore, sql: str) -> str:
    return f"CASE WHEN {score.among} THEN {sql} END" if score.among else sql


def _raw(score: ReadScore, one: ReadRule, alias: str) -> str:
    """Return what a rule gives now, before its own limit."""
    if one.half_life:
        return _fading(score, one, alias)
    return f"CAST({one.rule.points} * {alias}.{score.column(one.rule.name)} AS DOUBLE)"


def _fading(score: ReadScore, one: ReadRule, alias: str) -> str:
    times, weight, at = (
        f"{alias}.{score.column(one.rule.name, *more)}" for more in ((), ("weight",), ("at",))
    )
    age = f"CAST(greatest(epoch_us(now()) - epoch_us({at}), 0) AS DOUBLE) / {_double(one.half_life)}"
    points = f"{_double(one.rule.points)} * (CAST({weight} AS DOUBLE) / {_double(WEIGHT)})"
    return f"CASE WHEN {times} = 0 THEN 0e0 ELSE {points} * pow(2e0, -({age})) END"


def _sum(score: ReadScore, group: str, alias: str) -> str:
    """Return the sum of a group's rules now, each within its own limit, before the group's limits."""
    return " + ".join(_capped(_raw(score, one, alias), one.rule.most) for one in score.of(group))


def _capped(sql: str, most: int | None) -> str:
    return _between(f"({sql})", None if most is None else -most, most, as_double=True)


def _clamped(sql: str, group: Group) -> str:
    return _between(f"({sql})", group.least, group.most, as_double=True)


def _between(sql: str, least: int | None, most: int | None, *, as_double: bool = False) -> str:
    """Return a value that is not null, kept between limits."""
    if most is not None:
        sql = f"least({sql}, {_double(most) if as_double else most})"
    return sql if least is None else f"greatest({sql}, {_double(least) if as_double else least})"


def _over(sql: str, columns: Sequence[str]) -> str:
    return f"SELECT b.*, {', '.join(columns)}\nFROM ({sql}) AS b" if columns else sql


def _fades(score: ReadScore, group: str) -> list[ReadRule]:
    return [one for one in score.of(group) if one.half_life]


def _sum_columns(score: ReadScore) -> list[str]:
    """Return of each group the sum now, and what gives and takes of its fading part, and how fast."""
    columns = []
    for group in score.spec.groups:
        parts = [
            _capped(f"b.{score.column('_raw', one.rule.name)}", one.rule.most)
            if one.half_life
            else _capped(_raw(score, one, "b"), one.rule.most)
            for one in score.of(group)
        ]
        summed = f"CASE WHEN b.{score.is_there} IS NOT NULL THEN {' + '.join(parts)} END"
        columns.append(f"{summed} AS {score.column('_sum', group)}")
        for which, sign in (("p", 1), ("n", -1)):
            fading = [one for one in _fades(score, group) if one.rule.points * sign > 0]
            moving = [_moving(score, one, sign) for one in fading]
            rates = [f"{m} / {_double(one.half_life)}" for m, one in zip(moving, fading, strict=True)]
            if fading:
                columns.append(f"{' + '.join(moving)} AS {score.column('_' + which, group)}")
                columns.append(f"{' + '.join(rates)} AS {score.column('_' + which + 'r', group)}")
    return columns


def _moving(score: ReadScore, one: ReadRule, sign: int) -> str:
    """Return what a rule gives (or takes) as far as it fades just now: at its limit it does not."""
    raw = f"b.{score.column('_raw', one.rule.name)}"
    signed = raw if sign > 0 else f"-{raw}"
    if one.rule.most is None:
        return f"({signed})"
    return f"(CASE WHEN {signed} > {_double(one.rule.most)} THEN 0e0 ELSE {signed} END)"


def _limit_columns(score: ReadScore) -> list[str]:
    """Return of each group the points within its limits, and what still moves of its fading part."""
    columns = []
    for name, group in score.spec.groups.items():
        summed = f"b.{score.column('_sum', name)}"
        within = f"CASE WHEN {summed} IS NOT NULL THEN {_clamped(summed, group)} END"
        columns.append(f"{within} AS {score.column('_in', name)}")
        beyond = [gap for gap, _ in _beyond(score, name)]
        still = " OR ".join(f"{gap} > {BEYOND!r}" for gap in beyond)
        for which in _moves(score, name):
            for held in (which, which + "r"):
                moving = f"b.{score.column('_' + held, name)}"
                kept = f"CASE WHEN {still} THEN 0e0 ELSE {moving} END" if still else moving
                columns.append(f"{kept} AS {score.column('_in' + held, name)}")
    return columns


def _beyond(score: ReadScore, name: str) -> list[tuple[str, str]]:
    """Return how far a group's sum is beyond its limits, and the part (p or n) that brings it back."""
    group, summed = score.spec.groups[name], f"b.{score.column('_sum', name)}"
    found = [] if group.most is None else [(f"({summed} - {_double(group.most)})", "p")]
    return found if group.least is None else [*found, (f"({_double(group.least)} - {summed})", "n")]


def _moves(score: ReadScore, group: str) -> list[str]:
    """Return which parts a group has that fade: what gives (p), what takes (n)."""
    signs = {one.rule.points > 0 for one in _fades(score, group)}
    return [which for which, is_given in (("p", True), ("n", False)) if is_given in signs]


def levels_of(score: ReadScore, thresholds: Mapping[str, Collection[int]]) -> dict[str, list[int]]:
    """Return the whole points that matter of each group, and of `total`, the highest first."""
    asked: dict[str, set[int]] = {}
    for name in (*score.spec.groups, TOTAL):
        column = score.name if name == TOTAL else f"{score.name}_{name}"
        asked[name] = {*thresholds.get(column, ()), *score.spec.grades.get(name, {}).values()}
    return {name: sorted(levels, reverse=True) for name, levels in asked.items() if levels}


def _level_columns(score: ReadScore, thresholds: Mapping[str, Collection[int]]) -> list[str]:
    """Return the distances to the next levels, what moves of the total, and the grade."""
    columns = []
    for name, levels in levels_of(score, thresholds).items():
        points = f"({_points_in(score, name)} + 0.5e0)"
        below = " ".join(f"WHEN {points} >= {_double(n)} THEN {points} - {_double(n)}" for n in levels)
        above = " ".join(
            f"WHEN {points} < {_double(n)} THEN {_double(n)} - {points}" for n in reversed(levels)
        )
        columns.append(f"CASE {below} END AS {score.column('_below', name)}")
        columns.append(f"CASE {above} END AS {score.column('_above', name)}")
    for held in ("p", "pr", "n", "nr"):
        parts = [
            f"b.{score.column('_in' + held, g)}" for g in score.spec.groups if held[0] in _moves(score, g)
        ]
        if parts:
            columns.append(f"{' + '.join(parts)} AS {score.column('_in' + held, TOTAL)}")
    if score.spec.grades:
        axes = [_grade(score, name, grades) for name, grades in score.spec.grades.items()]
        there = f"CASE WHEN b.{score.is_there} IS NOT NULL THEN {' || '.join(axes)} END"
        columns.append(f'{there} AS "{score.name}_{GRADE}"')
    return columns


def _points_in(score: ReadScore, name: str) -> str:
    """Return the points of a group, or the total, before rounding."""
    if name != TOTAL:
        return f"b.{score.column('_in', name)}"
    return "(" + " + ".join(f"b.{score.column('_in', group)}" for group in score.spec.groups) + ")"


def _grade(score: ReadScore, name: str, grades: Mapping[str, int]) -> str:
    points = _points_in(score, name)
    if name == TOTAL:
        points = _between(points, score.spec.least, score.spec.most, as_double=True)
    *higher, lowest = axis(dict(grades))
    whens = " ".join(f"WHEN {points} + 0.5e0 >= {_double(least)} THEN '{grade}'" for grade, least in higher)
    return f"(CASE {whens} ELSE '{lowest[0]}' END)"


def _steps(score: ReadScore, thresholds: Mapping[str, Collection[int]]) -> list[str]:
    """Return how soon, in microseconds, each threshold and limit can be passed; null for never."""
    steps = []
    for name in levels_of(score, thresholds):
        moves = [w for w in "pn" if any(w in _moves(score, g) for g in _groups(score, name))]
        for which, gap in (("p", "below"), ("n", "above")):
            if which in moves:
                held, rate = (f"b.{score.column('_in' + one, name)}" for one in (which, which + "r"))
                other = (
                    f"b.{score.column('_inn' if which == 'p' else '_inp', name)}" if len(moves) > 1 else ""
                )
                steps.append(_step(held, rate, f"b.{score.column('_' + gap, name)}", other))
    for group in score.spec.groups:
        for gap, which in _beyond(score, group):
            if which in _moves(score, group):
                held, rate = (f"b.{score.column('_' + one, group)}" for one in (which, which + "r"))
                steps.append(_step(held, rate, f"CASE WHEN {gap} > {BEYOND!r} THEN {gap} END", ""))
    return steps


def _groups(score: ReadScore, name: str) -> list[str]:
    return list(score.spec.groups) if name == TOTAL else [name]


def _step(held: str, rate: str, gap: str, other: str) -> str:
    """Return in how many microseconds what fades (`held`) is less by `gap`, at the soonest.

    Where there is an `other` part that fades the other way, a step is a second at least, lest the last of
    them be ever so small.
    """
    exact = f"{held} / ({rate} * {math.log(2)!r}e0) * ln({held} / ({held} - {gap})) * {EARLIER!r}e0"
    shortest = f"CASE WHEN {other} > 0e0 THEN {_double(SECOND_US)} ELSE 1e0 END" if other else "1e0"
    return f"CASE WHEN {gap} < {held} * {NEARLY!r}e0 THEN greatest(floor({exact}), {shortest}) END"


def _kinks(score: ReadScore, one: ReadRule) -> list[str]:
    """Return when a fading rule that gives more than it may will begin to give less, if that is to come."""
    if not one.half_life or one.rule.most is None:
        return []
    weight, at = (f"b.{score.column(one.rule.name, which)}" for which in ("weight", "at"))
    times = f"{_double(abs(one.rule.points) / (one.rule.most * WEIGHT))} * CAST({weight} AS DOUBLE)"
    span = f"{_double(one.half_life / math.log(2))} * ln(greatest({times}, 1e0))"
    # A microsecond or two later it is below its limit for certain, however the arithmetic erred.
    kink = f"shifted({at}, CAST(floor({span}) AS BIGINT) + 2)"
    return [f"CASE WHEN {kink} > now() THEN {kink} END"]


def _least(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"least({', '.join(parts)})"


def _held(score: ReadScore) -> str:
    """Return the JSON of what a card holds of a score: `Formula`, with the rules that give anything."""
    groups = []
    for name, group in score.spec.groups.items():
        rules = ", ".join(_held_rule(score, one) for one in score.of(name))
        head = f'["{name}",{_json(group.least)},{_json(group.most)},['
        groups.append(f"'{head}' || concat_ws(',', {rules}) || ']]'")
    axes = ",".join(
        f'["{name}",[{",".join(f"[{chr(34)}{grade}{chr(34)},{least}]" for grade, least in axis(grades))}]]'
        for name, grades in score.spec.grades.items()
    )
    tail = f"],{_json(score.spec.least)},{_json(score.spec.most)},[{axes}]]"
    told = f"'[[' || {' || '.join(_joined(groups))} || '{tail}'"
    return f"CASE WHEN b.{score.is_there} IS NOT NULL THEN {told} END"


def _joined(groups: Sequence[str]) -> list[str]:
    return [groups[0], *(f"',' || {group}" for group in groups[1:])]


def _held_rule(score: ReadScore, one: ReadRule) -> str:
    name = one.rule.name
    times = f"b.{score.column(name)}"
    told = f"'[\"{name}\",{one.rule.points},' || CAST({times} AS VARCHAR) || ',{_json(one.rule.most)}"
    if one.half_life:
        weight, at = (f"b.{score.column(name, which)}" for which in ("weight", "at"))
        told += (
            f",{one.half_life},' || CAST({weight} AS VARCHAR) || ','"
            f" || CAST(epoch_us({at}) AS VARCHAR) || ']'"
        )
    else:
        told += "]'"
    return f"CASE WHEN {times} <> 0 THEN {told} END"


def _json(number: int | None) -> str:
    return "null" if number is None else str(number)


def _double(number: float) -> str:
    """Return a number as a literal that every engine takes for a DOUBLE."""
    text = repr(float(number))
    return text if "e" in text else f"{text}e0"
