"""Who is in which audience since when, who came and went and why, and how many there were.

Whoever is in a stage of a chain is in `chain.stage`, as in an audience. A model's row says who is in now.
What lasts beside it is written by the same commit: `members` is whom a row says to be in, with the instant
since when; `audience_changes` is a journal that nothing but erasure ever changes; `audience_sizes` counts by
the hour, so that the history of a size outlives who was in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tekil.identity import People
from tekil.models.model import Model
from tekil.models.stages import label
from tekil.warehouse import BY_IDENTIFIER, BY_PERSON, Column, Erasure, Table, Warehouse, arrow_schema

MEMBERS = Table(
    "members",
    (
        Column("person_key", "bigint"),
        Column("audience", "text"),
        Column("since", "timestamp"),
        Column("version", "bigint"),
    ),
    key="person_key",
    erasure=BY_PERSON,
)

AUDIENCE_CHANGES = Table(
    "audience_changes",
    (
        # Whoever it was then. A person's key is that of one of their identifiers, so erasure finds the rows
        # of all persons that became one.
        Column("person_key", "bigint"),
        Column("audience", "text"),
        Column("version", "bigint"),
        Column("entered", "boolean"),
        # When it became true, why, and the clock of the cycle that noticed.
        Column("turned_at", "timestamp"),
        Column("cause", "text"),
        Column("noted_at", "timestamp"),
    ),
    key="person_key",
    erasure=BY_IDENTIFIER,
)

AUDIENCE_SIZES = Table(
    "audience_sizes",
    (
        # The hour, counted from the epoch (UTC). Every hour that is here has a row for every audience, with
        # how many were in at its end; of hours that are missing nothing changed.
        Column("hour", "bigint"),
        Column("audience", "text"),
        Column("people", "bigint"),
        Column("entered", "bigint"),
        Column("gone", "bigint"),
    ),
    key="hour",
    erasure=Erasure("nobody", "counts of people"),
)

RENAMES = Table(
    "audience_renames",
    (Column("revision", "bigint"), Column("old", "text"), Column("new", "text")),
    key="revision",
    erasure=Erasure("nobody", "names of audiences"),
)
"""Which renames of audiences the other tables have followed, by revision of the definitions."""

MEMBERSHIP_TABLES = (MEMBERS, AUDIENCE_CHANGES, AUDIENCE_SIZES, RENAMES)

MEMBERS_THEN = f"""
SELECT person_key, audience, since FROM (
  SELECT person_key, audience, sum(CASE WHEN entered THEN 1 ELSE -1 END) AS is_in,
    arg_max(turned_at, noted_at) FILTER (WHERE entered) AS since
  FROM {AUDIENCE_CHANGES.name} WHERE noted_at <= {{instant}} GROUP BY person_key, audience
) AS last WHERE is_in > 0
"""
"""Who was in, and since when, at an instant (a SQL literal).

