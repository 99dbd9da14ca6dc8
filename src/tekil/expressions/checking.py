"""Types and stages: from a tree to SQL that cannot fail, and means the same on every engine.

The SQL is put together from what is known here and in `functions`, never from what was written. Arithmetic
is of DECIMAL(18, 4): sums are exact, so that order does not matter, and what does not fit is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tekil.expressions.flaws import ExpressionFlaw, nearest
from tekil.expressions.functions import FUNCTIONS, HOLDOUT, IN_LIST, LIST_TRAIT, NAMES, SINCE, Function
from tekil.expressions.grammar import parse
from tekil.expressions.tree import (
    Among,
    Between,
    Call,
    Choice,
    Constant,
    Junction,
    Missing,
    Name,
    Negation,
    Node,
    Operation,
    Span,
)
from tekil.expressions.types import NUMERIC, Scope, Stage, Type, Typed

SQL_LENGTH_MAX = 60_000
"""How long the SQL of an expression may become."""

MEMBER_LENGTH_MAX = 100

HUNDRED = 100

LIST_NAME = re.compile("[a-z][a-z0-9_]{0,49}")
"""What a list may be called: its name becomes part of a trait's."""

_PLACE = re.compile(r"\{(\w+)\}")
"""Where something goes in a function's SQL; all places are filled in one go, for values hold braces, too."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

NOW_TOLD = (
    "now() stands only where it can be foreseen when the answer changes: beside < <= > >= or in between,"
    " against an instant, alone or as now() - interval 30 day; or write days_since(…)."
)


def check(text: str, scope: Scope) -> Typed:
    """Return what an expression means within a scope. Raises `ExpressionFlaw`."""
    return _Checker(text, scope).typed(parse(text))


class _Checker:
    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope
        self._in_aggregate = False

    def _flaw(self, reason: str, node: Node) -> ExpressionFlaw:
        return ExpressionFlaw(reason, self._text, node.at)

    def typed(self, node: Node) -> Typed:
        found = _READERS[type(node)](self, node)
        if len(found.sql) > SQL_LENGTH_MAX:
            raise self._flaw("This grows too long; write it in several features.", node)
        return found

    def constant(self, node: Constant) -> Typed:
        return Typed(_literal(node.value), _type_of(node.value), Stage.CONSTANT)

    def span(self, node: Span) -> Typed:
        raise self._flaw("An interval is added to, or taken from, an instant or now().", node)

    def name(self, node: Name) -> Typed:
        scope, first = self._scope, node.steps[0]
        if first in scope.members:
            return self._member(node, scope.members[first])
        seen = scope.columns.get(first)
        if seen is None or len(node.steps) > 1:
            written = ".".join(node.steps)
            known = [*scope.columns, *(f"{name}.…" for name in scope.members)]
            told = nearest(first, [*scope.columns, *scope.members]) or f" There are {', '.join(known)}."
            raise self._flaw(f"There is no {written!r} here.{told}", node)
        return Typed(seen.sql, seen.type, scope.stage)

    def _member(self, node: Name, template: str) -> Typed:
        if len(node.steps) != 2:
            told = f"Write {node.steps[0]}. and one name; what lies deeper is not read."
            raise self._flaw(told, node)
        member = node.steps[1]
        if (
            not member
            or len(member) > MEMBER_LENGTH_MAX
            or not all(c.isalnum() or c in "_- " for c in member)
        ):
            told = f"A member's name has letters, digits, spaces, _ and -, at most {MEMBER_LENGTH_MAX}."
            raise self._flaw(told, node)
        return Typed(template.replace("{0}", _literal(member)), Type.TEXT, self._scope.stage)

    def negation(self, node: Negation) -> Typed:
        operand = self.typed(node.operand)
        if node.operator == "not":
            self._want(operand, {Type.BOOLEAN}, "not", node.operand)
            return Typed(f"(NOT {operand.sql})", Type.BOOLEAN, operand.stage)
        self._want(operand, NUMERIC, "-", node.operand)
        if operand.type is Type.INTEGER:
            sql = f"TRY_CAST(-TRY_CAST({operand.sql} AS DECIMAL(18, 0)) AS BIGINT)"
            return Typed(sql, operand.type, operand.stage)
        return Typed(f"(-{operand.sql})", operand.type, operand.stage)

    def operation(self, node: Operation) -> Typed:
        if node.operator in "+-*/":
            return self._arithmetic(node)
        for one, other, operator in (
            (node.left, node.right, node.operator),
            (node.right, node.left, _MIRRORED.get(node.operator, "")),
        ):
            moment = self._moment(other)
            if moment is not None:
                if operator not in _MIRRORED:
                    raise self._flaw(NOW_TOLD, other)
                return self._window(one, operator, moment)
        left, right = self._alike([node.left, node.right], node)
        if left.type is Type.BOOLEAN and node.operator not in ("=", "<>"):
            raise self._flaw("Of yes and no neither is greater; write = or <>.", node)
        return Typed(
            f"({left.sql} {node.operator} {right.sql})", Type.BOOLEAN, self._stage([left, right], node)
        )

    def _moment(self, node: Node) -> str | None:
        """Return `now()`, or now a constant time before or after, as SQL; nothing for anything else."""
        if isinstance(node, Call) and node.name == "now" and not (node.arguments or node.star or node.where):
            return "now()"
        if not isinstance(node, Operation) or node.operator not in "+-" or not isinstance(node.right, Span):
            return None
        is_now = self._moment(node.left) == "now()"
        return f"now() {node.operator} {_interval(node.right)}" if is_now else None

    def _window(self, node: Node, operator: str, moment: str) -> Typed:
        side = self.typed(node)
        self._want(side, {Type.INSTANT}, "now()", node)
        if side.stage is Stage.CONSTANT:
            raise self._flaw(NOW_TOLD, node)
        return Typed(f"({side.sql} {operator} {moment})", Type.BOOLEAN, side.stage)

    def _arithmetic(self, node: Operation) -> Typed:
        if isinstance(node.right, Span) and node.operator in "+-":
            if self._moment(node.left) is not None:
                raise self._flaw(NOW_TOLD, node.left)
            left = self.typed(node.left)
            self._want(left, {Type.INSTANT}, "an interval", node.left)
            return Typed(f"({left.sql} {node.operator} {_interval(node.right)})", Type.INSTANT, left.stage)
        left, right = self.typed(node.left), self.typed(node.right)
        stage = self._stage([left, right], node)
        if left.type is right.type is Type.INSTANT:
            raise self._flaw("Between two instants there are days_between(…) days.", node)
        self._want(left, NUMERIC, node.operator, node.left)
        self._want(right, NUMERIC, node.operator, node.right)
        if node.operator == "/":
            return Typed(f"divided({_decimal(left)}, {_decimal(right)})", Type.DECIMAL, stage)
        if left.type is right.type is Type.INTEGER:
            one, other = (
                f"TRY_CAST({side.sql} AS DECIMAL({width}, 0))" for side, width in ((left, 19), (right, 18))
            )
            return Typed(f"TRY_CAST({one} {node.operator} {other} AS BIGINT)", Type.INTEGER, stage)
        # One digit more, or DuckDB would look for the result in the 64 bits of its operands.
        wide = f"CAST({_decimal(left)} AS DECIMAL(19, 4))"
        sql = f"TRY_CAST({wide} {node.operator} {_decimal(right)} AS DECIMAL(18, 4))"
        return Typed(sql, Type.DECIMAL, stage)

    def junction(self, node: Junction) -> Typed:
        parts = [self.typed(part) for part in node.parts]
        for part, inner in zip(parts, node.parts, strict=True):
            self._want(part, {Type.BOOLEAN}, node.operator, inner)
        joined = f" {node.operator.upper()} ".join(part.sql for part in parts)
        return Typed(f"({joined})", Type.BOOLEAN, self._stage(parts, node))

    def between(self, node: Between) -> Typed:
        if any(self._moment(end) is not None for end in (node.low, node.high)):
            ends = (
                Operation(node.at, ">=", node.operand, node.low),
                Operation(node.at, "<=", node.operand, node.high),
            )
            return self.typed(Junction(node.at, "and", ends))
        parts = self._alike([node.operand, node.low, node.high], node)
        operand, low, high = (part.sql for part in parts)
        if parts[0].type is Type.BOOLEAN:
            raise self._flaw("Between yes and no there is nothing.", node)
        return Typed(f"({operand} BETWEEN {low} AND {high})", Type.BOOLEAN, self._stage(parts, node))

    def among(self, node: Among) -> Typed:
        parts = self._alike([node.operand, *node.choices], node)
        for choice, inner in zip(parts[1:], node.choices, strict=True):
            if choice.stage is not Stage.CONSTANT:
                raise self._flaw("In the list after 'in' stand constants only.", inner)
        operand, null = parts[0].sql, _null(parts[0].type)
        given = [part.sql for part in parts[1:] if part.sql != null]
        among = f"{operand} IN ({', '.join(given)})" if given else f"{operand} = {null}"
        # A null in the list turns no into unknown. Said by CASE, because Sail's planner loses its way
        # over a null that stands in the list itself.
        sql = f"CASE WHEN {among} THEN TRUE END" if len(given) < len(parts) - 1 else among
        return Typed(f"({sql})", Type.BOOLEAN, parts[0].stage)

    def missing(self, node: Missing) -> Typed:
        operand = self.typed(node.operand)
        return Typed(f"({operand.sql} IS NULL)", Type.BOOLEAN, operand.stage)

    def choice(self, node: Choice) -> Typed:
        conditions = [self.typed(condition) for condition, _ in node.cases]
        for condition, (inner, _) in zip(conditions, node.cases, strict=True):
            self._want(condition, {Type.BOOLEAN}, "when", inner)
        otherwise = [] if node.otherwise is None else [node.otherwise]
        answers = self._alike([*(answer for _, answer in node.cases), *otherwise], node)
        whens = " ".join(
            f"WHEN {one.sql} THEN {other.sql}"
            for one, other in zip(conditions, answers[: len(conditions)], strict=True)
        )
        final = f" ELSE {answers[-1].sql}" if otherwise else ""
        stage = self._stage([*conditions, *answers], node)
        return Typed(f"(CASE {whens}{final} END)", answers[0].type, stage)

    def call(self, node: Call) -> Typed:
        if node.name == "now":
            raise self._flaw(NOW_TOLD, node)
        if node.name in _OF_PERSONS:
            return _OF_PERSONS[node.name](self, node)
        rows = [row for row in FUNCTIONS if row.name == node.name]
        if not rows:
            told = nearest(node.name, NAMES) or f" There are {', '.join(NAMES)}."
            raise self._flaw(f"There is no function {node.name}().{told}", node)
        if rows[0].aggregate:
            return self._aggregate(node, rows)
        if node.star or node.distinct or node.where is not None:
            raise self._flaw(f"{node.name} takes no *, DISTINCT or FILTER.", node)
        row, parts = self._chosen(node, rows)
        stage = self._stage(parts, node)
        if row.of_person and stage is not Stage.PERSON:
            told = f"{node.name} is about a whole person; write for example {node.name}(max(occurred_at))."
            raise self._flaw(told, node)
        gives = row.gives or parts[0].type
        return Typed(self._filled(row.sql, parts), gives, stage)

    def _since(self, node: Call) -> Typed:
        known = self._scope.since
        named = node.arguments[0] if len(node.arguments) == 1 else None
        if not isinstance(named, Name) or node.star or node.distinct or node.where is not None:
            raise self._flaw("since takes the name of an audience: since(high_intent).", node)
        name = ".".join(named.steps)
        if name not in known:
            told = nearest(name, known) or f" There are {', '.join(known) or 'none yet'}."
            raise self._flaw(f"There is no audience {name!r} here.{told}", named)
        return Typed(f"({known[name]})", Type.INSTANT, self._scope.stage)

    def _holdout(self, node: Call) -> Typed:
        name, share = self._constants(node, (str, int), "holdout('spring', 10)")
        if not 0 <= share <= HUNDRED:
            raise self._flaw("A holdout is 0 to 100 of a hundred people.", node.arguments[1])
        salted = f"{_literal(f'{name}:')} || person_id_of({self._scope.person})"
        return Typed(f"(key64({salted}) % {HUNDRED} < {share})", Type.BOOLEAN, self._scope.stage)

    def _in_list(self, node: Call) -> Typed:
        (name,) = self._constants(node, (str,), "in_list('fair_2026')")
        if not LIST_NAME.fullmatch(name):
            raise self._flaw("A list's name has small letters a-z, digits and _.", node.arguments[0])
        trait = self._scope.members["traits"].replace("{0}", _literal(LIST_TRAIT.format(name)))
        return Typed(f"coalesce({trait} = 'true', FALSE)", Type.BOOLEAN, self._scope.stage)

    def _constants(self, node: Call, types: tuple[type, ...], example: str) -> tuple[Any, ...]:
        """Return the arguments of a function of a person, which are constants of these types."""
        if not self._scope.person:
            raise self._flaw(f"{node.name} is about a person; write it in an audience.", node)
        given = [part.value for part in node.arguments if isinstance(part, Constant)]
        fits = len(node.arguments) == len(given) and [type(value) for value in given] == list(types)
        if not fits or node.star or node.distinct or node.where is not None:
            raise self._flaw(f"Write it as in {example}.", node)
        return tuple(given)

    def _aggregate(self, node: Call, rows: Sequence[Function]) -> Typed:
        if self._scope.stage is not Stage.ROW:
            raise self._flaw(f"{node.name} is over events; make it a feature, and name that here.", node)
        if self._in_aggregate:
            raise self._flaw(
                f"{node.name} stands inside another aggregate; each is over events by itself.", node
            )
        if (node.star or node.distinct) and node.name != "count":
            raise self._flaw(f"{'*' if node.star else 'DISTINCT'} goes with count only.", node)
        self._in_aggregate = True
        row, parts = (
            (rows[0], [Typed("*", Type.NOTHING, Stage.ROW)]) if node.star else self._chosen(node, rows)
        )
        where = "" if node.where is None else self._condition(node.where)
        self._in_aggregate = False
        last = parts[-1].sql if parts else ""
        filtering = {
            "filter": f" FILTER (WHERE {where})" if where else "",
            "and": f" AND {where}" if where else "",
            "kept": f"CASE WHEN {where} THEN {last} END" if where else last,
        }
        if node.distinct:
            parts = [Typed(f"DISTINCT {parts[0].sql}", parts[0].type, parts[0].stage)]
        return Typed(self._filled(row.sql, parts, filtering), row.gives or parts[0].type, Stage.PERSON)

    def _condition(self, node: Node) -> str:
        found = self.typed(node)
        self._want(found, {Type.BOOLEAN}, "where", node)
        return found.sql

    def _chosen(self, node: Call, rows: Sequence[Function]) -> tuple[Function, list[Typed]]:
        """Return the row of a function whose types the arguments have, and the arguments."""
        wanted = len(rows[0].takes)
        given = len(node.arguments)
        if given != wanted and not (rows[0].many and given > wanted):
            raise self._flaw(f"{node.name} takes {_counted(wanted)}, not {given}.", node)
        parts = [self.typed(argument) for argument in node.arguments]
        if rows[0].gives is None and given > 1:
            parts = self._alike(node.arguments, node)
        for row in rows:
            takes = [*row.takes, *row.takes[-1:] * (given - wanted)]
            if all(part.type in types for part, types in zip(parts, takes, strict=True)):
                for position in row.constants:
                    self._want_count(parts[position], node.arguments[position])
                return row, parts
        for part, types, argument in zip(parts, rows[-1].takes, node.arguments, strict=False):
            self._want(part, types, node.name, argument)
        raise self._flaw(f"{node.name} does not take these.", node)

    def _want_count(self, part: Typed, node: Node) -> None:
        if not isinstance(node, Constant) or not isinstance(node.value, int) or not 1 <= node.value <= 1000:
            raise self._flaw(f"Here stands a whole number from 1 to 1000, not {part.stage.value}.", node)

    def _filled(self, template: str, parts: Sequence[Typed], filtering: Mapping[str, str] = {}) -> str:
        values = {str(position): part.sql for position, part in enumerate(parts)}
        values |= {"zone": _literal(self._scope.zone), "all": ", ".join(values.values()), **filtering}
        return _PLACE.sub(lambda found: values[found[1]], template)

    def _alike(self, nodes: Sequence[Node], of: Node) -> list[Typed]:
        """Return some nodes as one type: whole numbers as numbers where some are; null as any."""
        parts = [self.typed(node) for node in nodes]
        types = {part.type for part in parts} - {Type.NOTHING}
        if types == NUMERIC:
            parts = [Typed(_decimal(p), Type.DECIMAL, p.stage) if p.type in NUMERIC else p for p in parts]
            types = {Type.DECIMAL}
        if len(types) > 1:
            raise self._flaw(self._mixed(parts, nodes), of)
        if not types:
            raise self._flaw("Here is nothing but null; write is null to ask for what is missing.", of)
        kind = types.pop()
        return [Typed(_null(kind), kind, p.stage) if p.type is Type.NOTHING else p for p in parts]

    def _mixed(self, parts: Sequence[Typed], nodes: Sequence[Node]) -> str:
        told = " and ".join(dict.fromkeys(part.type.value for part in parts))
        for part, node in zip(parts, nodes, strict=True):
            others = {other.type for other in parts} - {Type.TEXT, Type.NOTHING}
            reader = {Type.DECIMAL: "number", Type.INTEGER: "number", Type.INSTANT: "instant"}
            if part.type is Type.TEXT and others and isinstance(node, Name | Constant):
                shown = ".".join(node.steps) if isinstance(node, Name) else f"'{node.value}'"
                wanted = reader.get(next(iter(others)), "is_true")
                return f"These do not go together: {told}. Write {wanted}({shown})."
        return f"These do not go together: {told}."

    def _stage(self, parts: Sequence[Typed], node: Node) -> Stage:
        stages = {part.stage for part in parts} - {Stage.CONSTANT}
        if len(stages) > 1:
            told = (
                "One part is of a single event, another of all events of the person; put the first into an"
                " aggregate such as last(…) or max(…)."
            )
            raise self._flaw(told, node)
        return stages.pop() if stages else Stage.CONSTANT

    def _want(self, part: Typed, types: frozenset[Type] | set[Type], by: str, node: Node) -> None:
        if part.type in types:
            return
        wanted = " or ".join(sorted(kind.value for kind in types))
        readers = [name for name, kind in _READ_FROM_TEXT.items() if kind in types]
        if part.type is Type.TEXT and readers and isinstance(node, Name):
            wanted += f"; write {readers[0]}({'.'.join(node.steps)})"
        raise self._flaw(f"{by} wants {wanted}, but this is {part.type.value}.", node)


_READ_FROM_TEXT = {"number": Type.DECIMAL, "instant": Type.INSTANT, "is_true": Type.BOOLEAN}

_READERS: dict[type, Callable[[_Checker, Any], Typed]] = {
    Constant: _Checker.constant,
    Span: _Checker.span,
    Name: _Checker.name,
    Call: _Checker.call,
    Negation: _Checker.negation,
    Operation: _Checker.operation,
    Junction: _Checker.junction,
    Between: _Checker.between,
    Among: _Checker.among,
    Missing: _Checker.missing,
    Choice: _Checker.choice,
}


_OF_PERSONS: dict[str, Callable[[_Checker, Call], Typed]] = {
    SINCE: _Checker._since,
    HOLDOUT: _Checker._holdout,
    IN_LIST: _Checker._in_list,
}
"""Functions that are no rows of the table: what they ask of is the person, or a name."""


def _type_of(value: int | Decimal | str | bool | None) -> Type:
    if value is None:
        return Type.NOTHING
    if isinstance(value, bool):
        return Type.BOOLEAN
    if isinstance(value, str):
        return Type.TEXT
    return Type.INTEGER if isinstance(value, int) else Type.DECIMAL


def _literal(value: int | Decimal | str | bool | None) -> str:
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value) if isinstance(value, int) else f"CAST({value} AS DECIMAL(18, 4))"


_SQL_TYPES = {
    Type.INTEGER: "BIGINT",
    Type.DECIMAL: "DECIMAL(18, 4)",
    Type.TEXT: "VARCHAR",
    Type.INSTANT: "TIMESTAMP",
    Type.BOOLEAN: "BOOLEAN",
}


def _null(kind: Type) -> str:
    return f"CAST(NULL AS {_SQL_TYPES[kind]})"


def _decimal(part: Typed) -> str:
    return part.sql if part.type is Type.DECIMAL else f"TRY_CAST({part.sql} AS DECIMAL(18, 4))"


def _interval(span: Span) -> str:
    for unit, seconds in (("DAY", 86400), ("HOUR", 3600), ("MINUTE", 60)):
        if span.seconds % seconds == 0:
            return f"INTERVAL {span.seconds // seconds} {unit}"
    return f"INTERVAL {span.seconds} SECOND"


def _counted(number: int) -> str:
    return {0: "nothing in its brackets", 1: "one argument"}.get(number, f"{number} arguments")
