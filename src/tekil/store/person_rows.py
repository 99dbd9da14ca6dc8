"""A person's rows in the store: counted, and removed as each table declares it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, false, func, or_, select, update

from tekil.store.clock import Begin
from tekil.store.erasing import Erased
from tekil.store.tables import metadata

CHUNK = 500
"""Values in one IN list."""


class PersonRows:
    """Finds and removes what tables hold of a person."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def count(self, person_ids: Sequence[str], tokens: Sequence[str]) -> dict[str, int]:
        """Return, by table, how many rows are somebody's who has these ids and tokens; none is left out."""
        with self._begin() as connection:
            return {
                table.name: sum(
                    int(
                        connection.execute(select(func.count()).select_from(table).where(theirs)).scalar_one()
                    )
                    for theirs in _conditions(table, told, person_ids, tokens)
                )
                for table, told in declared()
                if told.what in ("delete", "pseudonymise")
            }

    def named(self, tokens: Sequence[str]) -> set[str]:
        """Return those of some tokens by which a row of any table is somebody's."""
        found: set[str] = set()
        with self._begin() as connection:
            for table, told in declared():
                for column in filter(None, (told.token, told.other)):
                    for start in range(0, len(tokens), CHUNK):
                        among = table.c[column].in_(tokens[start : start + CHUNK])
                        rows = connection.execute(select(table.c[column]).where(among).distinct())
                        found.update(row[0] for row in rows)
        return found

    def remove(self, person_ids: Sequence[str], hashes: Mapping[str, str]) -> dict[str, int]:
        """Remove rows, or what in them is the person's, in one transaction; return how many, by table.

        `hashes` gives what stands for each token afterwards. Doing it again changes nothing.
        """
        removed: dict[str, int] = {}
        with self._begin() as connection:
            for table, told in declared():
                if told.what == "delete":
                    removed[table.name] = sum(
                        connection.execute(delete(table).where(theirs)).rowcount
                        for theirs in _conditions(table, told, person_ids, list(hashes))
                    )
                elif told.what == "pseudonymise":
                    removed[table.name] = _pseudonymise(connection, table, told, hashes)
        return removed


def declared() -> Iterator[tuple[Table, Erased]]:
    """Yield all tables that say what erasure does with them, and what."""
    for table in metadata.sorted_tables:
        if (told := table.info.get("erasure")) is not None:
            yield table, told


def _conditions(
    table: Table, told: Erased, person_ids: Sequence[str], tokens: Sequence[str]
) -> Iterator[ColumnElement[bool]]:
    wanted = [(told.person, person_ids), (told.token, tokens), (told.other, tokens)]
    for column, values in wanted:
        for start in range(0, len(values) if column else 0, CHUNK):
            yield or_(false(), table.c[column].in_(values[start : start + CHUNK]))


def _pseudonymise(connection: Connection, table: Table, told: Erased, hashes: Mapping[str, str]) -> int:
    changed = 0
    for token, name in hashes.items():
        theirs = table.c[told.token] == token
        if told.unfinished is not None:
            column, values = told.unfinished
            changed += connection.execute(delete(table).where(theirs, table.c[column].in_(values))).rowcount
        changed += connection.execute(
            update(table).where(theirs).values({told.token: name, **told.instead})
        ).rowcount
    return changed
