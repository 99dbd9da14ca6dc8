"""What a score is made of: groups of rules, limits, and thresholds that make grades."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import msgspec

from tekil.definitions import Definition, Flaw
from tekil.definitions.document import Place, flaw_of
from tekil.errors import BadRequest
from tekil.expressions import ExpressionFlaw, names_in, span_of
from tekil.warehouse import RESERVED_WORDS

SCORE = "score"
GRADE = "grade"
"""The kind of these definitions; and what a score's grade is called after the score: `lead_grade`."""

TOTAL = "total"
"""What grades call the sum of all groups."""

RULES_MAX, GROUPS_MAX, AXES_MAX, POINTS_MAX = 60, 8, 2, 1000

_NAME = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")
_GRADE = re.compile("[A-Za-z0-9]{1,20}")
_TAKEN = RESERVED_WORDS | {"person_key", "person_id", "wake_at"}
_MICROSECOND = timedelta(microseconds=1)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points for whoever a condition (`if`) holds for, or for each event that a condition (`each`) holds for.

    With both, for each such event of whoever `if` holds for. What an event gave halves in each `half_life`;
    `most` is how many points the rule may give, or take, in all.
    """

    name: str
    points: int
    condition: str = msgspec.field(default="", name="if")
    each: str = ""
    half_life: str = ""
    most: int | None = None
    title: dict[str, str] = {}


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules whose sum is kept between `least` and `most`."""

    rules: list[Rule]
    least: int | None = None
    most: int | None = None
    title: dict[str, str] = {}


class ScoreSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A score's `spec`. Nobody but the people of `audience` has one, if that is named.

    `grades` are, of one or two groups (or `total`), the names of grades and from how many points on each is
    given; of two, the names stand side by side: A1. `description` says in words what it is for.
    """

    groups: dict[str, Group]
    audience: str = ""
    least: int | None = None
    most: int | None = None
    grades: dict[str, dict[str, int]] = {}
    description: str = ""


def read_spec(definition: Definition) -> ScoreSpec:
    """Return a score's spec. Raises `msgspec.ValidationError`."""
    return msgspec.convert(definition.spec, ScoreSpec)


def rules_of(spec: ScoreSpec) -> Iterator[tuple[str, Rule]]:
    """Yield all rules with the names of their groups, in their order."""
    for name, group in spec.groups.items():
        for rule in group.rules:
            yield name, rule


def half_life_us(rule: Rule) -> int:
    """Return a rule's half-life in microseconds; 0 where its points last."""
    return span_of(rule.half_life) // _MICROSECOND if rule.half_life else 0


def axis(grades: dict[str, int]) -> list[tuple[str, int]]:
    """Return names of grades with the points from which on each is given, the highest first."""
    return sorted(grades.items(), key=lambda item: (-item[1], item[0]))


def grades_of(spec: ScoreSpec) -> tuple[str, ...]:
    """Return the names of all grades that a score can give, the best first."""
    if not spec.grades:
        return ()
    return tuple(
        "".join(names) for names in product(*([n for n, _ in axis(of)] for of in spec.grades.values()))
    )


def columns_of(name: str, spec: ScoreSpec) -> dict[str, str]:
    """Return what conditions call a score's points: the sum's name → nothing, a group's name → its group."""
    return {name: "", **{f"{name}_{group}": group for group in spec.groups}}


def check_score(definition: Definition) -> list[Flaw]:
    """Return what is wrong with a score by itself."""
    flaws = []
    name = definition.name
    if not _NAME.fullmatch(name) or len(name) > 40 or name.endswith(f"_{GRADE}") or name in _TAKEN:
        told = (
            "A score's name becomes a column: small letters a-z, digits and single _, at most 40, no word of"
            f" SQL, and no _{GRADE} at its end."
        )
        flaws.append(Flaw(("name",), told))
    try:
        spec = read_spec(definition)
    except msgspec.ValidationError as error:
        return [*flaws, flaw_of(error, ("spec",))]
    if not 1 <= len(spec.groups) <= GROUPS_MAX or len(list(rules_of(spec))) > RULES_MAX:
        told = f"A score has 1 to {GROUPS_MAX} groups, and at most {RULES_MAX} rules."
        flaws.append(Flaw(("spec", "groups"), told))
    flaws += _limit_flaws(spec.least, spec.most, ("spec",))
    seen: set[str] = set()
    for name, group in spec.groups.items():
        flaws += _group_flaws(name, group, seen)
    return [*flaws, *_grade_flaws(spec)]


def _group_flaws(name: str, group: Group, seen: set[str]) -> list[Flaw]:
    place: Place = ("spec", "groups", name)
    flaws = _limit_flaws(group.least, group.most, place)
    if not _NAME.fullmatch(name) or name in (GRADE, TOTAL):
        told = (
            f"{name!r} is no name of a group: small letters a-z, digits and single _, not {GRADE} or {TOTAL}."
        )
        flaws.append(Flaw(place, told))
    if not group.rules:
        flaws.append(Flaw((*place, "rules"), "A group has at least one rule."))
    for number, rule in enumerate(group.rules):
        at: Place = (*place, "rules", number)
        if not _NAME.fullmatch(rule.name) or rule.name in seen:
            told = f"{rule.name!r} is no name of a rule: small letters, digits and single _, once in a score."
            flaws.append(Flaw((*at, "name"), told))
        seen.add(rule.name)
        flaws += [Flaw((*at, *step), told) for step, told in _rule_flaws(rule)]
    return flaws


def _rule_flaws(rule: Rule) -> list[tuple[Place, str]]:
    flaws: list[tuple[Place, str]] = []
    if not 1 <= abs(rule.points) <= POINTS_MAX:
        flaws.append((("points",), f"A rule gives, or takes, 1 to {POINTS_MAX} points."))
    if not rule.condition and not rule.each:
        told = "A rule says whom it is for (if), or for which events (each)."
        flaws.append(((), told))
    if not rule.each and (rule.half_life or rule.most is not None):
        told = "half_life and most are of rules for events (each)."
        flaws.append((("half_life" if rule.half_life else "most",), told))
    if rule.most is not None and rule.most < 1:
        flaws.append((("most",), "most is how many points a rule may give, or take, in all: 1 or more."))
    for place, text in (("if", rule.condition), ("each", rule.each)):
        try:
            if text:
                names_in(text)
        except ExpressionFlaw as flaw:
            flaws.append(((place,), str(flaw)))
    try:
        half_life_us(rule)
    except BadRequest as error:
        flaws.append((("half_life",), error.message))
    return flaws


def _limit_flaws(least: int | None, most: int | None, place: Place) -> list[Flaw]:
    if least is not None and most is not None and least >= most:
        return [Flaw((*place, "least"), "least is less than most.")]
    return []


def _grade_flaws(spec: ScoreSpec) -> list[Flaw]:
    flaws = []
    if len(spec.grades) > AXES_MAX:
        flaws.append(Flaw(("spec", "grades"), f"Grades are of one or {AXES_MAX} groups."))
    for name, grades in spec.grades.items():
        place: Place = ("spec", "grades", name)
        if name not in spec.groups and name != TOTAL:
            told = f"There is no group {name!r}; there are {', '.join([*spec.groups, TOTAL])}."
            flaws.append(Flaw(place, told))
        if len(grades) < 2 or len(set(grades.values())) < len(grades):
            flaws.append(Flaw(place, "Grades are two or more, each from another number of points on."))
        flaws += [
            Flaw((*place, grade), f"{grade!r} is no name of a grade: up to 20 letters and digits.")
            for grade in grades
            if not _GRADE.fullmatch(grade)
        ]
    return flaws
