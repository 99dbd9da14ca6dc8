"""A person's score as a function of time: what is on their card, and what it comes to at an instant.

The same steps as in `scores.sql`, so that a card and a condition never disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

WEIGHT = 1_000_000_000
"""What one occurrence weighs at its own instant. Weights are whole, so that their order does not matter."""

_EPOCH = datetime(1970, 1, 1)


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What a rule gives somebody: `points` for each of so many `times`.

    Where points fade, all occurrences together weigh `weight` (in parts of `WEIGHT`) at the instant `at`,
    that of the last one in microseconds since the epoch; half of it a `half_life` (microseconds) later.
    """

    name: str
    points: int
    times: int
    most: int | None = None
    half_life: int = 0
    weight: int = 0
    at: int = 0


class HeldGroup(msgspec.Struct, frozen=True, array_like=True):
    """The rules of a group that give somebody anything."""

    name: str
    least: int | None
    most: int | None
    rules: list[Held]


class ShownRule(msgspec.Struct, frozen=True):
    """What a rule comes to at an instant: points before the group's limits."""

    group: str
    name: str
    points: float
    times: int
    each: int
    most: int | None
    half_life_days: float | None
    last_at: datetime | None


class Shown(msgspec.Struct, frozen=True):
    """A score at an instant: whole points, those of each group, the grade, and what each rule gives.

    `since` is when the grade was reached (ISO 8601 in UTC), where that is known.
    """

    points: int
    groups: dict[str, int]
    grade: str | None
    rules: list[ShownRule]
    since: str | None = None


class Formula(msgspec.Struct, frozen=True, array_like=True):
    """Somebody's score: all that is needed to say what it is at any instant, until they do something."""

    groups: list[HeldGroup]
    least: int | None
    most: int | None
    grades: list[tuple[str, list[tuple[str, int]]]]

    @staticmethod
    def of(held: Any) -> Formula:
        """Return what a card holds of a score."""
        return msgspec.convert(held, Formula)

    def at(self, instant: datetime) -> Shown:
        """Return the score at an instant (UTC without a zone)."""
        now = (instant - _EPOCH) // timedelta(microseconds=1)
        sums = {
            group.name: within(
                sum((points_of(rule, now) for rule in group.rules), 0.0), group.least, group.most
            )
            for group in self.groups
        }
        groups = {name: whole(points) for name, points in sums.items()}
        total = int(within(whole(sum(sums.values(), 0.0)), self.least, self.most))
        grade = "".join(
            grade_of({**groups, "total": total}[name], thresholds) for name, thresholds in self.grades
        )
        rules = [_shown(group.name, rule, now) for group in self.groups for rule in group.rules]
        return Shown(total, groups, grade or None, rules)


def points_of(rule: Held, now: int) -> float:
    """Return what a rule gives at an instant (microseconds since the epoch)."""
    if not rule.half_life:
        raw = float(rule.points * rule.times)
    else:
        raw = rule.points * (rule.weight / WEIGHT) * math.pow(2.0, -(max(now - rule.at, 0) / rule.half_life))
    return raw if rule.most is None else within(raw, -rule.most, rule.most)


def within(value: float, least: int | None, most: int | None) -> float:
    """Return a value, kept between limits."""
    if most is not None:
        value = min(value, float(most))
    return value if least is None else max(value, float(least))


def whole(points: float) -> int:
    """Return points as they are shown and compared: whole, halves upwards."""
    return math.floor(points + 0.5)


def grade_of(points: int, thresholds: Sequence[tuple[str, int]]) -> str:
    """Return the grade of points; whoever has fewer than the lowest asks for has the lowest all the same."""
    return next((grade for grade, least in thresholds if points >= least), thresholds[-1][0])


def _shown(group: str, rule: Held, now: int) -> ShownRule:
    days = rule.half_life / 86_400_000_000 if rule.half_life else None
    last = datetime.fromtimestamp(rule.at / 1_000_000, UTC) if rule.half_life else None
    points = round(points_of(rule, now), 2)
    return ShownRule(group, rule.name, points, rule.times, rule.points, rule.most, days, last)


class _Reached(msgspec.Struct, frozen=True):
    name: str
    since: str


class _Card(msgspec.Struct, frozen=True):
    """What of a card is about scores."""

    formulas: dict[str, Formula] | None = None
    grades: dict[str, _Reached] = {}


def scores_on(body: str, instant: datetime) -> dict[str, Shown] | None:
    """Return the scores that a card's body (JSON) comes to at an instant (UTC without a zone), by name.

    Nothing where no scores are in force.
    """
    card = msgspec.json.decode(body, type=_Card)
    if card.formulas is None:
        return None
    found = {}
    for name, formula in card.formulas.items():
        shown, reached = formula.at(instant), card.grades.get(name)
        is_known = reached is not None and reached.name == shown.grade
        found[name] = msgspec.structs.replace(shown, since=reached.since if reached and is_known else None)
    return found
