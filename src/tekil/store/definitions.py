"""Versions of definitions: every one that was ever in force, who made it, when, and why."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Row, and_, func, insert, select

from tekil.errors import BadRequest
from tekil.store.clock import Begin, now_us
from tekil.store.tables import definitions


class NewVersion(msgspec.Struct, frozen=True):
    """A definition on its way into the store: the document as JSON, or nothing where it is removed."""

    kind: str
    name: str
    version: int
    body: str | None


class Version(msgspec.Struct, frozen=True):
    """One version of a definition. `revision` counts all changes; `applied_at` is microseconds, UTC.

    `body` is the document as JSON, nothing where this version removed it.
    """

    revision: int
    kind: str
    name: str
    version: int
    body: str | None
    author: str
    note: str
    applied_at: int


class Definitions:
    """Reads and writes of definitions. Nothing is ever overwritten: a change is a new version."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def revision(self) -> int:
        """Return the number of the last change, 0 before the first: when it moves, read again."""
        with self._begin() as connection:
            return int(connection.execute(select(func.max(definitions.c.revision))).scalar_one() or 0)

    def current(self, kind: str | None = None) -> list[Version]:
        """Return the definitions in force, of one kind or of all, by kind and name."""
        newest = (
            select(func.max(definitions.c.revision).label("revision"))
            .group_by(definitions.c.kind, definitions.c.name)
            .subquery()
        )
        query = (
            select(definitions)
            .join(newest, newest.c.revision == definitions.c.revision)
            .where(definitions.c.body.is_not(None))
            .order_by(definitions.c.kind, definitions.c.name)
        )
        if kind is not None:
            query = query.where(definitions.c.kind == kind)
        with self._begin() as connection:
            return [_version(row) for row in connection.execute(query)]

    def numbers(self) -> dict[tuple[str, str], int]:
        """Return the number of the last version of every definition there ever was, by kind and name."""
        query = select(definitions.c.kind, definitions.c.name, func.max(definitions.c.version)).group_by(
            definitions.c.kind, definitions.c.name
        )
        with self._begin() as connection:
            return {(kind, name): int(number) for kind, name, number in connection.execute(query)}

    def history(self, kind: str, name: str) -> list[Version]:
        """Return all versions of a definition, newest first."""
        mine = and_(definitions.c.kind == kind, definitions.c.name == name)
        query = select(definitions).where(mine).order_by(definitions.c.revision.desc())
        with self._begin() as connection:
            return [_version(row) for row in connection.execute(query)]

    def changes(self, limit: int = 50) -> list[Version]:
        """Return the last changes of all definitions, newest first."""
        query = select(definitions).order_by(definitions.c.revision.desc()).limit(limit)
        with self._begin() as connection:
            return [_version(row) for row in connection.execute(query)]

    def add(self, versions: Sequence[NewVersion], *, author: str, note: str, expected: int) -> None:
        """Put new versions in force, all or none.

        `expected` is the revision that they were planned on. Raises `BadRequest` where it has moved.
        """
        with self._begin() as connection:
            revision = int(connection.execute(select(func.max(definitions.c.revision))).scalar_one() or 0)
            if revision != expected:
                raise BadRequest(
                    "Somebody changed the definitions a moment ago. Look at the plan once more, and apply "
                    "it again.",
                    code="definitions_changed",
                )
            for number, version in enumerate(versions, revision + 1):
                # Two who came this far at once would take the same number; the second one is refused.
                connection.execute(
                    insert(definitions).values(
                        revision=number,
                        kind=version.kind,
                        name=version.name,
                        version=version.version,
                        body=version.body,
                        author=author,
                        note=note,
                        applied_at=now_us(),
                    )
                )


def _version(row: Row[tuple[int, str, str, int, str | None, str, str, int]]) -> Version:
    return Version(**row._mapping)
