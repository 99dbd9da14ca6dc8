"""A person's identity as a picture: what they are known by, what ties it together, and how it came about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from tekil.identity.explain import Name
from tekil.identity.keys import identifier_key, person_id
from tekil.identity.sql import ACTS, ASSERTION
from tekil.warehouse import Warehouse

NODES_MAX = 1_000
"""Identifiers of one person that a picture looks at, the oldest first."""

REFUSED_MAX = 100

SAID_MAX = 20_000
"""How far back is looked for what people said of anybody, in records."""


class Node(msgspec.Struct, frozen=True):
    """An identifier of the person; `reference` names it to others and gives nothing away."""

    kind: str
    value: str
    reference: str
    first_seen: datetime
    last_seen: datetime


class Tie(msgspec.Struct, frozen=True):
    """All evidence between two of the nodes, by their places in the list."""

    left: int
    right: int
    how: str
    messages: int
    sources: list[str]
    first_seen: datetime
    last_seen: datetime


class RefusedTie(msgspec.Struct, frozen=True):
    """A link to somebody else that was refused: `kind` is what one person would have had too many of."""

    node: int
    other: Name
    other_person: str
    kind: str
    messages: int
    last_seen: datetime


What = Literal["begun", "joined", "merged", "merge", "split", "withdraw", "share", "refused"]


class Moment(msgspec.Struct, frozen=True):
    """Something that happened to a person's identity.

    `begun`, `joined` (an identifier came to them) and `merged` (two who were apart became one, `count`
    identifiers in all) follow from evidence; `merge`, `split`, `withdraw` and `share` were said by somebody.
    """

    at: datetime
    what: What
    left: Name
    right: Name | None = None
    count: int = 0
    by: str = ""
    reason: str = ""


class Portrait(msgspec.Struct, frozen=True):
    """Everything that is drawn of a person. `total` counts identifiers, those that are not listed too."""

    person_id: str
    total: int
    nodes: list[Node]
    ties: list[Tie]
    refused: list[RefusedTie]
    moments: list[Moment]


_NODES = f"""
SELECT identifier_key, kind, value, first_seen, last_seen, count(*) OVER () AS total
FROM identity WHERE person_key = $key ORDER BY first_seen, identifier_key LIMIT {NODES_MAX}
"""

_TIES = """
SELECT left_key, right_key, how, act, source, messages, first_seen, last_seen FROM evidence
WHERE left_key IN ({keys}) AND right_key IN ({keys}) AND left_key <> right_key
"""

_REFUSED = f"""
SELECT c.left_key, c.right_key, c.kind, c.messages, c.last_seen, o.kind AS other_kind, o.value AS other_value,
  o.person_key AS other_person
FROM conflicts c JOIN identity o ON o.identifier_key = CASE
  WHEN c.left_key IN ({{keys}}) THEN c.right_key ELSE c.left_key END
