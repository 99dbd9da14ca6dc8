"""Conditions put together from rows, and SQL that one can read: from one to the other, and back.

A row is a field, an operator and a value. Rows stand in groups in which all must hold, or any; of the groups,
too, all must hold, or any. What is written by hand and fits into that is read back as rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tekil.errors import BadRequest
from tekil.expressions import ExpressionFlaw, Type, parse
from tekil.expressions.tree import (
    Call,
    Constant,
    Junction,
    Missing,
    Name,
    Negation,
    Node,
    Operation,
    Span,
)

Joined = Literal["and", "or"]
Of = Literal["feature", "audience", "activity", "trait"]

DAY = 86_400
GROUPS_MAX = 6
ROWS_MAX = 8

_PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?\d{1,14}(\.\d{1,4})?")
_DAYS = re.compile(r"[1-9]\d{0,3}")


@dataclass(frozen=True, slots=True)
class Field:
    """Something that is known of people: how it is written (`traits.city`), what it is of, its type."""

    name: str
    of: Of
    type: Type


@dataclass(frozen=True, slots=True)
class Row:
    """A field's name, an operator of `OPERATORS`, and what was typed beside it."""

    field: str = ""
    operator: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of which all must hold, or any."""

    joined: Joined = "and"
    rows: tuple[Row, ...] = (Row(),)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Groups of which all must hold, or any."""

    joined: Joined = "and"
    groups: tuple[Group, ...] = (Group(),)


@dataclass(frozen=True, slots=True)
class Operator:
    """How a row is written: `{f}` is its field, `{v}` its value; and which types of fields it is for."""

    sql: str
    types: frozenset[Type]
    value: Literal["text", "number", "days", ""] = ""
    of: frozenset[Of] = frozenset({"feature", "activity", "trait"})


_TEXT = frozenset({Type.TEXT})
_NUMBERS = frozenset({Type.INTEGER, Type.DECIMAL, Type.TEXT})
_INSTANT = frozenset({Type.INSTANT})
_BOOLEAN = frozenset({Type.BOOLEAN})
_ANY = frozenset(Type)
_AUDIENCES: frozenset[Of] = frozenset({"audience"})
_COUNTED: frozenset[Of] = frozenset({"feature", "activity", "trait"})

OPERATORS: Mapping[str, Operator] = {
    "is": Operator("{f} = {v}", _TEXT, "text"),
    "is_not": Operator("{f} <> {v}", _TEXT, "text"),
    "contains": Operator("contains({f}, {v})", _TEXT, "text"),
    "starts": Operator("starts_with({f}, {v})", _TEXT, "text"),
    "ge": Operator("{f} >= {v}", _NUMBERS, "number"),
    "gt": Operator("{f} > {v}", _NUMBERS, "number"),
    "le": Operator("{f} <= {v}", _NUMBERS, "number"),
    "lt": Operator("{f} < {v}", _NUMBERS, "number"),
    "eq": Operator("{f} = {v}", _NUMBERS, "number"),
    "ne": Operator("{f} <> {v}", _NUMBERS, "number"),
    "within": Operator("{f} > now() - interval {v} day", _INSTANT, "days"),
    "before": Operator("{f} <= now() - interval {v} day", _INSTANT, "days"),
    "yes": Operator("{f}", _BOOLEAN, "", frozenset({"feature", "audience"})),
    "no": Operator("not {f}", _BOOLEAN, "", frozenset({"feature", "audience"})),
    "in_for": Operator("since({f}) <= now() - interval {v} day", _BOOLEAN, "days", _AUDIENCES),
    "known": Operator("{f} is not null", _ANY, "", _COUNTED),
    "missing": Operator("{f} is null", _ANY, "", _COUNTED),
}
"""Every operator, in the order in which it is offered. Of a trait, numbers are read from its text."""

_SIGNS = {">=": "ge", ">": "gt", "<=": "le", "<": "lt", "=": "eq", "<>": "ne"}


def trait(name: str) -> Field | None:
    """Return a trait as a field; nothing where it cannot be written."""
    if not name or len(name) > 100 or not all(c.isalnum() or c in "_- " for c in name):
        return None
    written = name if _PLAIN.fullmatch(name) else f'"{name}"'
    return Field(f"traits.{written}", "trait", Type.TEXT)


