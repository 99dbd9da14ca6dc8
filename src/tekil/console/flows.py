"""Geometry of the steps between stages: arcs over a row of them. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tekil.stage_reads import Step

WIDTH, GROUND = 1000.0, 118.0
"""The drawing's width, and how far down the stages stand."""

ABOVE, BELOW = 12.0, 36.0
"""How far from its stage an arc begins: below it stands the stage's name."""

THICK_LEAST, THICK_MOST = 1.5, 16.0


@dataclass(frozen=True, slots=True)
class Arc:
    """A step as an arc: ways on are above the stages, ways back below. Its number stands at `x`, `y`."""

    path: str
    thick: float
    is_back: bool
    x: float
    y: float
    people: int


def columns(count: int) -> list[float]:
    """Return where each of some stages stands, in the middle of columns of equal width."""
    return [WIDTH * (2 * i + 1) / (2 * count) for i in range(count)]


def height(drawn: Sequence[Arc]) -> float:
    """Return how tall the drawing of some arcs is."""
    return GROUND + BELOW + (120.0 if any(arc.is_back for arc in drawn) else 0.0)


def arcs(steps: Sequence[Step], stages: Sequence[str]) -> list[Arc]:
    """Return an arc for each step from one of the stages to another, the thickest first."""
    at = dict(zip(stages, columns(len(stages)), strict=True))
    order = {name: number for number, name in enumerate(stages)}
    between = [step for step in steps if step.origin in at and step.target in at]
    most = max((step.people for step in between), default=1)
    drawn = []
    for step in sorted(between, key=lambda one: -one.people):
        x, end = at[step.origin], at[step.target]
        is_back = order[step.target] < order[step.origin]
        rise = 30.0 + 60.0 * abs(order[step.target] - order[step.origin]) / max(len(stages) - 1, 1)
        side = 1 if is_back else -1
        away = BELOW if is_back else ABOVE
        start, top = GROUND + away * side, GROUND + (away + rise * 4 / 3) * side
        path = f"M{x:.1f} {start:.1f}C{x:.1f} {top:.1f} {end:.1f} {top:.1f} {end:.1f} {start:.1f}"
        thick = round(max(THICK_LEAST, THICK_MOST * step.people / most), 1)
        number_at = GROUND + (away + rise) * side
        drawn.append(Arc(path, thick, is_back, (x + end) / 2, number_at, step.people))
    return drawn