WHERE c.left_key IN ({{keys}}) OR c.right_key IN ({{keys}})
ORDER BY c.messages DESC, c.left_key, c.right_key LIMIT {REFUSED_MAX}
"""

_IS_SAID = """
SELECT count(*) AS said FROM evidence
WHERE how = 'asserted' AND (left_key IN ({keys}) OR right_key IN ({keys}))
"""

_SAID = f"""
SELECT key, fields, occurred_at FROM records WHERE object = '{ASSERTION}'
ORDER BY occurred_at DESC LIMIT {SAID_MAX}
"""


def portray(warehouse: Warehouse, person_key: int) -> Portrait | None:
    """Return the picture of a person, with tokens in the place of values; nothing where nobody is that."""
    rows = warehouse.read(_NODES, {"key": person_key}).to_pylist()
    if not rows:
        return None
    keys = [row["identifier_key"] for row in rows]
    listed = ", ".join(str(int(key)) for key in keys)
    nodes = [
        Node(row["kind"], row["value"], person_id(key), row["first_seen"], row["last_seen"])
        for row, key in zip(rows, keys, strict=True)
    ]
    place = {key: number for number, key in enumerate(keys)}
    ties = ties_of(warehouse.read(_TIES.format(keys=listed)).to_pylist(), place)
    refused = [_refused(row, place) for row in warehouse.read(_REFUSED.format(keys=listed)).to_pylist()]
    is_said = warehouse.read(_IS_SAID.format(keys=listed)).to_pylist()[0]["said"]
    said = said_of(warehouse.read(_SAID).to_pylist(), set(keys)) if is_said else []
    moments = sorted([*history(nodes, ties), *said], key=lambda moment: moment.at)
    return Portrait(person_id(person_key), rows[0]["total"], nodes, ties, refused, moments)


def ties_of(rows: Sequence[dict[str, Any]], place: dict[int, int]) -> list[Tie]:
    """Return the ties that rows of evidence make, the strongest first; what was taken back ties nothing."""
    pairs: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in rows:
        if row["act"] in (None, "merge"):
            pairs.setdefault((place[row["left_key"]], place[row["right_key"]]), []).append(row)
    ties = [
        Tie(
            min(pair),
            max(pair),
            max((row["how"] for row in found), key=("seen", "alias", "asserted").index),
            sum(row["messages"] for row in found),
            sorted({row["source"] for row in found}),
            min(row["first_seen"] for row in found),
            max(row["last_seen"] for row in found),
        )
        for pair, found in pairs.items()
    ]
    return sorted(ties, key=lambda tie: (-tie.messages, tie.left, tie.right))


def history(nodes: Sequence[Node], ties: Sequence[Tie]) -> Iterator[Moment]:
    """Yield how the person came about by evidence: the first identifier, who joined, and who merged.

    Two are one from the first message on that names both; a group that was there before is a merge, an
    identifier that came along with that message only joins.
    """
    if not nodes:
        return
    yield Moment(nodes[0].first_seen, "begun", _name(nodes[0]))
    group = list(range(len(nodes)))
    members = {number: [number] for number in group}
    for tie in sorted(ties, key=lambda tie: (tie.first_seen, tie.left, tie.right)):
        if tie.how == "asserted":
            continue  # whoever said it has an entry of their own
        one, other = sorted((group[tie.left], group[tie.right]))
        if one == other:
            continue
        ends = (nodes[tie.left], nodes[tie.right])
        were_there = all(
            min(nodes[n].first_seen for n in members[side]) < tie.first_seen for side in (one, other)
        )
        count = len(members[one]) + len(members[other])
        yield Moment(
            tie.first_seen, "merged" if were_there else "joined", _name(ends[0]), _name(ends[1]), count
        )
        for number in members.pop(other):
            group[number] = one
            members[one].append(number)


def _refused(row: dict[str, Any], place: dict[int, int]) -> RefusedTie:
    mine = row["left_key"] if row["left_key"] in place else row["right_key"]
    return RefusedTie(
        place[mine],
        Name(row["other_kind"], row["other_value"]),
        person_id(row["other_person"]),
        row["kind"],
        row["messages"],
        row["last_seen"],
    )


def said_of(rows: Sequence[dict[str, Any]], keys: set[int]) -> list[Moment]:
    """Return what records say outright of some identifiers, by keys; `key` and `fields` are JSON texts."""
    moments = []
    for row in rows:
        names, told = (msgspec.json.decode(row[part] or "{}") for part in ("key", "fields"))
        left, right = (Name(*str(names.get(side, ":")).partition(":")[::2]) for side in ("left", "right"))
        act = told.get("act")
        if act in ACTS and not keys.isdisjoint(identifier_key(one.kind, one.value) for one in (left, right)):
            more = (str(told.get("by") or ""), str(told.get("reason") or ""))
            moments.append(Moment(row["occurred_at"], act, left, None if left == right else right, 0, *more))
    return moments


def _name(node: Node) -> Name:
    return Name(node.kind, node.value)
