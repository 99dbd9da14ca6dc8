"""What is read of audiences: how many are in, how that went, who they are, and what a change would do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tekil.definitions import Definition, stored
from tekil.dictionary.sql import quoted
from tekil.errors import BadRequest, NotFound, TekilError
from tekil.identity import person_id, person_key
from tekil.models import AUDIENCE_KIND, FEATURE_KIND, moves_sql, read_audiences
from tekil.reads import MovedPerson, Reads
from tekil.store import Card, Store

HOURS_SHOWN = 24 * 30
SAMPLE = 8
OVERLAP_MAX = 8
COMBINATIONS_MAX = 12
CHANGES_SHOWN = 20


class Size(msgspec.Struct, frozen=True):
    """How many were in at the end of an hour (UTC) in which anything changed, how many came and went."""

    hour: datetime
    people: int
    entered: int
    gone: int


class Audience(msgspec.Struct, frozen=True):
    """An audience in force: its definition, how many people are in now, and hours in which that changed."""

    name: str
    title: dict[str, str]
    owner: str
    version: int
    sql: str
    people: int
    history: list[Size]

    def title_in(self, language: str) -> str:
        """Return the title in a language, in another where there is none, or else the name."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.name


class Member(msgspec.Struct, frozen=True):
    """Somebody in an audience: their card, with personal values masked, and since when (UTC)."""

    card: Card
    since: datetime


class Members(msgspec.Struct, frozen=True):
    """Some members, the newest first, and the cursor that asks for the next (nothing at the end)."""

    people: list[Member]
    next: str | None


class Turn(msgspec.Struct, frozen=True):
    """One entry (or exit) of the journal."""

    person_id: str
    entered: bool
    turned_at: datetime
    cause: str


class Combination(msgspec.Struct, frozen=True):
    """How many people are in exactly these of some audiences."""

    audiences: list[str]
    people: int


class Move(msgspec.Struct, frozen=True):
    """What changed definitions do to an audience: how many would be in, come, and go."""

    audience: str
    people: int
    entering: int
    leaving: int


class Preview(msgspec.Struct, frozen=True):
    """What a condition would give: its numbers, and some of the people it holds for."""

    move: Move
    sample: list[Card]