def fits(operator: Operator, field: Field) -> bool:
    """Return whether an operator is for a field."""
    return (
        field.type in operator.types
        and field.of in operator.of
        and (field.of == "trait" or operator.value != "number" or field.type is not Type.TEXT)
    )


def sql_of(conditions: Conditions, fields: Mapping[str, Field]) -> str:
    """Return conditions as SQL; rows without a field are left out. Raises `BadRequest` with what is wrong."""
    groups = []
    for group in conditions.groups:
        written = [_written(row, fields) for row in group.rows if row.field]
        if written:
            groups.append((group.joined, written))
    if not groups:
        return ""
    if len(groups) == 1:
        return f"\n{groups[0][0]} ".join(groups[0][1])
    parts = [f" {joined} ".join(rows) for joined, rows in groups]
    wrapped = [f"({part})" if len(rows) > 1 else part for part, (_, rows) in zip(parts, groups, strict=True)]
    return f"\n{conditions.joined} ".join(wrapped)


def _written(row: Row, fields: Mapping[str, Field]) -> str:
    field, operator = fields.get(row.field), OPERATORS.get(row.operator)
    if field is None:
        raise BadRequest(f"There is no {row.field!r} to choose from.", code="condition_field_unknown")
    if operator is None or not fits(operator, field):
        raise BadRequest(
            f"{row.field} cannot be compared like that; choose another way.", code="condition_operator_unfit"
        )
    name = f"number({field.name})" if operator.value == "number" and field.of == "trait" else field.name
    return operator.sql.replace("{f}", name).replace("{v}", _value(row, operator))


def _value(row: Row, operator: Operator) -> str:
    value = row.value.strip()
    if operator.value == "text":
        return "'" + row.value.replace("'", "''") + "'"
    if operator.value == "number":
        # People write 12,5 where Turkish is spoken; more marks than one would be guesswork.
        if not _NUMBER.fullmatch(number := value.replace(",", ".")):
            raise BadRequest(
                f"{row.field} is compared with a number such as 12 or 12.5, not {row.value!r}.",
                code="condition_number_invalid",
            )
        return number
    if operator.value == "days":
        if not _DAYS.fullmatch(value) or int(value) > 3660:
            raise BadRequest(
                f"{row.field} is compared with a whole number of days, up to 3660, not {row.value!r}.",
                code="condition_days_invalid",
            )
        return value
    return ""


def conditions_of(sql: str, fields: Mapping[str, Field]) -> Conditions | None:
    """Return SQL as conditions; nothing where it says more than rows can."""
    try:
        tree = parse(sql)
    except ExpressionFlaw:
        return None
    parts = tree.parts if isinstance(tree, Junction) else (tree,)
    joined: Joined = "or" if isinstance(tree, Junction) and tree.operator == "or" else "and"
    rows = [_row(part, fields) for part in parts]
    if all(row is not None for row in rows):
        groups = [Group(joined, tuple(row for row in rows if row is not None))]
    else:
        found = [
            Group("and", (row,)) if row is not None else _group(part, fields)
            for part, row in zip(parts, rows, strict=True)
        ]
        groups = [group for group in found if group is not None]
        if len(groups) < len(found):
            return None
    if len(groups) > GROUPS_MAX or any(len(group.rows) > ROWS_MAX for group in groups):
        return None
    return Conditions(joined, tuple(groups))


def _group(node: Node, fields: Mapping[str, Field]) -> Group | None:
    if not isinstance(node, Junction):
        return None
    rows = [row for part in node.parts if (row := _row(part, fields)) is not None]
    joined: Joined = "or" if node.operator == "or" else "and"
    return Group(joined, tuple(rows)) if len(rows) == len(node.parts) else None


def _row(node: Node, fields: Mapping[str, Field]) -> Row | None:
    """Return what a row says, if a node is what one row can say of a known field."""
    found = _read(node)
    field = None if found is None else fields.get(found.field)
    if found is None or field is None:
        return None
    operator = found.operator
    if field.type is Type.TEXT and operator in ("eq", "ne") and not _is_number(node):
        operator = "is" if operator == "eq" else "is_not"
    row = Row(found.field, operator, found.value)
    known = OPERATORS[operator]
    if not fits(known, field) or (field.of == "trait" and known.value == "number") != _is_number(node):
        return None
    return row


