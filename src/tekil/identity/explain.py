"""Why two identifiers are one person: the chain of evidence, link by link; and what was refused, and why."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from tekil.identity.keys import person_id
from tekil.warehouse import Warehouse


class Name(msgspec.Struct, frozen=True):
    """An identifier as it stands in the tables: personal values are tokens."""

    kind: str
    value: str


class Link(msgspec.Struct, frozen=True):
    """Evidence between two identifiers: in how many messages of which sources, from when until when."""

    left: Name
    right: Name
    how: str
    sources: list[str]
    messages: int
    first_seen: datetime
    last_seen: datetime


class Refusal(msgspec.Struct, frozen=True):
    """A link that was refused: one person would have too many of `kind`, or `split` was said of them."""

    left: Name
    right: Name
    kind: str
    messages: int
    last_seen: datetime
    left_person: str
    right_person: str


class Turn(msgspec.Struct, frozen=True):
    """Whose a device that several people use is, from when until when."""

    person_id: str
    owner: Name
    valid_from: datetime
    valid_until: datetime


class Explanation(msgspec.Struct, frozen=True):
    """Everything about an identifier: its person, what joins it there, what was refused, whose turns it has.

    `chain` leads from the first identifier to the second, or to the person's oldest. `shared` says why it
    joins nobody, where it does not.
    """

    person_id: str
    other_person_id: str | None
    chain: list[Link]
    refused: list[Refusal]
    shared: str | None
    turns: list[Turn]


_EVIDENCE = """
SELECT left_key, right_key, how, act, source, messages, first_seen, last_seen FROM evidence
WHERE (left_key IN ({keys}) OR right_key IN ({keys})) AND (how <> 'linked' OR weight >= {accept})
"""

_REFUSED = """
SELECT c.left_key, c.right_key, c.kind, c.messages, c.last_seen, l.person_key AS left_person,
  r.person_key AS right_person
