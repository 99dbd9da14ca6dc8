"""With which constants a condition compares values that change by themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from decimal import Decimal

from tekil.expressions.flaws import ExpressionFlaw
from tekil.expressions.grammar import parse
from tekil.expressions.tree import Among, Between, Constant, Missing, Name, Negation, Node, Operation

_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


def thresholds(text: str, names: Collection[str]) -> dict[str, set[Decimal]]:
    """Return the constants that each of some names is compared with in an expression.

    Raises `ExpressionFlaw` where one of them stands anywhere else: of a value that fades it can be foreseen
    only when it passes a constant.
    """
    found: dict[str, set[Decimal]] = {}
    for node in _walk(parse(text)):
        if isinstance(node, Name) and node.steps[0] in names:
            told = (
                f"{node.steps[0]} fades as time passes; write it beside = <> < <= > >= and a number, or in"
                f" between: {node.steps[0]} >= 50."
            )
            raise ExpressionFlaw(told, text, node.at)
        if isinstance(node, _Beside):
            found.setdefault(node.name, set()).update(node.constants)
    return {name: constants for name, constants in found.items() if name in names}


@dataclasses.dataclass(frozen=True, slots=True)
class _Beside:
    """A name beside constants, and nothing else."""

    name: str
    constants: tuple[Decimal, ...]


def _walk(node: Node) -> Iterator[Node | _Beside]:
    """Yield all nodes of a tree, and names beside constants in the place of what compares them."""
    beside = _beside(node)
    if beside is not None:
        yield beside
        return
    yield node
    for inner in _inside(node):
        yield from _walk(inner)


def _inside(node: Node) -> Iterator[Node]:
    """Yield the nodes right below a node, also those in its tuples, and in theirs."""
    held: list[object] = [getattr(node, member.name) for member in dataclasses.fields(node)]
    while held:
        one = held.pop(0)
        if isinstance(one, tuple):
            held[:0] = one
        elif isinstance(one, Node):
            yield one


def _beside(node: Node) -> _Beside | None:
    if isinstance(node, Operation) and node.operator in _COMPARISONS:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Name):
                return _named(one, (other,))
    if isinstance(node, Between) and isinstance(node.operand, Name):
        return _named(node.operand, (node.low, node.high))
    if isinstance(node, Among) and isinstance(node.operand, Name):
        return _named(node.operand, node.choices)
    if isinstance(node, Missing) and isinstance(node.operand, Name):
        return _named(node.operand, ())
    return None


def _named(name: Name, others: tuple[Node, ...]) -> _Beside | None:
    constants = [_number(other) for other in others]
    if len(name.steps) > 1 or None in constants:
        return None
    return _Beside(name.steps[0], tuple(one for one in constants if one is not None))


def _number(node: Node) -> Decimal | None:
    if isinstance(node, Negation) and node.operator == "-":
        inner = _number(node.operand)
        return None if inner is None else -inner
    if (
        isinstance(node, Constant)
        and isinstance(node.value, int | Decimal)
        and not isinstance(node.value, bool)
    ):
        return Decimal(node.value)
    return None
