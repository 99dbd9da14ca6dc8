"""What an expression can be made of. Nothing that is not here can be said in one.

Each node knows the offset (`at`) of its first letter, so that whatever is wrong with it is told in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, a truth value, or nothing."""

    at: int
    value: int | Decimal | str | bool | None


@dataclass(frozen=True, slots=True)
class Span:
    """A constant length of time: `interval 30 day`, in seconds."""

    at: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Name:
    """A column, or a member of one: `event`, `properties.total`."""

    at: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function's call. `star` is `count(*)`; `where` is what FILTER asks."""

    at: int
    name: str
    arguments: tuple[Node, ...] = ()
    star: bool = False
    distinct: bool = False
    where: Node | None = None


@dataclass(frozen=True, slots=True)
class Negation:
    """`not x`, or `-x`."""

    at: int
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands: `+ - * / = <> < <= > >=`. Its place is the operator's."""

    at: int
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by one of `and`, `or`."""

    at: int
    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """`x between low and high`, ends included."""

    at: int
    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Among:
    """`x in (…)`: constants only."""

    at: int
    operand: Node
    choices: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """`x is null`."""

    at: int
    operand: Node


@dataclass(frozen=True, slots=True)
class Choice:
    """`case when … then … else … end`: (condition, answer) pairs, and the answer where none holds."""

    at: int
    cases: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


Node = Constant | Span | Name | Call | Negation | Operation | Junction | Between | Among | Missing | Choice


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything in it, whatever stands first in the text first."""
    yield node
    for field in fields(node):
        yield from _within(getattr(node, field.name))


def _within(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield from walk(value)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _within(inner)