Comings and goings are counted: a definition and an event may both turn somebody within one microsecond.
"""

CARRIED = "carried_members"

MEMBERS_KEPT = "members_kept"
"""Rows of `members` of the persons at hand, as they are going to be."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was staged of some persons before their answers are derived anew.

    `before` holds who was in (rows of `members`), `carried` who was, by persons as they are now, `moments`
    when and why a person's answers change now.
    """

    before: str
    carried: str
    moments: str
    activity: str

    @property
    def bindings(self) -> dict[str, str]:
        """What models read that ask since when somebody is in an audience."""
        return {MEMBERS.name: self.carried, "moments": self.moments}


def standing_of_touched(warehouse: Warehouse, people: People, activity: str, said: str | None) -> Standing:
    """Stage what a refresh needs: of `touched_persons_all`, by `due`, and the events `said` just now, if any.

    Where nothing was said history was taken away, and whoever is touched changes by that. `activity` is the
    relation in which it is going to be staged who is.
    """
    warehouse.pick("old_members", MEMBERS.name, MEMBERS.column_names, "touched_persons_all")
    carry(warehouse, "old_members", "old_identity", people.identity)
    rows = people.rows(f"SELECT identifier_key, occurred_at, known_at FROM {said}") if said else ""
    spoke = f"SELECT person_key, max(known_at) AS known_at FROM ({rows}) AS said GROUP BY person_key"
    nobody = "SELECT person_key, CAST(NULL AS TIMESTAMP) AS known_at FROM touched_persons_all WHERE FALSE"
    otherwise = "identity" if said else "erasure"
    warehouse.derive(
        "moments",
        f"""
        SELECT p.person_key, least(coalesce(s.known_at, d.woke_at, now()), now()) AS turned_at,
          CASE WHEN s.known_at IS NOT NULL THEN 'event' WHEN d.woke_at IS NOT NULL THEN 'time'
            ELSE '{otherwise}' END AS cause
        FROM (SELECT DISTINCT person_key FROM touched_persons_all) AS p
        LEFT JOIN ({spoke if said else nobody}) AS s ON s.person_key = p.person_key
        LEFT JOIN (SELECT person_key, min(woke_at) AS woke_at FROM due GROUP BY person_key) AS d
          ON d.person_key = p.person_key
        """,
    )
    return Standing("old_members", CARRIED, "moments", activity)


def standing_of_all(warehouse: Warehouse, activity: str) -> Standing:
    """Stage what a rebuild or a backfill needs of everybody; `derive` has staged who is `carried`."""
    warehouse.derive("moments", moments_of_all(activity))
    return Standing(MEMBERS.name, CARRIED, "moments", activity)


def moments_of_all(activity: str) -> str:
    """Return the SELECT by which whatever differs does so from now on, by what is asked."""
    return f"SELECT person_key, now() AS turned_at, 'definition' AS cause FROM {activity}"


def carry(warehouse: Warehouse, members: str, before: str | None, after: str) -> None:
    """Stage who was in (a relation like `MEMBERS`) by person as of now, from identity before and after.

    Who is joined to, or parted from, somebody has been in since they were; a person's own time comes first.
    """
    joined = (
        ""
        if before is None
        else f"""
          UNION ALL
          SELECT d.person_key, m.audience, m.since, CAST(NULL AS TIMESTAMP) AS own
          FROM {members} AS m JOIN (
            SELECT DISTINCT n.person_key, o.person_key AS from_key
            FROM {before} AS o JOIN {after} AS n ON n.identifier_key = o.identifier_key
            WHERE n.person_key <> o.person_key
          ) AS d ON d.from_key = m.person_key"""
    )
    warehouse.derive(
        CARRIED,
        f"""
        SELECT person_key, audience, coalesce(max(own), min(since)) AS since FROM (
          SELECT person_key, audience, since, since AS own FROM {members} AS all_members{joined}
        ) AS both_ways GROUP BY person_key, audience
        """,
    )


@dataclass(frozen=True, slots=True)
class Turned:
    """Rows of the journal that were staged as `turned`: how many, of which audiences."""

    warehouse: Warehouse
    audiences: tuple[str, ...]
    changes: int

    def write(self, *, anew: bool = False) -> None:
        """Write them, in the transaction of the answers that they follow from; sizes `anew`: by counting."""
        warehouse = self.warehouse
        if self.changes:
            kept = f"SELECT * FROM {MEMBERS_KEPT} WHERE person_key IN (SELECT person_key FROM turned)"
            warehouse.replace(MEMBERS.name, "turned", kept)
            warehouse.append(AUDIENCE_CHANGES.name, "SELECT * FROM turned")
        if self.changes or anew:
            count_sizes(warehouse, self.audiences, anew=anew)


def stage_changes(
    warehouse: Warehouse, standing: Standing, model: Model, answers: str, versions: Mapping[str, int]
) -> Turned:
    """Stage how the relation `answers` of the audiences' model differs from who was in before.

    `versions` are those of the definitions in force, by the model's column.
    """
    rows = warehouse.query(f"SELECT * FROM {answers}")
    warehouse.stage("members_now", _long(rows, model))
    by_name = {n: v for column, v in versions.items() for n in (column, *labels_of(model, column))}
    known = {"audience": list(by_name), "version": list(by_name.values())}
    warehouse.stage("audience_versions", pa.table(known, schema=_VERSIONS))
    select = _TURNED.format(before=standing.before, carried=standing.carried, activity=standing.activity)
    warehouse.derive("turned", select)
    warehouse.derive(MEMBERS_KEPT, _KEPT.format(before=standing.before))
    changes = int(warehouse.query("SELECT count(*) AS n FROM turned")["n"][0].as_py())
    return Turned(warehouse, memberships_of(model), changes)


def memberships_of(model: Model) -> tuple[str, ...]:
    """Return the names of all that somebody can be in by a model's rows: audiences, and values of texts."""
    return tuple(
        name
        for column in model.columns
        for name in (labels_of(model, column) if column in model.values else [column])
    )


def labels_of(model: Model, column: str) -> list[str]:
    """Return what being in each value of a column is called, where it is one of a few."""
    return [label(column, value) for value in model.values.get(column, ())]


def _long(rows: pa.Table, model: Model) -> pa.Table:
    """Return one row a person and audience of those that hold, or value that a person has."""
    parts = []
    for column in model.columns:
        answers = rows[column]
        if column in model.values:
            kept = pc.is_valid(answers)
            names = pc.binary_join_element_wise(label(column, ""), answers.filter(kept), "")
        else:
            kept = answers
            names = pa.repeat(column, pc.sum(answers).as_py() or 0)
        parts.append(
            pa.table({"person_key": rows["person_key"].filter(kept), "audience": names}, schema=_LONG)
        )
    return pa.concat_tables(parts) if parts else _LONG.empty_table()