FROM conflicts c JOIN identity l ON l.identifier_key = c.left_key
JOIN identity r ON r.identifier_key = c.right_key
WHERE c.left_key IN ({keys}) OR c.right_key IN ({keys})
ORDER BY c.messages DESC, c.left_key, c.right_key LIMIT 200
"""

FAR = 1e6
"""How far a link counts that was only found to be alike: further than any way over what was said."""

CLUSTER_MAX = 20_000
"""Identifiers of one cluster that an explanation looks at."""


def explain(
    warehouse: Warehouse, key: int, other: int | None = None, accept: int | None = None
) -> Explanation | None:
    """Return why an identifier is of its person, or of one person with another; nothing where it is unknown.

    `key` and `other` are identifier keys, `accept` the weight from which links count, if any do.
    """
    ends = {row["identifier_key"]: row for row in _rows(warehouse, "identity", [key, other or key])}
    if key not in ends or (other is not None and other not in ends):
        return None
    mine = ends[key]
    theirs = ends[mine["person_key"] if other is None else other] if other is not None else mine
    cluster = warehouse.read(
        "SELECT identifier_key, kind, value, person_key FROM identity WHERE cluster_key = $key"
        f" LIMIT {CLUSTER_MAX}",
        {"key": mine["cluster_key"]},
    ).to_pylist()
    keys = [row["identifier_key"] for row in cluster]
    evidence = warehouse.read(
        _EVIDENCE.format(keys=_listed(keys), accept="NULL" if accept is None else accept)
    ).to_pylist()
    goal = mine["person_key"] if other is None else other
    same = {row["identifier_key"] for row in cluster if row["person_key"] == mine["person_key"]}
    path = chain(evidence, same, key, goal)
    refused = warehouse.read(
        _REFUSED.format(keys=_listed([key] if other is None else [key, other]))
    ).to_pylist()
    turns = warehouse.read(
        "SELECT owner_key, person_key, valid_from, valid_until FROM ownership WHERE identifier_key = $key"
        " AND valid_from < valid_until ORDER BY valid_from",
        {"key": key},
    ).to_pylist()
    names = _names(
        warehouse, cluster, [key, goal, *_ends_of(path, refused), *(t["owner_key"] for t in turns)]
    )
    shared = warehouse.read("SELECT reason FROM shared WHERE identifier_key = $key", {"key": key}).to_pylist()
    return Explanation(
        person_id(mine["person_key"]),
        None if other is None else person_id(theirs["person_key"]),
        [_link(rows, names) for rows in path],
        [
            Refusal(
                names[row["left_key"]],
                names[row["right_key"]],
                row["kind"],
                row["messages"],
                row["last_seen"],
                person_id(row["left_person"]),
                person_id(row["right_person"]),
            )
            for row in refused
        ],
        shared[0]["reason"] if shared else None,
        [
            Turn(person_id(row["person_key"]), names[row["owner_key"]], row["valid_from"], row["valid_until"])
            for row in turns
        ],
    )


def chain(
    evidence: Sequence[dict[str, Any]], among: set[int], start: int, goal: int
) -> list[list[dict[str, Any]]]:
    """Return the way from one identifier to another whose weakest link is the strongest, shortest of these.

    Each step is the rows of evidence of one pair. Only identifiers in `among` are stepped on; where there is
    no way, or nowhere to go, it is empty.
    """
    links: dict[int, dict[int, list[dict[str, Any]]]] = {}
    for row in evidence:
        left, right = row["left_key"], row["right_key"]
        if left != right and left in among and right in among and row["act"] in (None, "merge", "link"):
            links.setdefault(left, {}).setdefault(right, []).append(row)
            links.setdefault(right, {})[left] = links[left][right]
    waiting: list[tuple[float, int, int]] = [(0.0, start, start)]
    came_from: dict[int, int] = {}
    while waiting:
        cost, node, before = heapq.heappop(waiting)
        if node in came_from:
            continue
        came_from[node] = before
        if node == goal:
            break
        for neighbour, rows in links.get(node, {}).items():
            if neighbour not in came_from:
                told = sum(row["messages"] for row in rows if row["how"] != "linked")
                # A way over what was only found to be alike is taken where there is no other.
                step = 1 + 1 / (1 + told) if told else FAR
                heapq.heappush(waiting, (cost + step, neighbour, node))
    path: list[list[dict[str, Any]]] = []
    node = goal
    while node in came_from and node != start:
        path.append(links[node][came_from[node]])
        node = came_from[node]
    return path[::-1]


def _link(rows: Sequence[dict[str, Any]], names: dict[int, Name]) -> Link:
    return Link(
        names[rows[0]["left_key"]],
        names[rows[0]["right_key"]],
        max((row["how"] for row in rows), key=("linked", "seen", "alias", "asserted").index),
        sorted({row["source"] for row in rows}),
        sum(row["messages"] for row in rows),
        min(row["first_seen"] for row in rows),
        max(row["last_seen"] for row in rows),
    )


def _ends_of(path: Sequence[Sequence[dict[str, Any]]], refused: Sequence[dict[str, Any]]) -> list[int]:
    rows = [*(rows[0] for rows in path), *refused]
    return [row[end] for row in rows for end in ("left_key", "right_key")]


def _names(warehouse: Warehouse, known: Sequence[dict[str, Any]], keys: Sequence[int]) -> dict[int, Name]:
    found = {row["identifier_key"]: Name(row["kind"], row["value"]) for row in known}
    if missing := [key for key in keys if key not in found]:
        found |= {
            row["identifier_key"]: Name(row["kind"], row["value"])
            for row in _rows(warehouse, "identity", missing)
        }
    return found


def _rows(warehouse: Warehouse, table: str, keys: Sequence[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = warehouse.read(
        f"SELECT * FROM {table} WHERE identifier_key IN ({_listed(keys)})"
    ).to_pylist()
    return rows


def _listed(keys: Sequence[int]) -> str:
    return ", ".join(str(int(key)) for key in keys) or "NULL"
