"""Who is meant by a reference, and everything that they are known by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from tekil.engine import Engine
from tekil.errors import BadRequest
from tekil.identity import person_id, person_key
from tekil.load import sealed_identifier
from tekil.messages import IDENTIFIER_KINDS, hashed_identifier
from tekil.privacy.find import TOKEN
from tekil.privacy.tokens import Tokens
from tekil.privacy.tombstones import Identifier

Turn = tuple[int, datetime, datetime]
"""The key of a device, and from when until when it was somebody's."""

TURNS = pa.schema(
    [
        ("identifier_key", pa.int64()),
        ("valid_from", pa.timestamp("us")),
        ("valid_until", pa.timestamp("us")),
    ]
)

_ONLY_THEIRS = """NOT EXISTS (
  SELECT 1 FROM ownership o WHERE o.identifier_key = i.identifier_key AND o.person_key <> i.person_key)"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to erase. `keys` are those of the person, none where no message ever named them.

    `identifiers` are as the tables hold them; `ledger_tokens` stand for the same in the consent ledger.
    `told_as` is what stands for their plain ids in fields that are declared personal, in others' messages.
    `known_keys` are keys of identifiers that nothing else is known of any more. A device that others use too
    is none of their identifiers: `turns` says from when until (and without) when it was theirs.
    """

    keys: tuple[int, ...]
    identifiers: tuple[Identifier, ...]
    ledger_tokens: tuple[str, ...]
    known_keys: tuple[int, ...] = ()
    turns: tuple[Turn, ...] = ()
    told_as: tuple[Identifier, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Return their person ids."""
        return [person_id(key) for key in self.keys]

    @property
    def identifier_keys(self) -> list[int]:
        """Return the keys of their identifiers."""
        return sorted({*self.known_keys, *(hashed_identifier(*one) for one in self.identifiers)})

    @property
    def tokens(self) -> list[str]:
        """Return the tokens that stand for them: among the identifiers' values, and for the others."""
        return [value for _, value in (*self.identifiers, *self.told_as) if TOKEN.fullmatch(value)]

    def key_rows(self) -> pa.Table:
        """Return the keys of the identifiers, as `identifier_key`."""
        return pa.table({"identifier_key": pa.array(self.identifier_keys, pa.int64())})

    def turn_rows(self) -> pa.Table:
        """Return when devices were theirs, as `identifier_key`, `valid_from`, `valid_until`."""
        columns = list(zip(*self.turns, strict=True)) or [(), (), ()]
        return pa.table(dict(zip(TURNS.names, columns, strict=True)), TURNS)

    def person_rows(self) -> pa.Table:
        """Return the keys of the person, as `person_key`."""
        return pa.table({"person_key": pa.array(list(self.keys), pa.int64())})


def find_person(engine: Engine, reference: str) -> Person:
    """Return whoever `kind:value` belongs to, or a person id, with all their identifiers.

    Somebody whom no message named can still stand in the consent ledger or at the desk: then the identifier
    is all there is. Raises `BadRequest` for a reference that can be none.
    """
    kind, colon, value = reference.partition(":")
    if not colon:
        found = person_key(reference)
        if found is None:
            raise _no_reference(reference)
        return _of_keys(engine, f"i.identifier_key = {found}", ())
    sealed = sealed_identifier(kind, value, engine.vault) if kind in IDENTIFIER_KINDS else None
    if sealed is None or "\0" in value:
        raise _no_reference(reference)
    return _of_keys(engine, f"i.identifier_key = {hashed_identifier(kind, sealed)}", [(kind, sealed)])


def find_by_keys(engine: Engine, identifier_keys: Sequence[int]) -> Person:
    """Return whoever owns identifiers, known by their keys alone: how an erasure goes on after a crash."""
    wanted = ", ".join(str(int(key)) for key in identifier_keys) or "-1"
    found = _of_keys(engine, f"i.identifier_key IN ({wanted})", ())
    return replace(found, known_keys=tuple(identifier_keys))


def _of_keys(engine: Engine, condition: str, known: Sequence[Identifier]) -> Person:
    persons = f"(SELECT i.person_key FROM identity i WHERE {condition})"
    rows = engine.warehouse.query(
        f"SELECT i.person_key, i.kind, i.value FROM identity i WHERE i.person_key IN {persons}"
        f" AND {_ONLY_THEIRS} ORDER BY i.kind, i.value"
    ).to_pylist()
    turns = engine.warehouse.query(
        "SELECT i.identifier_key, i.valid_from, i.valid_until FROM ownership i"
        f" WHERE i.person_key IN {persons} AND EXISTS (SELECT 1 FROM ownership o"
        " WHERE o.identifier_key = i.identifier_key AND o.person_key <> i.person_key)"
    )
    identifiers = dict.fromkeys((row["kind"], row["value"]) for row in rows) or dict.fromkeys(known)
    tokens = Tokens(engine.vault)
    return Person(
        tuple(sorted({row["person_key"] for row in rows})),
        tuple(identifiers),
        tuple(tokens.token(kind, value) for kind, value in identifiers),
        turns=tuple(zip(*(turns[name].to_pylist() for name in TURNS.names), strict=True)),
        told_as=tuple(
            ("other", engine.vault.token("other", value))
            for _, value in identifiers
            if not TOKEN.fullmatch(value)
        ),
    )


def _no_reference(reference: str) -> BadRequest:
    return BadRequest(
        f"{reference!r} names nobody. Write a person id, or one of "
        f"{', '.join(f'{kind}:…' for kind in IDENTIFIER_KINDS)}.",
        code="identifier_invalid",
    )
