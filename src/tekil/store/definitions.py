"""Versions of definitions: every one that was ever in force, who made it, when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from sqlalchemy import Connection, Row, func, insert, select

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


class Rename(msgspec.Struct, frozen=True):
    """A definition that is called anew from a revision on."""

    revision: int
    kind: str
    old: str
    new: str


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
        """Return all versions of a definition, newest first, those under its former names among them."""
        with self._begin() as connection:
            rows = _rows_of(connection, kind)
        renames = {rename.revision: rename for rename in _renames_in(rows)}
        found: list[Version] = []
        until: int | None = None
        while name:
            mine = [v for v in rows if v.name == name and (until is None or v.revision < until)]
            found += reversed(mine)
            came = [renames[v.revision] for v in mine if v.revision in renames]
            # The old name's last version only says that it went, which is no news of this definition.
            name, until = (came[0].old, came[0].revision - 1) if came else ("", None)
        return found

    def renames(self, kind: str) -> list[Rename]:
        """Return all renames of a kind, the first one first."""
        with self._begin() as connection:
            return _renames_in(_rows_of(connection, kind))

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


def _rows_of(connection: Connection, kind: str) -> list[Version]:
    query = select(definitions).where(definitions.c.kind == kind).order_by(definitions.c.revision)
    return [_version(row) for row in connection.execute(query)]


def _renames_in(rows: Sequence[Version]) -> list[Rename]:
    """Return the renames among a kind's versions: the old name's end, and right after it the new one."""
    return [
        Rename(after.revision, after.kind, before.name, after.name)
        for before, after in pairwise(rows)
        if before.body is None
        and after.body is not None
        and after.revision == before.revision + 1
        and msgspec.json.decode(after.body).get("renamed_from") == before.name
    ]


def _version(row: Row[tuple[int, str, str, int, str | None, str, str, int]]) -> Version:
    return Version(**row._mapping)
