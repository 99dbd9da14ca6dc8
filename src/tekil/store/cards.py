"""Cards: what is known of a person, ready to be read in a millisecond by any of their identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, or_, select

from tekil.store.clock import Begin
from tekil.store.tables import cards, identifiers, marks

CHUNK = 500
"""Values in one IN list; SQLite and PostgreSQL both plan that well."""

PUBLISHED = "published_cycle"


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

    def publish(self, gone: Sequence[str], changed: Sequence[Card], cycle: int) -> None:
        """Replace cards, in one transaction that also notes the engine's `cycle`.

        `gone` are person ids that may no longer exist; ids in `changed` are replaced whole, identifiers
        included. Publishing the same again changes nothing.
        """
        ids = sorted({*gone, *(card.person_id for card in changed)})
        rows = [
            {"kind": i.kind, "value": i.value, "identifier_id": i.id, "person_id": card.person_id}
            for card in changed
            for i in card.identifiers
        ]
        with self._begin() as connection:
            for start in range(0, len(ids), CHUNK):
                some = ids[start : start + CHUNK]
                connection.execute(delete(cards).where(cards.c.person_id.in_(some)))
                connection.execute(delete(identifiers).where(identifiers.c.person_id.in_(some)))
            _insert(
                connection,
                cards,
                [{"person_id": c.person_id, "body": c.body, "last_seen": c.last_seen} for c in changed],
            )
            _insert(connection, identifiers, rows)
            connection.execute(delete(marks).where(marks.c.name == PUBLISHED))
            connection.execute(insert(marks).values(name=PUBLISHED, value=cycle))

    def clear(self) -> None:
        """Forget all cards, before a rebuild publishes them anew."""
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

    def find(self, kind: str, value: str) -> Card | None:
        """Return the card of whoever owns an identifier. `value` must be normalised."""
        with self._begin() as connection:
            owner = connection.execute(
                select(identifiers.c.person_id).where(
                    identifiers.c.kind == kind, identifiers.c.value == value
                )
            ).scalar_one_or_none()
            return None if owner is None else _card(connection, owner)

    def redirect(self, person_id: str) -> str | None:
        """Return the person that a merged-away person id belongs to now, or nothing."""
        with self._begin() as connection:
            return connection.execute(
                select(identifiers.c.person_id).where(identifiers.c.identifier_id == person_id).limit(1)
            ).scalar_one_or_none()

    def search(self, text: str, limit: int = 50) -> list[Card]:
        """Return people one of whose identifiers, of any kind, starts with `text`; newest first."""
        end = text[:-1] + chr(min(ord(text[-1]) + 1, 0x10FFFF)) if text else ""
        starts = identifiers.c.value.between(text, end) if text else identifiers.c.value.isnot(None)
        owners = select(identifiers.c.person_id).where(or_(starts, identifiers.c.identifier_id == text))
        with self._begin() as connection:
            rows = connection.execute(
                select(cards)
                .where(cards.c.person_id.in_(owners.limit(1000)))
                .order_by(cards.c.last_seen.desc(), cards.c.person_id)
                .limit(limit)
            )
            return [Card(*row) for row in rows]

    def newest(self, limit: int = 50) -> list[Card]:
        """Return the people seen last."""
        order = select(cards).order_by(cards.c.last_seen.desc(), cards.c.person_id).limit(limit)
        with self._begin() as connection:
            return [Card(*row) for row in connection.execute(order)]

    def count(self) -> int:
        """Return how many people there are."""
        with self._begin() as connection:
            return int(connection.execute(select(func.count()).select_from(cards)).scalar_one())


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


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
