"""The grammar: operator precedence as in SQL, over a language small enough to read in one sitting.

or ← and ← not ← comparison, between, in, is null ← + - ← * / ← - ← constant, name, call, case, ( )
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tekil.expressions.flaws import ExpressionFlaw, nearest
from tekil.expressions.tokens import Token, tokens_of
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
    walk,
)

DEPTH_MAX = 24
"""How deep an expression may be nested; a chain of operators counts as one level for each."""

DIGITS_MAX = 14
PLACES_MAX = 4
"""Digits of a number before and after its point."""

SPAN_DAYS_MAX = 3660

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
"""Lengths of time that are always the same length; a month is not."""

Operand = Callable[[], Node]

_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CONSTANTS = {"true": True, "false": False, "null": None}
_RESERVED = frozenset(
    {"and", "or", "not", "in", "is", "between", "case", "when", "then", "else", "end", "filter", "where",
     "distinct", "interval", "select", "from", "over", "as", "union", "with", "exists", "cast", "like"}
)  # fmt: skip


def parse(text: str) -> Node:
    """Return the tree of an expression. Raises `ExpressionFlaw` for whatever the grammar does not know."""
    return _Parser(text).whole()


def names_in(text: str) -> set[str]:
    """Return the first steps of all names in an expression. Raises `ExpressionFlaw`."""
    parser = _Parser(text)
    parser.whole()
    return parser.names


def events_in(text: str) -> set[str]:
    """Return the names of events that an expression asks for: what `event` is compared with.

    Raises `ExpressionFlaw`.
    """
    found: set[str] = set()
    for node in walk(parse(text)):
        if isinstance(node, Operation) and node.operator == "=":
            pairs: tuple[tuple[Node, Node], ...] = ((node.left, node.right), (node.right, node.left))
        elif isinstance(node, Among):
            pairs = tuple((node.operand, choice) for choice in node.choices)
        else:
            continue
        found |= {
            other.value
            for one, other in pairs
            if isinstance(one, Name) and one.steps == ("event",)
            if isinstance(other, Constant) and isinstance(other.value, str)
        }
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._place = 0
        self._depth = 0
        self.names: set[str] = set()

    def whole(self) -> Node:
        if self._is_over():
            raise self._flaw("There is no expression here.")
        node = self._any()
        if not self._is_over():
            raise self._flaw(f"Here the expression should end, but there is {self._shown()}.")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _is_over(self) -> bool:
        return self._next.kind == "end"

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _is(self, *values: str) -> bool:
        return self._next.kind in ("word", "sign") and self._next.value in values

    def _took(self, value: str) -> bool:
        if self._is(value):
            self._place += 1
            return True
        return False

    def _want(self, value: str) -> None:
        if not self._took(value):
            raise self._flaw(f"Here {value!r} should follow, but there is {self._shown()}.")

    def _shown(self) -> str:
        return "nothing more" if self._is_over() else repr(self._next.written)

    def _flaw(self, reason: str, at: int | None = None) -> ExpressionFlaw:
        return ExpressionFlaw(reason, self._text, self._next.at if at is None else at)

    def _deeper(self, by: int = 1) -> None:
        self._depth += by
        if self._depth > DEPTH_MAX:
            raise self._flaw(f"This is nested too deep; an expression has at most {DEPTH_MAX} levels.")

    def _any(self) -> Node:
        self._deeper()
        node = self._junction("or", ("and",))
        self._depth -= 1
        return node

    def _junction(self, operator: str, inner: tuple[str, ...]) -> Node:
        at = self._next.at
        parts = [self._junction(inner[0], inner[1:]) if inner else self._not()]
        while self._took(operator):
            parts.append(self._junction(inner[0], inner[1:]) if inner else self._not())
        return parts[0] if len(parts) == 1 else Junction(at, operator, tuple(parts))

    def _not(self) -> Node:
        at = self._next.at
        if not self._took("not"):
            return self._comparison()
        self._deeper()
        node = Negation(at, "not", self._not())
        self._depth -= 1
        return node

    def _comparison(self) -> Node:
        left = self._sum()
        at = self._next.at
        if self._next.kind == "sign" and self._next.value in _COMPARISONS:
            return Operation(at, _COMPARISONS[self._take().value], left, self._sum())
        if self._took("is"):
            is_not = self._took("not")
            self._want("null")
            return Negation(at, "not", Missing(at, left)) if is_not else Missing(at, left)
        is_not = self._took("not")
        if self._took("between"):
            low = self._sum()
            self._want("and")
            found: Node = Between(at, left, low, self._sum())
        elif self._took("in"):
            self._want("(")
            choices = [self._any()]
            while self._took(","):
                choices.append(self._any())
            self._want(")")
            found = Among(at, left, tuple(choices))
        elif is_not:
            raise self._flaw(f"After 'not' comes 'in' or 'between' here, not {self._shown()}.")
        else:
            return left
        return Negation(at, "not", found) if is_not else found

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*", "/"), self._factor)

    def _chain(self, operators: tuple[str, ...], operand: Operand) -> Node:
        node = operand()
        links = 0
        while self._is(*operators):
            token = self._take()
            links += 1
            self._deeper()
            node = Operation(token.at, token.value, node, operand())
        self._depth -= links
        return node

    def _factor(self) -> Node:
        at = self._next.at
        if not self._took("-"):
            return self._primary()
        self._deeper()
        node = Negation(at, "-", self._factor())
        self._depth -= 1
        return node

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "text":
            return Constant(token.at, token.value)
        if token.kind == "sign" and token.value == "(":
            node = self._any()
            self._want(")")
            return node
        if token.kind == "word" and token.value in _CONSTANTS:
            return Constant(token.at, _CONSTANTS[token.value])
        if token.kind == "word" and token.value == "interval":
            return self._span(token)
        if token.kind == "word" and token.value == "case":
            return self._case(token)
        if token.kind == "word" and token.value not in _RESERVED:
            return self._call(token) if self._is("(") else self._name(token)
        self._place -= 1
        raise self._flaw(
            f"Here a value should stand: a name, a call, a number or a text, not {self._shown()}."
        )

    def _number(self, token: Token) -> Constant:
        whole, _, places = token.value.partition(".")
        if len(whole) > DIGITS_MAX or len(places) > PLACES_MAX:
            told = f"A number has at most {DIGITS_MAX} digits before the point and {PLACES_MAX} after it."
            raise self._flaw(told, token.at)
        return Constant(token.at, Decimal(token.value) if places else int(whole))

    def _span(self, start: Token) -> Span:
        amount = self._take()
        if amount.kind not in ("number", "text") or not amount.value.isdecimal() or len(amount.value) > 9:
            raise self._flaw("After 'interval' comes a whole number, as in interval 30 day.", amount.at)
        unit = self._take()
        seconds = UNITS.get(unit.value.removesuffix("s")) if unit.kind == "word" else None
        if seconds is None:
            months = (
                " A month has no fixed length; write days."
                if unit.value.startswith(("month", "year"))
                else ""
            )
            told = f"{unit.written!r} is no unit of an interval; there are {', '.join(UNITS)}.{months}"
            raise self._flaw(told, unit.at)
        if not 0 < int(amount.value) * seconds <= SPAN_DAYS_MAX * 86400:
            raise self._flaw(
                f"An interval is longer than nothing, and at most {SPAN_DAYS_MAX} days.", amount.at
            )
        return Span(start.at, int(amount.value) * seconds)

    def _name(self, first: Token) -> Name:
        steps = [first.value]
        while self._took("."):
            step = self._take()
            if step.kind not in ("word", "quoted"):
                told = 'After a point comes a name, as in properties.total or properties."Sipariş No".'
                raise self._flaw(told, step.at)
            steps.append(step.written if step.kind == "word" else step.value)
        self.names.add(steps[0])
        return Name(first.at, tuple(steps))

    def _call(self, name: Token) -> Call:
        self._want("(")
        star = distinct = False
        arguments: list[Node] = []
        if self._took("*"):
            star = True
        elif not self._is(")"):
            distinct = self._took("distinct")
            arguments.append(self._any())
            while self._took(","):
                arguments.append(self._any())
        self._want(")")
        where = None
        if self._took("filter"):
            self._want("(")
            self._want("where")
            where = self._any()
            self._want(")")
        if self._is("over"):
            raise self._flaw("Windows over rows (OVER) are not part of this language.")
        return Call(name.at, name.value, tuple(arguments), star, distinct, where)

    def _case(self, start: Token) -> Choice:
        cases = []
        otherwise = None
        while self._took("when"):
            condition = self._any()
            self._want("then")
            cases.append((condition, self._any()))
        if not cases:
            raise self._flaw(f"After 'case' comes 'when', not {self._shown()}.")
        if self._took("else"):
            otherwise = self._any()
        if not self._is("end") and self._next.kind == "word":
            raise self._flaw(f"Here 'end' should follow.{nearest(self._next.value, ['when', 'else', 'end'])}")
        self._want("end")
        return Choice(start.at, tuple(cases), otherwise)
