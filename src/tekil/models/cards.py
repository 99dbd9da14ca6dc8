"""From a person's rows to the card that is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tekil.identity import person_id
from tekil.models.audiences import AUDIENCES
from tekil.models.features import FEATURES
from tekil.models.memberships import MEMBERS
from tekil.models.model import Model
from tekil.models.scores import SCORES, scores_in
from tekil.scores import GRADE
from tekil.store import Card, Identifier
from tekil.warehouse import Warehouse, bind

_CARDS = """
SELECT a.*, t.traits, t.trait_sources, u.browser, u.os, u.device, u.is_bot
FROM activity a
LEFT JOIN attributes t ON t.person_key = a.person_key
LEFT JOIN user_agents u ON u.user_agent = a.user_agent
ORDER BY a.person_key
"""
"""Everything on a card but its identifiers."""

_FEATURES = f"SELECT * FROM {FEATURES}"
_SCORES = f"SELECT * FROM {SCORES}"
_MEMBERS = f"SELECT person_key, audience, since FROM {MEMBERS.name} ORDER BY person_key, audience"
_IDENTIFIERS = "SELECT person_key, kind, value, identifier_key FROM identity"

CARD_TABLES = ("activity", "attributes", "identity")
"""What every card is made of, table by table."""


def card_tables(models: Sequence[Model]) -> tuple[str, ...]:
    """Return what cards are made of where these models are in force."""
    made = {model.name for model in models if model.columns}
    answers = [name for name in (FEATURES, SCORES) if name in made]
    return (*CARD_TABLES, *answers, *([MEMBERS.name] if AUDIENCES in made else []))


@dataclass(frozen=True, slots=True)
class CardRows:
    """The rows of some persons that make their cards; needs the warehouse no more."""

    rows: pa.Table
    identifiers: pa.Table
    features: pa.Table | None = None
    members: pa.Table | None = None
    scores: pa.Table | None = None

    @staticmethod
    def read(warehouse: Warehouse, answers: Mapping[str, str]) -> CardRows:
        """Read the rows from the relations, or SELECTs, that `answers` gives for each of `card_tables`."""
        return CardRows(
            warehouse.query(bind(_CARDS, answers)),
            warehouse.query(bind(_IDENTIFIERS, answers)),
            warehouse.query(bind(_FEATURES, answers)) if FEATURES in answers else None,
            warehouse.query(bind(_MEMBERS, answers)) if MEMBERS.name in answers else None,
            warehouse.query(bind(_SCORES, answers)) if SCORES in answers else None,
        )

    @staticmethod
    def read_of(warehouse: Warehouse, persons: str, tables: Sequence[str]) -> CardRows:
        """Read the rows that the tables hold of the persons in the relation `persons` (`person_key`)."""
        among = f"WHERE person_key IN (SELECT person_key FROM {persons})"
        return CardRows.read(warehouse, {table: f"SELECT * FROM {table} {among}" for table in tables})


_INSTANTS = ("first_seen", "last_seen")
_RECORDS = {
    "last_page": {},
    "first_touch": {"referrer_host": "referrer"},
    "last_touch": {"referrer_host": "referrer"},
}
"""Columns that are records with an instant → what some of their members are called on a card."""

_PLAIN = ("events", "pages", "events_7d", "events_30d", "sources", "locale", "browser", "os", "device")

_EMPTY = msgspec.Raw(b"{}")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def build_cards(found: CardRows) -> Iterator[Card]:
    """Yield a card for each person.

    A card's body is JSON; its instants are ISO 8601 in UTC. Everything is made column by column: a refresh
    makes thousands of cards.
    """
    rows, identifiers = found.rows, found.identifiers
    owned: dict[int, list[Identifier]] = {}
    columns = (identifiers[name].to_pylist() for name in ("person_key", "kind", "value", "identifier_key"))
    for person_key, kind, value, identifier_key in zip(*columns, strict=True):
        owned.setdefault(person_key, []).append(Identifier(kind, value, person_id(identifier_key)))
    keys = rows["person_key"].to_pylist()
    bodies: dict[str, Iterable[Any]] = {
        "person_id": [person_id(key) for key in keys],
        **{name: _iso(rows[name]) for name in _INSTANTS},
        **{name: rows[name].to_pylist() for name in _PLAIN},
        **{name: _raw(rows[name]) for name in ("traits", "trait_sources")},
        **{name: _timed(rows[name], named) for name, named in _RECORDS.items()},
        "is_bot": [bool(is_bot) for is_bot in rows["is_bot"].to_pylist()],
        **_answers(found, keys),
    }
    last_seen = rows["last_seen"].cast(pa.int64()).to_pylist()
    for key, seen, values in zip(keys, last_seen, zip(*bodies.values(), strict=True), strict=True):
        body = dict(zip(bodies, values, strict=True))
        yield Card(
            person_id=body["person_id"],
            body=_encode(body).decode(),
            last_seen=seen,
            identifiers=tuple(sorted(owned.get(key, []), key=_by_kind_and_value)),
        )


def _answers(found: CardRows, keys: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    """Return each person's features and scores, and since when they are in which audiences and stages."""
    told: dict[str, list[dict[str, Any]]] = {}
    if found.features is not None:
        names = [name for name in found.features.column_names if name not in ("person_key", "wake_at")]
        values = zip(*(_plain(found.features[name]) for name in names), strict=True)
        of = zip(found.features["person_key"].to_pylist(), values, strict=True)
        by_key = {key: dict(zip(names, row, strict=True)) for key, row in of}
        told["features"] = [by_key.get(key, {}) for key in keys]
    scored = [] if found.scores is None else scores_in(found.scores.column_names)
    if found.scores is not None:
        formulas = _formulas(found.scores, scored)
        told["formulas"] = [formulas.get(key, {}) for key in keys]
    if found.members is not None:
        audiences: dict[int, dict[str, Any]] = {}
        stages: dict[int, dict[str, Any]] = {}
        grades: dict[int, dict[str, Any]] = {}
        graded = {f"{name}_{GRADE}": name for name in scored}
        columns = (found.members["person_key"].to_pylist(), found.members["audience"].to_pylist())
        for key, name, since in zip(*columns, _iso(found.members["since"]), strict=True):
            chain, _, stage = name.partition(".")
            if chain in graded:
                grades.setdefault(key, {})[graded[chain]] = {"name": stage, "since": since}
            elif stage:
                stages.setdefault(key, {})[chain] = {"name": stage, "since": since}
            else:
                audiences.setdefault(key, {})[name] = since
        told["audiences"] = [audiences.get(key, {}) for key in keys]
        told["stages"] = [stages.get(key, {}) for key in keys]
        if scored:
            told["grades"] = [grades.get(key, {}) for key in keys]
    return told


