"""Geometry of a person's identity as a picture: a column for each kind, lines for what ties them together.

Pure functions; lengths are pixels. However many identifiers there are, a column has `SHOWN` boxes at most:
the best tied stand alone, all others are counted in one pile.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tekil.identity import Portrait

KINDS = ("user_id", "crm_id", "tckn", "vkn", "email", "phone")
"""Columns from the left; then all other kinds, and what devices are known by last."""

DEVICES = ("device_id", "advertising_id", "anonymous_id")

SHOWN = 6
BOX_WIDTH, BOX_HEIGHT = 148, 34
GAP_X, GAP_Y, TOP, EDGE = 44, 12, 34, 4
LABEL_MAX = 18
"""Letters of a value that a box has room for."""


@dataclass(frozen=True, slots=True)
class Column:
    """A kind's column: where its heading stands, and how many identifiers it has. Others' are `refused`."""

    kind: str
    x: float
    count: int
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """An identifier, or a pile of `count` of them. `person` is who has it, where that is somebody else."""

    kind: str
    label: str
    x: float
    y: float
    count: int = 1
    person: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """All that ties two boxes together: an SVG path, its width, and how many messages say so."""

    path: str
    width: float
    messages: int
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole picture. Lines are drawn first, boxes over them."""

    width: float
    height: float
    columns: list[Column]
    boxes: list[Box]
    lines: list[Line]


def draw(portrait: Portrait, *, with_others: bool = True) -> Graph:
    """Return a person's picture; without `with_others`, nothing of anybody else is in it."""
    refused = portrait.refused if with_others else []
    weight: dict[int, int] = defaultdict(int)
    for tie in portrait.ties:
        weight[tie.left] += tie.messages
        weight[tie.right] += tie.messages
    by_kind: dict[str, list[int]] = defaultdict(list)
    for number, node in enumerate(portrait.nodes):
        by_kind[node.kind].append(number)
    columns: list[Column] = []
    boxes: list[Box] = []
    box_of: dict[int, int] = {}
    # Who is refused by more of this person's identifiers is still one box.
    strangers = list(dict.fromkeys((one.other.kind, one.other.value, one.other_person) for one in refused))
    tallest = max([*(min(len(ns), SHOWN) for ns in by_kind.values()), min(len(strangers), SHOWN)])
    height = TOP + tallest * (BOX_HEIGHT + GAP_Y) + EDGE
    for kind in sorted(by_kind, key=_place):
        x = EDGE + len(columns) * (BOX_WIDTH + GAP_X)
        numbers = sorted(by_kind[kind], key=lambda number: (-weight[number], number))
        columns.append(Column(kind, x, len(numbers)))
        alone = numbers if len(numbers) <= SHOWN else numbers[: SHOWN - 1]
        tops = _tops(min(len(numbers), SHOWN), height)
        for number, y in zip(alone, tops, strict=False):
            box_of[number] = len(boxes)
            boxes.append(Box(kind, _short(portrait.nodes[number].value), x, y))
        if piled := numbers[len(alone) :]:
            box_of |= dict.fromkeys(piled, len(boxes))
            boxes.append(Box(kind, "", x, tops[-1], len(piled)))
    ties = _gathered([(box_of[tie.left], box_of[tie.right], tie.messages) for tie in portrait.ties])
    lines = [_line(boxes[one], boxes[other], messages) for (one, other), messages in ties.items()]
    if strangers:
        x = EDGE + len(columns) * (BOX_WIDTH + GAP_X)
        columns.append(Column("", x, len(strangers), refused=True))
        alone_max = len(strangers) if len(strangers) <= SHOWN else SHOWN - 1
        tops = _tops(min(len(strangers), SHOWN), height)
        theirs: dict[tuple[str, str, str], int] = {}
        for stranger, y in zip(strangers[:alone_max], tops, strict=False):
            theirs[stranger] = len(boxes)
            boxes.append(Box(stranger[0], _short(stranger[1]), x, y, 1, stranger[2]))
        if piled_others := strangers[alone_max:]:
            theirs |= dict.fromkeys(piled_others, len(boxes))
            boxes.append(Box("", "", x, tops[-1], len(piled_others), "-"))
        against = _gathered(
            [
                (box_of[one.node], theirs[one.other.kind, one.other.value, one.other_person], one.messages)
                for one in refused
            ]
        )
        lines += [_line(boxes[a], boxes[b], messages, refused=True) for (a, b), messages in against.items()]
    width = 2 * EDGE + len(columns) * (BOX_WIDTH + GAP_X) - GAP_X + _bulge(boxes, ties)
    return Graph(width, height, columns, boxes, lines)


def _place(kind: str) -> tuple[int, str]:
    if kind in KINDS:
        return KINDS.index(kind), kind
    return len(KINDS) + (1 + DEVICES.index(kind) if kind in DEVICES else 0), kind


def _tops(count: int, height: float) -> list[float]:
    """Return where so many boxes begin, in the middle of what is below the headings."""
    used = count * (BOX_HEIGHT + GAP_Y) - GAP_Y
    start = TOP + (height - TOP - EDGE - used) / 2
    return [start + number * (BOX_HEIGHT + GAP_Y) for number in range(count)]


def _gathered(ties: Sequence[tuple[int, int, int]]) -> dict[tuple[int, int], int]:
    """Return messages by pair of boxes; what is within one pile is no line."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    for one, other, messages in ties:
        if one != other:
            found[min(one, other), max(one, other)] += messages
    return found


def _line(one: Box, other: Box, messages: int, *, refused: bool = False) -> Line:
    left, right = (one, other) if one.x <= other.x else (other, one)
    y1, y2 = left.y + BOX_HEIGHT / 2, right.y + BOX_HEIGHT / 2
    x1 = left.x + BOX_WIDTH
    if left.x == right.x:
        bend = x1 + 30 + 0.12 * abs(y2 - y1)
        path = f"M{x1:.1f} {y1:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x1:.1f} {y2:.1f}"
    else:
        middle = (x1 + right.x) / 2
        path = f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {right.x:.1f} {y2:.1f}"
    return Line(path, round(1.2 + min(5.0, 1.7 * math.log10(max(messages, 1))), 2), messages, refused)


def _bulge(boxes: Sequence[Box], ties: dict[tuple[int, int], int]) -> float:
    """Return how much room lines within the last column need beside it."""
    last = max((box.x for box in boxes), default=0.0)
    inside = any(boxes[one].x == boxes[other].x == last for one, other in ties)
    return 60.0 if inside else 0.0


def _short(text: str) -> str:
    return text if len(text) <= LABEL_MAX else text[: LABEL_MAX - 1] + "…"
