"""What a value can be, and over how much it speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Type(Enum):
    """A value's type. A DECIMAL has 14 digits before and 4 after its point; what does not fit is null."""

    INTEGER = "whole number"
    DECIMAL = "number"
    TEXT = "text"
    INSTANT = "instant"
    BOOLEAN = "yes or no"
    INTERVAL = "length of time"
    NOTHING = "null"


NUMERIC = frozenset({Type.INTEGER, Type.DECIMAL})


class Stage(Enum):
    """Whether a value is the same everywhere, one event's, or one of a person as a whole."""

    CONSTANT = "a constant"
    ROW = "one event's"
    PERSON = "the person's"


@dataclass(frozen=True, slots=True)
class Typed:
    """A part of an expression, understood: its SQL (DuckDB's dialect with our macros), type and stage."""

    sql: str
    type: Type
    stage: Stage


@dataclass(frozen=True, slots=True)
class Seen:
    """What a name stands for, in the relation that an expression is about."""

    sql: str
    type: Type


@dataclass(frozen=True)
class Scope:
    """What an expression may name.

    `columns` by name; `members` are those whose members are read as text, by a name after a point, where
    `{0}` in their SQL is that name as a literal. All are of one `stage`. Only where that is ROW are there
    aggregates. `zone` is the time zone whose days are counted. `since` is the SQL of since when those hold of
    which one may ask `since(…)`, by name. `person` is the SQL of the key of the person it is about, if any.
    """

    columns: dict[str, Seen]
    members: dict[str, str]
    stage: Stage
    zone: str = "UTC"
    since: dict[str, str] = field(default_factory=dict)
    person: str = ""
