"""Geometry of all definitions as one picture: events on the left, what is made of them to the right.

Pure functions; lengths are pixels. A definition stands right of everything that it is made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tekil.definitions import Key
from tekil.definitions.uses import Uses

BOX_WIDTH, BOX_HEIGHT = 184, 36
GAP_X, GAP_Y, EDGE = 72, 12, 6
LABEL_MAX = 24
"""Letters of a title that a box has room for."""

ROUNDS = 3
"""How often columns are put in order by what stands left of them; more changes little."""


@dataclass(frozen=True, slots=True)
class Box:
    """A definition: its key, what it is called, and where it stands."""

    kind: str
    name: str
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """An SVG path from a definition to one that is made of it."""

    path: str
    used: Key
    user: Key


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole picture. Lines are drawn first, boxes over them."""

    width: float
    height: float
    boxes: list[Box]
    lines: list[Line]


def draw(uses: Uses, titles: Mapping[Key, str], kinds: Sequence[str]) -> Picture:
    """Return the picture of all definitions that are made of others, or that others are made of."""
    shown = {key for key, parts in uses.items() if parts} | {
        part for parts in uses.values() for part in parts
    }
    shown |= {key for key in uses if key[0] not in ALONE}
    columns = _columns(shown, uses, kinds)
    places: dict[Key, tuple[float, float]] = {}
    tallest = max((len(column) for column in columns), default=0)
    height = 2 * EDGE + tallest * (BOX_HEIGHT + GAP_Y)
    for number, column in enumerate(columns):
        top = (height - len(column) * (BOX_HEIGHT + GAP_Y)) / 2
        for row, key in enumerate(column):
            places[key] = (EDGE + number * (BOX_WIDTH + GAP_X), top + row * (BOX_HEIGHT + GAP_Y) + GAP_Y / 2)
    boxes = [Box(*key, _short(titles.get(key, key[1])), *places[key]) for column in columns for key in column]
    lines = [
        Line(_path(places[part], places[key]), part, key)
        for key in places
        for part in sorted(uses.get(key, ()))
        if part in places
    ]
    width = 2 * EDGE + max(len(columns) * (BOX_WIDTH + GAP_X) - GAP_X, 0)
    return Picture(width, height, boxes, lines)


ALONE = frozenset({"dictionary", "event", "identity", "retention"})
"""Kinds that are shown only where something is made of them."""


def _columns(shown: set[Key], uses: Uses, kinds: Sequence[str]) -> list[list[Key]]:
    """Return the columns from the left, each in the order in which its boxes cross the fewest lines."""
    rank = {kind: number for number, kind in enumerate(kinds)}
    level: dict[Key, int] = {}

    def place(key: Key, above: frozenset[Key]) -> int:
        if key not in level:
            parts = [part for part in uses.get(key, ()) if part in shown and part not in above]
            least = rank.get(key[0], len(rank))
            level[key] = max([least, *(place(part, above | {key}) + 1 for part in parts)])
        return level[key]

    by_level: dict[int, list[Key]] = defaultdict(list)
    for key in sorted(shown):
        by_level[place(key, frozenset())].append(key)
    columns = [by_level[number] for number in sorted(by_level)]
    for _ in range(ROUNDS):
        row = {key: n - len(column) / 2 for column in columns for n, key in enumerate(column)}
        for column in columns:
            column.sort(key=lambda key: (_middle(key, uses, row), key))
    return columns


def _middle(key: Key, uses: Uses, row: Mapping[Key, float]) -> float:
    near = [row[part] for part in uses.get(key, ()) if part in row]
    return sum(near) / len(near) if near else row[key]


def _path(left: tuple[float, float], right: tuple[float, float]) -> str:
    x1, y1 = left[0] + BOX_WIDTH, left[1] + BOX_HEIGHT / 2
    x2, y2 = right[0], right[1] + BOX_HEIGHT / 2
    middle = (x1 + x2) / 2
    return f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _short(text: str) -> str:
    return text if len(text) <= LABEL_MAX else text[: LABEL_MAX - 1] + "…"
