"""Cards: what is known of a person, ready to be read in a millisecond by any of their identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

from tekil.access.policy import Condition
from tekil.store.clock import Begin
from tekil.store.tables import cards, identifiers, marks

CHUNK = 500
"""Values in one IN list; SQLite and PostgreSQL both plan that well."""

NUL = "\0"
"""In no identifier; PostgreSQL takes a text with it for an error, not for one that nobody has."""

PUBLISHED = "published_cycle"

_DELETE_IDENTIFIER = delete(identifiers).where(
    identifiers.c.kind == bindparam("of_kind"), identifiers.c.value == bindparam("of_value")
)

_NAMED = identifiers.alias("named")
_FIND = (
    select(
        cards.c.person_id,
        cards.c.body,
        cards.c.last_seen,
        identifiers.c.kind,
        identifiers.c.value,
        identifiers.c.identifier_id,
    )
    .select_from(
        _NAMED.join(cards, cards.c.person_id == _NAMED.c.person_id).join(
            identifiers, identifiers.c.person_id == cards.c.person_id
        )
    )
    .where(_NAMED.c.kind == bindparam("of_kind"), _NAMED.c.value == bindparam("of_value"))
    .order_by(identifiers.c.kind, identifiers.c.value)
)
"""Whoever owns an identifier, a row for each of theirs: one question, made once, is most of a lookup."""


class Identifier(msgspec.Struct, frozen=True):
    """A kind and a normalised value. `id` is the person id it would give, were it a person's oldest."""

    kind: str
    value: str
    id: str


