"""What is wrong with an expression, and where."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ExpressionFlaw(Exception):
    """An expression that is refused: the place (line and column, from 1), the reason, and what to write."""

    def __init__(self, reason: str, text: str, at: int) -> None:
        """Take the reason, the whole expression, and the offset in it at which the reason stands."""
        before = text[:at]
        self.reason = reason
        self.line = before.count("\n") + 1
        self.column = at - (before.rfind("\n") + 1) + 1
        super().__init__(f"line {self.line}, column {self.column}: {reason}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that names what may have been meant, with a space before it; empty where unclear."""
    close = get_close_matches(name.lower(), list(known), 1, 0.6)
    return f" Did you mean {close[0]}?" if close else ""
