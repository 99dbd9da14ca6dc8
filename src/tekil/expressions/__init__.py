"""One SQL expression: read by a grammar of our own, typed, and written anew for every engine."""

from tekil.expressions.checking import check
from tekil.expressions.flaws import ExpressionFlaw
from tekil.expressions.functions import FUNCTIONS, Function
from tekil.expressions.grammar import events_in, names_in, parse
from tekil.expressions.spans import span_of
from tekil.expressions.thresholds import thresholds
from tekil.expressions.types import Scope, Seen, Stage, Type, Typed

__all__ = [
    "FUNCTIONS",
    "ExpressionFlaw",
    "Function",
    "Scope",
    "Seen",
    "Stage",
    "Type",
    "Typed",
    "check",
    "events_in",
    "names_in",
    "parse",
    "span_of",
    "thresholds",
]
