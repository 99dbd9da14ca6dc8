"""What is read of chains of stages: how many are where, how they went on, and whether goals are met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from tekil.audience_reads import AudienceReads, Members, Size
from tekil.definitions import stored
from tekil.errors import NotFound
from tekil.expressions import span_of
from tekil.models import STAGE_KIND, ChainSpec, ChainStage, label
from tekil.reads import Reads
from tekil.store import Store, Version

DAYS = 30
"""Over how many days flows are counted, and entries whose goal's time has run out."""

BY_THEMSELVES = "('event', 'time')"
"""Causes of steps that people took: a changed definition, or persons found to be one, are no steps."""


class GoalMet(msgspec.Struct, frozen=True):
    """A goal of a stage: of `entered`, whose time has run out, `reached` a later stage within it."""

    percent: int
    within: str
    entered: int
    reached: int

    @property
    def share(self) -> float | None:
        """How many in a hundred reached a later stage; nothing where nobody's time has run out yet."""
        return 100 * self.reached / self.entered if self.entered else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; nothing where it cannot be said yet."""
        return None if self.share is None else self.share >= self.percent


class StageNow(msgspec.Struct, frozen=True):
    """A stage: how many are in it, came and went lately, stay how long on average, and are stuck."""

    name: str
    title: dict[str, str]
    sql: str
    people: int
    entered: int
    left: int
    days_in: float | None
    goal: GoalMet | None
    stuck_after: str
    stuck: int
    history: list[Size]

    def title_in(self, language: str) -> str:
        """Return the title in a language, in another where there is none, or else the name."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.name


class Step(msgspec.Struct, frozen=True):
    """How many went from a stage to another lately; an empty name is outside of the chain."""

    origin: str
    target: str
    people: int