class Card(msgspec.Struct, frozen=True):
    """A person, as published. `body` is a JSON object; `last_seen` is microseconds since the epoch."""

    person_id: str
    body: str
    last_seen: int
    identifiers: tuple[Identifier, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the body as Python values."""
        result: dict[str, Any] = msgspec.json.decode(self.body)
        return result


class Cards:
    """Reads and writes of cards. A person id that was merged away leads to the person it became."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def publish(self, gone: Sequence[str], changed: Sequence[Card], cycle: int | None) -> None:
        """Replace cards, in one transaction that also notes the engine's `cycle`.

        `gone` are person ids that may no longer exist; ids in `changed` are replaced whole, identifiers
        included. Publishing the same again changes nothing. Of a cycle published in parts only the last part
        notes it; the others give None.
        """
        bodies: list[dict[str, Any]] = [
            {"person_id": c.person_id, "body": c.body, "last_seen": c.last_seen} for c in changed
        ]
        rows: dict[tuple[str, str], tuple[str, ...]] = {
            (i.kind, i.value): (i.kind, i.value, i.id, card.person_id)
            for card in changed
            for i in card.identifiers
        }
        changed_ids = {card.person_id for card in changed}
        removed = sorted(set(gone) - changed_ids)
        with self._begin() as connection:
            for some in _chunks(removed):
                connection.execute(delete(cards).where(cards.c.person_id.in_(some)))
            _upsert(connection, cards, bodies)
            # A refresh seldom changes identifiers, and each lies in three indexes: write what differs.
            if stale := _take_out_kept(connection, [*removed, *sorted(changed_ids)], rows):
                connection.execute(_DELETE_IDENTIFIER, stale)
            names = identifiers.columns.keys()
            _upsert(connection, identifiers, [dict(zip(names, row, strict=True)) for row in rows.values()])
            if cycle is not None:
                _upsert(connection, marks, [{"name": PUBLISHED, "value": cycle}])

    def clear(self) -> None:
        """Forget all cards, before they are all published anew."""
        with self._begin() as connection:
            for table in (cards, identifiers, marks):
                connection.execute(delete(table))

    def published_cycle(self) -> int:
        """Return the last engine cycle whose cards are here, 0 before the first."""
        with self._begin() as connection:
            row = connection.execute(select(marks.c.value).where(marks.c.name == PUBLISHED)).first()
        return 0 if row is None else int(row.value)

    def get(self, person_id: str) -> Card | None:
        """Return the card of exactly this person id."""
        with self._begin() as connection:
            return _card(connection, person_id)

    def get_many(self, person_ids: Sequence[str]) -> list[Card]:
        """Return the cards of these person ids, identifiers included; ids of nobody are left out."""
        found: dict[str, Card] = {}
        owned: dict[str, list[Identifier]] = {}
        with self._begin() as connection:
            for some in _chunks(person_ids):
                for row in connection.execute(select(cards).where(cards.c.person_id.in_(some))):
                    found[row.person_id] = Card(*row)
                for row in connection.execute(
                    select(identifiers)
                    .where(identifiers.c.person_id.in_(some))
                    .order_by(identifiers.c.kind, identifiers.c.value)
                ):
                    owned.setdefault(row.person_id, []).append(
                        Identifier(row.kind, row.value, row.identifier_id)
                    )
        return [
            msgspec.structs.replace(card, identifiers=tuple(owned.get(person_id, ())))
            for person_id, card in found.items()
        ]

    def find(self, kind: str, value: str) -> Card | None:
        """Return the card of whoever owns an identifier. `value` must be normalised."""
        if NUL in kind + value:
            return None
        with self._begin() as connection:
            rows = connection.execute(_FIND, {"of_kind": kind, "of_value": value}).all()
        if not rows:
            return None
        owned = tuple(Identifier(*row[3:]) for row in rows)
        return Card(*rows[0][:3], owned)

    def redirect(self, person_id: str) -> str | None:
        """Return the person that a merged-away person id belongs to now, or nothing."""
        with self._begin() as connection:
            return connection.execute(
                select(identifiers.c.person_id).where(identifiers.c.identifier_id == person_id).limit(1)
            ).scalar_one_or_none()

    def search(self, text: str, limit: int = 50, within: Condition | None = None) -> list[Card]:
        """Return people one of whose identifiers, of any kind, starts with `text`; newest first.

        `within` leaves out whom an attribute rule puts out of reach.
        """
        if NUL in text:
            return []
        starts = identifiers.c.value >= text
        end = _after(text)
        if end is not None:
            starts &= identifiers.c.value < end
        owners = select(identifiers.c.person_id).where(or_(starts, identifiers.c.identifier_id == text))
        with self._begin() as connection:
            rows = connection.execute(
                select(cards)
                .where(cards.c.person_id.in_(owners.limit(1000)), _reach(connection, within))
                .order_by(cards.c.last_seen.desc(), cards.c.person_id)
                .limit(limit)
            )
            return [Card(*row) for row in rows]

    def newest(self, limit: int = 50, within: Condition | None = None) -> list[Card]:
        """Return the people seen last."""
        order = select(cards).order_by(cards.c.last_seen.desc(), cards.c.person_id).limit(limit)
        with self._begin() as connection:
            return [Card(*row) for row in connection.execute(order.where(_reach(connection, within)))]

    def count(self, within: Condition | None = None) -> int:
        """Return how many people there are within reach."""
        with self._begin() as connection:
            counted = select(func.count()).select_from(cards).where(_reach(connection, within))
            return int(connection.execute(counted).scalar_one())


def _reach(connection: Connection, within: Condition | None) -> ColumnElement[bool]:
    """Return `Condition.holds` as SQL. A trait's name has letters, digits and _ only, so it is a path."""
    if within is None:
        return true()
    is_text: ColumnElement[bool]
    if connection.dialect.name == "postgresql":
        trait = cast(cards.c.body, JSON)["traits"][within.trait]
        is_text = func.json_typeof(trait) == "string"
        is_within: ColumnElement[bool] = trait.as_string().in_(within.values)
        return is_text & is_within
    path = f"$.traits.{within.trait}"
    is_text = func.json_type(cards.c.body, path) == "text"
    is_within = func.json_extract(cards.c.body, path).in_(within.values)
    return is_text & is_within


def _after(text: str) -> str | None:
    """Return the first text after all that start with `text`, by code points; nothing where all follow it."""
    stem = text.rstrip("\U0010ffff")
    if not stem:
        return None
    code = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if code == 0xD800 else code)


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; one whose key is there already takes that one's place."""
    if not rows:
        return
    statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    rest = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    connection.execute(
        statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=rest), rows
    )


def _take_out_kept(
    connection: Connection, person_ids: Sequence[str], rows: dict[tuple[str, str], tuple[str, ...]]
) -> list[dict[str, str]]:
    """Take out of `rows` what is there already; return what these persons own and should not."""
    stale = []
    for some in _chunks(person_ids):
        for row in connection.execute(select(identifiers).where(identifiers.c.person_id.in_(some))):
            name = (row.kind, row.value)
            if name not in rows:
                stale.append({"of_kind": row.kind, "of_value": row.value})
            elif rows[name] == tuple(row):
                del rows[name]
    return stale


def _card(connection: Connection, person_id: str) -> Card | None:
    row = connection.execute(select(cards).where(cards.c.person_id == person_id)).first()
    if row is None:
        return None
    owned = connection.execute(
        select(identifiers.c.kind, identifiers.c.value, identifiers.c.identifier_id)
        .where(identifiers.c.person_id == person_id)
        .order_by(identifiers.c.kind, identifiers.c.value)
    )
    return Card(row.person_id, row.body, row.last_seen, tuple(Identifier(*i) for i in owned))
