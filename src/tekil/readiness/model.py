"""What readiness is made of: checks, each with points that were measured, in one of three states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from tekil.privacy.purposes import Words
from tekil.readiness.sight import Sight

State = Literal["ready", "attention", "missing"]
STATES: tuple[State, ...] = ("ready", "attention", "missing")
"""All is well; something asks for somebody; it is not there yet."""

Group = Literal["listening", "trust", "running", "growing"]
GROUPS: tuple[Group, ...] = ("listening", "trust", "running", "growing")


class Share(msgspec.Struct, frozen=True):
    """A part of a whole, shown in per cent."""

    part: float
    whole: float


class OutOf(msgspec.Struct, frozen=True):
    """So many of so many, shown as both."""

    part: int
    whole: int


class Span(msgspec.Struct, frozen=True):
    """A span of time in seconds."""

    seconds: float


class Moment(msgspec.Struct, frozen=True):
    """An instant (UTC, without a zone)."""

    at: datetime


Value = int | str | Share | OutOf | Span | Moment | Words


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was measured: its state, the reason in plain words, and the way to make it ready.

    `{name}` in a text stands for one of `values`; `link` is a page of the console.
    """

    state: State
    reason: Words
    values: Mapping[str, Value] = field(default_factory=dict)
    figure: Value | None = None
    fix: Words | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist. To add one, write a file in `checks/` and name it in its `__init__`."""

    name: str
    group: Group
    title: Words
    look: Callable[[Sight], Sequence[Point]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A check with what was measured for it."""

    check: Check
    points: tuple[Point, ...]

    @property
    def state(self) -> State:
        """Ready where all points are, not there yet where none has begun, attention in between."""
        states = {point.state for point in self.points}
        if len(states) == 1:
            return next(iter(states))
        return "attention"


class Speller(Protocol):
    """Writes texts and figures as the people of a language do."""

    @property
    def language(self) -> str:
        """`tr` or `en`."""
        ...

    def spell(self, value: Value) -> str:
        """Return a value as it is read."""
        ...


class PointTold(msgspec.Struct, frozen=True):
    """A point in one language. `link` is a page of the console, empty where there is none."""

    state: State
    figure: str
    reason: str
    fix: str
    link: str


class AnswerTold(msgspec.Struct, frozen=True):
    """An answer in one language."""

    name: str
    group: Group
    title: str
    state: State
    points: list[PointTold]


def told(answer: Answer, speller: Speller) -> AnswerTold:
    """Return an answer in a language."""
    return AnswerTold(
        answer.check.name,
        answer.check.group,
        answer.check.title.in_language(speller.language),
        answer.state,
        [_point(point, speller) for point in answer.points],
    )


def _point(point: Point, speller: Speller) -> PointTold:
    values = {name: speller.spell(value) for name, value in point.values.items()}
    fix = point.fix.in_language(speller.language) if point.fix and point.state != "ready" else ""
    return PointTold(
        point.state,
        "" if point.figure is None else speller.spell(point.figure),
        point.reason.in_language(speller.language).format(**values),
        fix.format(**values),
        point.link,
    )