class AudienceReads:
    """Reads of audiences. For many threads."""

    def __init__(self, reads: Reads, store: Store) -> None:
        """Take what reads the warehouse and cards, and the store of definitions."""
        self._reads, self._store = reads, store

    def all(self) -> list[Audience]:
        """Return all audiences in force, by name."""
        history = self.history()
        found = []
        for version in self._store.definitions.current(AUDIENCE_KIND.name):
            definition, sizes = stored(version), history.get(version.name, [])
            people = sizes[-1].people if sizes else 0
            of = (definition.name, definition.title, definition.owner, version.version)
            found.append(Audience(*of, str(definition.spec.get("sql", "")), people, sizes))
        return sorted(found, key=lambda one: one.name)

    def history(self) -> dict[str, list[Size]]:
        """Return the sizes of all audiences, stages and grades in the last month, each oldest first."""
        found: dict[str, list[Size]] = {}
        for row in self._sizes():
            hour = datetime.fromtimestamp(row["hour"] * 3600, UTC)
            size = Size(hour, row["people"], row["entered"], row["gone"])
            found.setdefault(row["audience"], []).append(size)
        return found

    def _sizes(self) -> list[dict[str, Any]]:
        """Return the rows of sizes of the last month, and the latest in any case."""
        rows: list[dict[str, Any]] = self._reads.sql(
            "SELECT hour, audience, people, entered, gone FROM audience_sizes"
            f" WHERE hour >= (SELECT max(hour) FROM audience_sizes) - {HOURS_SHOWN} ORDER BY hour, audience"
        ).to_pylist()
        return rows

    def one(self, name: str) -> Audience:
        """Return an audience in force. Raises `NotFound`."""
        for audience in self.all():
            if audience.name == name:
                return audience
        raise NotFound(f"There is no audience {name!r}.", code="audience_unknown")

    def people(self, name: str, *, cursor: str | None = None, limit: int = 50) -> Members:
        """Return who is in an audience, those who came last first. Raises `BadRequest` for a wrong cursor."""
        self.one(name)
        return self.members(name, cursor=cursor, limit=limit)

    def members(
        self, name: str, *, cursor: str | None = None, limit: int = 50, longer: timedelta | None = None
    ) -> Members:
        """Return who is in an audience, a stage or a grade of that very name, perhaps only for `longer`."""
        since, key = _parse_cursor(cursor)
        before = f"TIMESTAMP '{since.isoformat(sep=' ')}'"
        seconds = 0 if longer is None else int(longer.total_seconds())
        stayed = f" AND since <= now() - INTERVAL {seconds} SECOND" if seconds else ""
        rows = self._reads.answers(
            f"SELECT person_key, since FROM members WHERE audience = '{name}'"
            f" AND (since < {before} OR (since = {before} AND person_key > {key})){stayed}"
            f" ORDER BY since DESC, person_key LIMIT {int(limit) + 1}"
        ).to_pylist()
        shown = [Member(card, row["since"]) for row in rows[:limit] if (card := self._card(row))]
        if len(rows) <= limit:
            return Members(shown, None)
        last = rows[limit - 1]
        return Members(shown, f"{last['since'].isoformat()}_{person_id(last['person_key'])}")

    def sample(self, name: str, size: int = SAMPLE, salt: str = "") -> list[Member]:
        """Return some members by chance: the same ones each time, others with another salt."""
        self.one(name)
        by = f"key64({quoted(f'{salt}:')} || person_id_of(person_key))"
        rows = self._reads.answers(
            f"SELECT person_key, since FROM members WHERE audience = {quoted(name)}"
            f" ORDER BY {by}, person_key LIMIT {int(size)}"
        ).to_pylist()
        return [Member(card, row["since"]) for row in rows if (card := self._card(row))]

    def _card(self, row: dict[str, Any]) -> Card | None:
        """Return a person's card; nothing in the moment in which it is being published."""
        try:
            return self._reads.profile(person_id(row["person_key"]))
        except (NotFound, MovedPerson):
            return None

    def turns(self, name: str, limit: int = CHANGES_SHOWN) -> list[Turn]:
        """Return the last entries and exits of an audience, the newest first."""
        rows = self._reads.sql(
            "SELECT person_key, entered, turned_at, cause, noted_at FROM audience_changes WHERE audience = $1"
            f" ORDER BY noted_at DESC, turned_at DESC, person_key LIMIT {int(limit)}",
            [name],
        ).to_pylist()
        return [
            Turn(person_id(row["person_key"]), row["entered"], row["turned_at"], row["cause"]) for row in rows
        ]

    def overlap(self, names: Sequence[str]) -> list[Combination]:
        """Return how many people are in which of some audiences at once, the most first."""
        known = {audience.name for audience in self.all()}
        chosen = [name for name in dict.fromkeys(names) if name in known][:OVERLAP_MAX]
        if not chosen:
            return []
        flags = ", ".join(
            f"max(CASE WHEN audience = '{name}' THEN 1 ELSE 0 END) AS in_{i}" for i, name in enumerate(chosen)
        )
        columns = ", ".join(f"in_{i}" for i in range(len(chosen)))
        among = ", ".join(f"'{name}'" for name in chosen)
        rows = self._reads.sql(
            f"SELECT {columns}, count(*) AS people FROM (SELECT person_key, {flags} FROM members"
            f" WHERE audience IN ({among}) GROUP BY person_key) AS flagged"
            f" GROUP BY {columns} ORDER BY people DESC, {columns} LIMIT {COMBINATIONS_MAX}"
        ).to_pylist()
        return [
            Combination([name for i, name in enumerate(chosen) if row[f"in_{i}"]], row["people"])
            for row in rows
        ]

    def preview(self, wanted: Definition) -> Preview:
        """Return what an audience would be if it were written so. Raises `BadRequest` with the place."""
        beside = [d for d in self._in_force() if (d.kind, d.name) != (wanted.kind, wanted.name)]
        conditions, flaws = read_audiences([*beside, wanted])
        if wanted.name in flaws:
            raise BadRequest(flaws[wanted.name].text, code="definitions_invalid")
        sql = moves_sql(wanted.name, conditions)
        row = self._reads.answers(sql.count).to_pylist()[0]
        sample = self._reads.answers(f"{sql.people} ORDER BY last_seen DESC, person_key LIMIT {SAMPLE}")
        move = Move(wanted.name, row["people"], row["entering"], row["leaving"])
        return Preview(move, [card for row in sample.to_pylist() if (card := self._card(row))])

    def _in_force(self) -> list[Definition]:
        kinds = (FEATURE_KIND.name, AUDIENCE_KIND.name)
        return [stored(version) for kind in kinds for version in self._store.definitions.current(kind)]


def _parse_cursor(cursor: str | None) -> tuple[datetime, int]:
    if cursor is None:
        return datetime(9999, 1, 1), 0
    instant, _, reference = cursor.partition("_")
    try:
        since, key = datetime.fromisoformat(instant), person_key(reference)
        if since.tzinfo is not None or key is None:
            raise ValueError("no cursor of ours")
    except (ValueError, TekilError) as error:
        raise BadRequest(
            f"{cursor!r} is no cursor of ours; pass back `next` exactly as it was given, or leave it out.",
            code="cursor_invalid",
        ) from error
    return since, key
