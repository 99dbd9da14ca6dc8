"""From what was said of people to one row each: revealed in memory, in the form that is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from tekil.dictionary.sql import quoted
from tekil.identifiers import Policy
from tekil.identity import resolve_unlinked
from tekil.identity.graph import WORTH, Flags, Graph, Integers, Limits
from tekil.identity.persons import Persons
from tekil.links.model import FIELDS, People, beside_names, field_of
from tekil.privacy import Vault
from tekil.privacy.find import TOKEN
from tekil.warehouse import Warehouse

IDENTIFIER_FIELDS = ("email", "phone")
CHUNK = 20_000
"""Tokens that are revealed at a time."""


def read_people(warehouse: Warehouse, vault: Vault, policy: Policy) -> tuple[People, set[tuple[int, int]]]:
    """Return whom to compare, and the pairs of them (rows) of which people said that they differ.

    Persons are those that evidence makes without any link, so links are never their own reason. Left out are
    identifiers that are shared or used in turns, and people of whom fewer than two fields are known.
    """
    graph, limits, persons = resolve_unlinked(warehouse.read, policy)
    free = ~persons.sharing.is_cut
    said = _said(warehouse, graph, free)
    fields = {name: _column(said[name], persons.person, len(graph.keys)) for name in FIELDS}
    known = sum((column != None).astype(np.int64) for column in fields.values())  # noqa: E711
    chosen = np.flatnonzero(np.asarray(known) >= 2)
    named = _names(warehouse, graph, limits, persons, free)
    chosen = np.array([root for root in chosen.tolist() if root in named], dtype=np.int64)
    tokens = {name: column[chosen].tolist() for name, column in fields.items()}
    people = People(
        graph.keys[chosen],
        [named[root] for root in chosen.tolist()],
        _unique(graph, limits, persons)[chosen],
        _compared(tokens, vault),
        tokens,
    )
    return people, _differ(graph, persons, chosen)


def _said(warehouse: Warehouse, graph: Graph, free: Flags) -> Mapping[str, tuple[Integers, list[str]]]:
    """Return by field the positions of identifiers and what was said of each, the last word last."""
    order = np.argsort(graph.keys)
    found: dict[str, tuple[Integers, list[str]]] = {}
    for name, (keys, values) in _told(warehouse).items():
        at = order[np.minimum(np.searchsorted(graph.keys[order], keys), max(len(order) - 1, 0))]
        is_known = (graph.keys[at] == keys) & free[at]
        found[name] = at[is_known], [values[n] for n in np.flatnonzero(is_known).tolist()]
    return found


def _told(warehouse: Warehouse) -> Mapping[str, tuple[Integers, list[str]]]:
    told: dict[str, tuple[list[int], list[str]]] = {name: ([], []) for name in FIELDS}
    names: list[str] = warehouse.read("SELECT DISTINCT name FROM traits")["name"].to_pylist()
    wanted = {name: field for name in names if (field := field_of(name))}
    if wanted:
        rows = warehouse.read(f"""
            SELECT identifier_key, name,
              arg_max(value, {{'seen_at': occurred_at, 'key': message_key}}) AS value,
              max(occurred_at) AS seen
            FROM traits WHERE name IN ({", ".join(map(quoted, wanted))})
            GROUP BY identifier_key, name ORDER BY seen, identifier_key, name
        """)
        columns = (rows[name].to_pylist() for name in ("identifier_key", "name", "value"))
        for key, name, value in zip(*columns, strict=True):
            text = msgspec.json.decode(value)
            field = wanted[name]
            for one in ("first_name", "last_name") if field == "name" else (field,):
                if isinstance(text, str) and text:
                    # A whole name is cut where both halves are known: after it is revealed.
                    mark = f"{one}:" if field == "name" else ""
                    told[one][0].append(key)
                    told[one][1].append(mark + text)
    for kind in IDENTIFIER_FIELDS:
        rows = warehouse.read(
            f"SELECT identifier_key, value FROM identity WHERE kind = '{kind}'"
            " ORDER BY first_seen DESC, value"
        )
        told[kind] = rows["identifier_key"].to_pylist(), rows["value"].to_pylist()
    return {name: (np.array(keys, dtype=np.int64), values) for name, (keys, values) in told.items()}


def _column(said: tuple[Integers, list[str]], person: Integers, count: int) -> np.ndarray:
    """Return by person (a position) the last of what was said of their identifiers, or nothing."""
    column = np.full(count, None, dtype=object)
    places, values = said
    for root, value in zip(person[places].tolist(), values, strict=True):
        column[root] = value
    return column


def _compared(tokens: Mapping[str, Sequence[str | None]], vault: Vault) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    for name, column in tokens.items():
        distinct = {text for text in column if text}
        plain = _revealed(distinct, vault)
        forms = {text: _form(name, text, plain) or None for text in distinct}
        columns[name] = pa.array([forms.get(text) if text else None for text in column], pa.string())
    names = [columns[name].to_pylist() for name in ("email", "first_name", "last_name")]
    beside = [
        beside_names(a, b or "", c or "") or None if a else None for a, b, c in zip(*names, strict=True)
    ]
    columns["email"] = pa.array(beside, pa.string())
    rows = len(beside)
    return pa.table({"unique_id": pa.array(range(rows), pa.int64()), **columns})


def _revealed(texts: set[str], vault: Vault) -> Mapping[str, str]:
    tokens = sorted({token for text in texts for token in TOKEN.findall(text)})
    plain: dict[str, str] = {}
    for start in range(0, len(tokens), CHUNK):
        plain |= vault.reveal(tokens[start : start + CHUNK])
    return plain


def _form(name: str, text: str, plain: Mapping[str, str]) -> str:
    """Return a value in its compared form; empty where it is not kept any more, or says nothing."""
    is_half = text.startswith(f"{name}:")
    body = text.removeprefix(f"{name}:") if is_half else text
    # What is not kept any more was forgotten: it says nothing.
    body = TOKEN.sub(lambda match: plain.get(match[0], ""), body)
    if is_half:
        first, _, last = body.strip().rpartition(" ")
        body = first if name == "first_name" else last
    return FIELDS[name](body)


def _names(
    warehouse: Warehouse, graph: Graph, limits: Limits, persons: Persons, free: Flags
) -> Mapping[int, str]:
    """Return by person the identifier that a link names them by: the strongest that is theirs, the oldest."""
    places = np.flatnonzero(free)
    order = np.lexsort((places, -limits.worth[graph.kinds[places]], persons.person[places]))
    roots, first = np.unique(persons.person[places][order], return_index=True)
    chosen = places[order][first]
    rows = warehouse.read("SELECT identifier_key, kind || ':' || value AS name FROM identity")
    name_of = dict(zip(rows["identifier_key"].to_pylist(), rows["name"].to_pylist(), strict=True))
    pairs = zip(roots.tolist(), graph.keys[chosen].tolist(), strict=True)
    return {root: name_of[key] for root, key in pairs if key in name_of}


def _unique(graph: Graph, limits: Limits, persons: Persons) -> Integers:
    """Return by person a bit for each kind of which they have a value and nobody has two."""
    found: Integers = np.zeros(len(graph.keys), dtype=np.int64)
    single = np.flatnonzero((limits.worth == WORTH["unique"]) & (limits.per_person == 1))
    for bit, kind in enumerate(single.tolist()[:62]):
        found[persons.person[graph.kinds == kind]] |= 1 << bit
    return found


def _differ(graph: Graph, persons: Persons, chosen: Integers) -> set[tuple[int, int]]:
    row = {root: n for n, root in enumerate(chosen.tolist())}
    ends = (
        sorted(row.get(int(persons.person[end]), -1) for end in (said.left, said.right))
        for said in graph.said
        if said.act == "split"
    )
    return {(left, right) for left, right in ends if left >= 0}