def _formulas(rows: pa.Table, scored: Sequence[str]) -> dict[int, dict[str, msgspec.Raw]]:
    """Return by person's key the formula of each score that they have."""
    found: dict[int, dict[str, msgspec.Raw]] = {}
    keys = rows["person_key"].to_pylist()
    for name in scored:
        for key, formula in zip(keys, rows[name].to_pylist(), strict=True):
            if formula is not None:
                found.setdefault(key, {})[name] = msgspec.Raw(formula.encode())
    return found


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """Return values as JSON has them: an instant as ISO 8601."""
    values: list[Any] = _iso(column) if pa.types.is_timestamp(column.type) else column.to_pylist()
    return values


def _by_kind_and_value(identifier: Identifier) -> tuple[str, str]:
    return identifier.kind, identifier.value


def _raw(column: pa.ChunkedArray) -> list[msgspec.Raw]:
    """Return JSON texts as they are; an empty object where there is none."""
    return [msgspec.Raw(text.encode()) if text else _EMPTY for text in column.to_pylist()]


def _iso(column: pa.ChunkedArray) -> list[str | None]:
    """Return instants as ISO 8601 in UTC, to the millisecond."""
    written = pc.strftime(column.cast(pa.timestamp("ms"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    texts: list[str | None] = written.to_pylist()
    return texts


def _timed(column: pa.ChunkedArray, named: Mapping[str, str]) -> list[dict[str, Any] | None]:
    """Return records as a card shows them: the instant last, as `at`, members called as `named` says."""
    members = [field.name for field in column.type if field.name != "seen_at"]
    values = [pc.struct_field(column, name).to_pylist() for name in members]
    names = [*(named.get(name, name) for name in members), "at"]
    told = zip(*values, _iso(pc.struct_field(column, "seen_at")), strict=True)
    is_there = pc.is_valid(column).to_pylist()
    return [
        dict(zip(names, row, strict=True)) if there else None
        for there, row in zip(is_there, told, strict=True)
    ]