_LONG = pa.schema([("person_key", pa.int64()), ("audience", pa.string())])


_VERSIONS = pa.schema([("audience", pa.string()), ("version", pa.int64())])

_TURNED = """
SELECT t.person_key, t.audience, coalesce(v.version, t.version) AS version, t.entered, t.turned_at, t.cause,
  now() AS noted_at
FROM (
  SELECT n.person_key, n.audience, CAST(NULL AS BIGINT) AS version, TRUE AS entered,
    coalesce(c.since, m.turned_at, now()) AS turned_at,
    CASE WHEN c.since IS NULL THEN m.cause ELSE 'identity' END AS cause
  FROM members_now n
  LEFT JOIN {before} b ON b.person_key = n.person_key AND b.audience = n.audience
  LEFT JOIN {carried} c ON c.person_key = n.person_key AND c.audience = n.audience
  LEFT JOIN moments m ON m.person_key = n.person_key
  WHERE b.person_key IS NULL
  UNION ALL
  SELECT b.person_key, b.audience, b.version, FALSE AS entered,
    CASE WHEN a.person_key IS NULL THEN now() ELSE coalesce(m.turned_at, now()) END AS turned_at,
    CASE WHEN a.person_key IS NULL THEN 'identity' ELSE coalesce(m.cause, 'identity') END AS cause
  FROM {before} b
  LEFT JOIN members_now n ON n.person_key = b.person_key AND n.audience = b.audience
  LEFT JOIN {activity} a ON a.person_key = b.person_key
  LEFT JOIN moments m ON m.person_key = b.person_key
  WHERE n.person_key IS NULL
) AS t LEFT JOIN audience_versions v ON v.audience = t.audience
"""

_KEPT = """
SELECT b.person_key, b.audience, b.since, b.version
FROM {before} b JOIN members_now n ON n.person_key = b.person_key AND n.audience = b.audience
UNION ALL
SELECT person_key, audience, turned_at AS since, version FROM turned WHERE entered
"""


def count_sizes(warehouse: Warehouse, audiences: Sequence[str], *, anew: bool = False) -> None:
    """Write how many are in each audience now, by what `turned`; or, `anew`, by counting `members`.

    The latter costs a look at all members; it is for when more went than the journal may say.
    """
    clock = warehouse.query("SELECT now() AS at")["at"][0].as_py()
    hour = int(clock.replace(tzinfo=UTC).timestamp()) // 3600
    turned = warehouse.query(
        "SELECT audience, entered, count(*) AS n FROM turned GROUP BY audience, entered"
    ).to_pylist()
    came = {(row["audience"], row["entered"]): int(row["n"]) for row in turned}
    last = warehouse.query(
        f"SELECT * FROM {AUDIENCE_SIZES.name} WHERE hour = (SELECT max(hour) FROM {AUDIENCE_SIZES.name})"
    ).to_pylist()
    before = {row["audience"]: row for row in last}
    names = sorted({*audiences, *(name for name, row in before.items() if row["people"])})
    rows = [_size(hour, name, before.get(name), came) for name in names]
    if anew:
        rows = [_recounted(row, size) for row, size in zip(rows, _sizes(warehouse, names), strict=True)]
    warehouse.stage("sizes_now", pa.Table.from_pylist(rows, arrow_schema(AUDIENCE_SIZES)))
    warehouse.stage("hours_now", pa.table({"hour": pa.array([hour], pa.int64())}))
    warehouse.replace(AUDIENCE_SIZES.name, "hours_now", "SELECT * FROM sizes_now")


def _size(
    hour: int, name: str, before: Mapping[str, Any] | None, came: Mapping[tuple[str, bool], int]
) -> dict[str, Any]:
    """Return an audience's row of an hour from its last one and from who came (True) and went since."""
    entered, gone = came.get((name, True), 0), came.get((name, False), 0)
    people = (before["people"] if before else 0) + entered - gone
    if before and before["hour"] == hour:
        entered, gone = entered + before["entered"], gone + before["gone"]
    return {"hour": hour, "audience": name, "people": people, "entered": entered, "gone": gone}


def _recounted(row: Mapping[str, Any], people: int) -> dict[str, Any]:
    # Of somebody erased the journal says nothing, not even that they went.
    return {**row, "people": people, "gone": row["gone"] + row["people"] - people}


def _sizes(warehouse: Warehouse, names: Sequence[str]) -> list[int]:
    rows = warehouse.query(
        f"SELECT audience, count(*) AS n FROM {MEMBERS.name} GROUP BY audience"
    ).to_pylist()
    found = {row["audience"]: int(row["n"]) for row in rows}
    return [found.get(name, 0) for name in names]