def _is_number(node: Node) -> bool:
    return isinstance(node, Operation) and isinstance(node.left, Call) and node.left.name == "number"


def _read(node: Node) -> Row | None:
    """Return a node as a row, whatever its field is; equality is `eq` or `ne`."""
    for read in (_read_name, _read_missing, _read_call, _read_comparison):
        if (row := read(node)) is not None:
            return row
    return None


def _read_name(node: Node) -> Row | None:
    if isinstance(node, Negation) and node.operator == "not" and isinstance(node.operand, Name):
        return Row(_name(node.operand), "no")
    return Row(_name(node), "yes") if isinstance(node, Name) else None


def _read_missing(node: Node) -> Row | None:
    inner = node.operand if isinstance(node, Negation) and node.operator == "not" else node
    if not isinstance(inner, Missing) or not isinstance(inner.operand, Name):
        return None
    return Row(_name(inner.operand), "missing" if inner is node else "known")


def _read_call(node: Node) -> Row | None:
    operators = {"contains": "contains", "starts_with": "starts"}
    if not isinstance(node, Call) or node.name not in operators or len(node.arguments) != 2:
        return None
    field, value = node.arguments
    if isinstance(field, Name) and isinstance(value, Constant) and isinstance(value.value, str):
        return Row(_name(field), operators[node.name], value.value)
    return None


def _read_comparison(node: Node) -> Row | None:
    if not isinstance(node, Operation) or node.operator not in _SIGNS:
        return None
    days = _days_ago(node.right)
    left = node.left
    if days is not None:
        if isinstance(left, Name) and node.operator in (">", "<="):
            return Row(_name(left), "within" if node.operator == ">" else "before", str(days))
        if _is_call(left, "since") and node.operator == "<=":
            return Row(_argument(left), "in_for", str(days))
        return None
    value = _constant(node.right)
    if value is None:
        return None
    if isinstance(left, Name):
        return Row(_name(left), _SIGNS[node.operator], value)
    return Row(_argument(left), _SIGNS[node.operator], value) if _is_call(left, "number") else None


def _is_call(node: Node, name: str) -> bool:
    return isinstance(node, Call) and node.name == name and _argument(node) != ""


def _argument(node: Node) -> str:
    """Return the name that a call has as its only argument, or nothing."""
    if isinstance(node, Call) and len(node.arguments) == 1 and isinstance(node.arguments[0], Name):
        return _name(node.arguments[0])
    return ""


def _days_ago(node: Node) -> int | None:
    if not isinstance(node, Operation) or node.operator != "-" or not isinstance(node.right, Span):
        return None
    is_now = isinstance(node.left, Call) and node.left.name == "now"
    days, rest = divmod(node.right.seconds, DAY)
    return days if is_now and not rest else None


def _constant(node: Node) -> str | None:
    if isinstance(node, Negation) and node.operator == "-":
        inner = _constant(node.operand)
        return None if inner is None else f"-{inner}"
    if not isinstance(node, Constant) or isinstance(node.value, bool) or node.value is None:
        return None
    return f"{node.value:f}" if isinstance(node.value, Decimal) else str(node.value)


def _name(node: Name) -> str:
    steps = [node.steps[0], *(s if _PLAIN.fullmatch(s) else f'"{s}"' for s in node.steps[1:])]
    return ".".join(steps)


def changed(conditions: Conditions, act: Callable[[list[list[Row]]], None]) -> Conditions:
    """Return conditions whose rows, group by group, were changed in place; no group is left empty."""
    rows = [list(group.rows) for group in conditions.groups]
    act(rows)
    joined: Sequence[Joined] = [group.joined for group in conditions.groups]
    kept = [
        Group(joined[n] if n < len(joined) else "and", tuple(of[:ROWS_MAX]))
        for n, of in enumerate(rows[:GROUPS_MAX])
        if of
    ]
    return Conditions(conditions.joined, tuple(kept) or (Group(),))