class Chain(msgspec.Struct, frozen=True):
    """A chain in force."""

    name: str
    title: dict[str, str]
    owner: str
    version: int
    stages: list[str]
    people: int

    def title_in(self, language: str) -> str:
        """Return the title in a language, in another where there is none, or else the name."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.name


class Board(msgspec.Struct, frozen=True):
    """A chain as it stands: its stages, first to last, and the steps of the last `days`."""

    chain: Chain
    days: int
    stages: list[StageNow]
    steps: list[Step]


class StageReads:
    """Reads of chains. For many threads."""

    def __init__(self, reads: Reads, store: Store, audiences: AudienceReads) -> None:
        """Take what reads the warehouse, the store of definitions, and what reads who is in what."""
        self._reads, self._store, self._audiences = reads, store, audiences

    def all(self) -> list[Chain]:
        """Return all chains in force, by name."""
        sizes = self._audiences.history()
        return [_chain(version, sizes) for version in self._versions()]

    def _versions(self) -> list[Version]:
        return sorted(self._store.definitions.current(STAGE_KIND.name), key=lambda version: version.name)

    def board(self, name: str) -> Board:
        """Return a chain with everything that is known of its stages. Raises `NotFound`."""
        version = next((version for version in self._versions() if version.name == name), None)
        if version is None:
            raise NotFound(f"There is no chain of stages {name!r}.", code="chain_unknown")
        stages = msgspec.convert(stored(version).spec, ChainSpec).stages
        sizes = self._audiences.history()
        steps = self._steps(name)
        stays = self._stays(name, stages)
        goals = self._goals(name, stages)
        told = [
            _stage_now(stage, sizes.get(label(name, stage.name), []), steps, stays, goals.get(stage.name))
            for stage in stages
        ]
        return Board(_chain(version, sizes), DAYS, told, steps)

    def people(
        self, name: str, stage: str, *, stuck: bool = False, cursor: str | None = None, limit: int = 50
    ) -> Members:
        """Return who is in a stage, those who came last first; or only who is `stuck` in it.

        Raises `NotFound`, and `BadRequest` for a wrong cursor.
        """
        chain = next((version for version in self._versions() if version.name == name), None)
        stages = msgspec.convert(stored(chain).spec, ChainSpec).stages if chain else []
        asked = next((one for one in stages if one.name == stage), None)
        if asked is None:
            raise NotFound(f"There is no stage {stage!r} in a chain {name!r}.", code="stage_unknown")
        longer = span_of(asked.stuck_after) if stuck and asked.stuck_after else None
        return self._audiences.members(label(name, stage), cursor=cursor, limit=limit, longer=longer)

    def _steps(self, name: str) -> list[Step]:
        """Return the steps of the last days, the most frequent first."""
        rows = self._reads.answers(
            f"""SELECT origin, target, count(*) AS people FROM (
              SELECT person_key, noted_at, max(CASE WHEN NOT entered THEN audience END) AS origin,
                max(CASE WHEN entered THEN audience END) AS target
              FROM audience_changes
              WHERE starts_with(audience, '{label(name, "")}') AND cause IN {BY_THEMSELVES}
                AND turned_at > now() - INTERVAL {DAYS} DAY
              GROUP BY person_key, noted_at
            ) AS turns GROUP BY origin, target ORDER BY people DESC, origin, target"""
        ).to_pylist()
        return [Step(_stage_in(row["origin"]), _stage_in(row["target"]), row["people"]) for row in rows]

    def _stays(self, name: str, stages: Sequence[ChainStage]) -> Mapping[str, tuple[float | None, int]]:
        """Return for how many days people have been in each stage, on average, and how many are stuck."""
        spans = {s.name: int(span_of(s.stuck_after).total_seconds()) for s in stages if s.stuck_after}
        stuck = " OR ".join(
            f"(audience = '{label(name, stage)}' AND since <= now() - INTERVAL {seconds} SECOND)"
            for stage, seconds in spans.items()
        )
        rows = self._reads.answers(
            f"""SELECT audience, avg(CAST(epoch_us(now()) - epoch_us(since) AS DOUBLE)) AS stayed,
              count(*) FILTER (WHERE {stuck or "FALSE"}) AS stuck
            FROM members WHERE starts_with(audience, '{label(name, "")}') GROUP BY audience"""
        ).to_pylist()
        day = timedelta(days=1) / timedelta(microseconds=1)
        return {_stage_in(row["audience"]): (row["stayed"] / day, row["stuck"]) for row in rows}

    def _goals(self, name: str, stages: Sequence[ChainStage]) -> Mapping[str, tuple[int, int]]:
        """Return of each stage that has a goal: whose time has run out lately, and who of them went on."""
        selects = [
            _goal_sql(name, [later.name for later in stages[number + 1 :]], stage)
            for number, stage in enumerate(stages)
            if stage.goal is not None
        ]
        rows = self._reads.answers(" UNION ALL ".join(selects)).to_pylist() if selects else []
        return {row["stage"]: (row["came"], row["reached"]) for row in rows}


def _goal_sql(name: str, later: Sequence[str], stage: ChainStage) -> str:
    """Return the SELECT that counts whose time to go on has run out in the last days, and who went on."""
    assert stage.goal is not None
    seconds = int(span_of(stage.goal.within).total_seconds())
    among = ", ".join(f"'{label(name, one)}'" for one in later)
    return f"""SELECT '{stage.name}' AS stage, count(*) AS came,
      count(*) FILTER (WHERE went_on) AS reached
    FROM (
      SELECT e.person_key, e.turned_at, count(l.person_key) > 0 AS went_on
      FROM audience_changes AS e LEFT JOIN audience_changes AS l
        ON l.person_key = e.person_key AND l.entered AND l.audience IN ({among})
        AND l.turned_at >= e.turned_at AND l.turned_at <= e.turned_at + INTERVAL {seconds} SECOND
      WHERE e.entered AND e.audience = '{label(name, stage.name)}' AND e.cause IN {BY_THEMSELVES}
        AND e.turned_at <= now() - INTERVAL {seconds} SECOND
        AND e.turned_at > now() - INTERVAL {seconds + DAYS * 86400} SECOND
      GROUP BY e.person_key, e.turned_at
    ) AS entries"""


def _stage_in(audience: str | None) -> str:
    return (audience or "").partition(".")[2]


def _chain(version: Version, sizes: Mapping[str, list[Size]]) -> Chain:
    definition = stored(version)
    names = [stage.name for stage in msgspec.convert(definition.spec, ChainSpec).stages]
    people = sum(_people(sizes.get(label(version.name, name), [])) for name in names)
    return Chain(version.name, definition.title, definition.owner, version.version, names, people)


def _people(history: Sequence[Size]) -> int:
    return history[-1].people if history else 0


def _stage_now(
    stage: ChainStage,
    history: list[Size],
    steps: Sequence[Step],
    stays: Mapping[str, tuple[float | None, int]],
    goal: tuple[int, int] | None,
) -> StageNow:
    days_in, stuck = stays.get(stage.name, (None, 0))
    told: dict[str, Any] = {
        "entered": sum(step.people for step in steps if step.target == stage.name),
        "left": sum(step.people for step in steps if step.origin == stage.name),
        "goal": None
        if stage.goal is None
        else GoalMet(stage.goal.percent, stage.goal.within, *(goal or (0, 0))),
    }
    return StageNow(
        name=stage.name,
        title=stage.title,
        sql=stage.sql,
        people=_people(history),
        days_in=days_in,
        stuck_after=stage.stuck_after,
        stuck=stuck,
        history=history,
        **told,
    )
