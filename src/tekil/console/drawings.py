"""Geometry of the small pictures that pages draw as SVG. Pure functions; lengths are parts of a width."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from tekil.reads import Count

HUES = 8
"""Colours that tell sources and people apart; the stylesheet knows them by number."""


@dataclass(frozen=True, slots=True)
class Part:
    """A state of the ledger as a bar: `width` wide from `x`, fed by `from_width` of the top from `from_x`."""

    state: str
    value: int
    x: float
    width: float
    from_x: float
    from_width: float

    @property
    def flow(self) -> str:
        """Return the SVG path of the ribbon from the bar of the accepted to this one (y 0 to 1)."""
        left, right = self.from_x, self.from_x + self.from_width
        low_left, low_right = self.x, self.x + self.width
        return (
            f"M{left:.2f} 0C{left:.2f} .5 {low_left:.2f} .5 {low_left:.2f} 1"
            f"L{low_right:.2f} 1C{low_right:.2f} .5 {right:.2f} .5 {right:.2f} 0Z"
        )


def ledger_parts(total: Count, width: float = 1000.0, gap: float = 14.0, least: float = 6.0) -> list[Part]:
    """Return the parts that accepted messages fell into, as bars side by side.

    A part that holds anything is at least `least` wide, so that one quarantined message in a billion is
    seen; the rest share what remains in proportion.
    """
    states = {s: int(getattr(total, s)) for s in ("loaded", "quarantined", "duplicate", "waiting")}
    filled = [s for s, value in states.items() if value > 0]
    whole = sum(states.values())
    if not filled:
        return []
    room = width - gap * (len(filled) - 1)
    small: set[str] = set()
    shared, rest = room, whole
    # What the small ones are given, the others lack: one of them may be too small then, too.
    while new := {s for s in filled if s not in small and shared * states[s] / rest < least}:
        small |= new
        shared, rest = room - least * len(small), sum(states[s] for s in filled if s not in small)
    parts: list[Part] = []
    x = from_x = 0.0
    for state in filled:
        length = least if state in small else shared * states[state] / rest
        from_width = width * length / room
        parts.append(Part(state, states[state], x, length, from_x, from_width))
        x, from_x = x + length + gap, from_x + from_width
    return parts


def sparkline(values: Sequence[int], width: float = 120.0, height: float = 28.0) -> tuple[str, str]:
    """Return the SVG paths of a line over values, and of the area under it; empty for none."""
    if len(values) < 2:
        return "", ""
    top = max(*values, 1)
    step = width / (len(values) - 1)
    points = [f"{i * step:.1f} {height - 2 - (height - 4) * v / top:.1f}" for i, v in enumerate(values)]
    line = "M" + "L".join(points)
    return line, f"{line}L{width:.1f} {height:.1f}L0 {height:.1f}Z"


def hue(text: str) -> int:
    """Return the colour of somebody or something, the same every time."""
    return zlib.crc32(text.encode()) % HUES


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a small chart, and the value it stands for."""

    x: float
    y: float
    width: float
    height: float
    value: int


def bars(values: Sequence[int], width: float = 120.0, height: float = 28.0) -> list[Bar]:
    """Return a bar for each value, side by side; something is never drawn as nothing."""
    if not values:
        return []
    top, step = max(*values, 1) if len(values) > 1 else max(values[0], 1), width / len(values)
    drawn = []
    for i, value in enumerate(values):
        tall = max(1.5, (height - 1) * value / top) if value else 0.75
        drawn.append(
            Bar(round(i * step, 2), round(height - tall, 2), round(step * 0.8, 2), round(tall, 2), value)
        )
    return drawn


@dataclass(frozen=True, slots=True)
class Arc:
    """A part of a ring: `length` long from `start`, both in parts of a hundred of its way round."""

    state: str
    value: int
    start: float
    length: float


def ring(parts: Sequence[tuple[str, int]], gap: float = 1.5) -> list[Arc]:
    """Return the arcs of a ring, one for each part that holds anything, with a gap after each."""
    filled = [(state, value) for state, value in parts if value > 0]
    whole = sum(value for _, value in filled)
    space = gap if len(filled) > 1 else 0.0
    arcs: list[Arc] = []
    start = 0.0
    for state, value in filled:
        share = 100 * value / whole
        arcs.append(Arc(state, value, round(start, 3), round(max(share - space, 0.5), 3)))
        start += share
    return arcs


@dataclass(frozen=True, slots=True)
class Crossing:
    """A column of an overlap's picture: a bar of `value` people, and beneath it the rows that are in it.

    The line that ties the dots together goes from `top` to `bottom`.
    """

    x: float
    bar: Bar
    dots: list[tuple[float, bool]]
    top: float
    bottom: float


CROSSING_WIDTH, CROSSING_BAR, CROSSING_ROW = 34.0, 110.0, 26.0


def crossings(sets: Sequence[tuple[Sequence[str], int]], names: Sequence[str]) -> list[Crossing]:
    """Return how sets overlap, as an UpSet chart: a column a combination, a row a name (after Lex et al.).

    `sets` are combinations of names with how many people are in exactly those.
    """
    most = max((people for _, people in sets), default=1)
    drawn = []
    for number, (combination, people) in enumerate(sets):
        x = (number + 0.5) * CROSSING_WIDTH
        tall = max(2.0, (CROSSING_BAR - 18) * people / max(most, 1))
        bar = Bar(x - 10, round(CROSSING_BAR - tall, 2), 20, round(tall, 2), people)
        dots = [
            (CROSSING_BAR + (n + 0.5) * CROSSING_ROW, name in combination) for n, name in enumerate(names)
        ]
        inside = [y for y, is_in in dots if is_in]
        drawn.append(Crossing(x, bar, dots, min(inside, default=0.0), max(inside, default=0.0)))
    return drawn


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines over the same values: their SVG paths, and what the top of the picture stands for."""

    lines: list[tuple[str, str]]
    top: float


def curves(series: Sequence[Sequence[float]], width: float = 600.0, height: float = 160.0) -> Curves:
    """Return lines (each with the area beneath it) over one scale, from zero to a round number above all."""
    most = max((max(values, default=0.0) for values in series), default=0.0)
    top = round_above(most)
    drawn = []
    for values in series:
        step = width / max(len(values) - 1, 1)
        points = [f"{i * step:.1f} {height - height * value / top:.1f}" for i, value in enumerate(values)]
        if len(points) == 1:
            points.append(f"{width:.1f} {points[0].split()[1]}")
        line = "M" + "L".join(points) if points else ""
        drawn.append((line, f"{line}L{width:.1f} {height:.1f}L0 {height:.1f}Z" if line else ""))
    return Curves(drawn, top)


def round_above(value: float) -> float:
    """Return the least of 1, 2, 5, 10, 20 … that is not below a value."""
    if value <= 0:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next(step * scale for step in (1, 2, 5, 10) if step * scale >= value)
