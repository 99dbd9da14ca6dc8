"""What is read of acquisition: reports with the SQL they came from, and the people behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tekil.acquisition import campaigns, reports
from tekil.acquisition.cohorts import Unit, cohorts_sql
from tekil.acquisition.conversions import CONVERSION_KIND
from tekil.acquisition.funnels import FUNNEL_KIND, FunnelSpec, funnel_sql
from tekil.acquisition.kpis import KPI_KIND, KpiSpec, kpi_sql
from tekil.acquisition.reports import Dimension, Period, Question
from tekil.acquisition.tables import MODELS
from tekil.config import Workspace
from tekil.definitions import Definition, stored
from tekil.errors import BadRequest, NotFound, TekilError
from tekil.expressions import ExpressionFlaw
from tekil.identity import person_id
from tekil.reads import MovedPerson, Reads
from tekil.store import Card, Store

ZERO = Decimal(0)
Rows = list[dict[str, Any]]


class Line(msgspec.Struct, frozen=True):
    """What one thing cost and what it brought; sums in the workspace's currency."""

    name: str
    impressions: int
    clicks: int
    cost: Decimal
    conversions: Decimal
    value: Decimal
    visits: int

    @property
    def roas(self) -> Decimal | None:
        """What came back for each lira that was spent."""
        return self.value / self.cost if self.cost else None

    @property
    def cpa(self) -> Decimal | None:
        """What one conversion cost."""
        return self.cost / self.conversions if self.conversions and self.cost else None


class Report(msgspec.Struct, frozen=True):
    """Lines, their sum, and the SQL that gave them."""

    lines: list[Line]
    total: Line
    sql: str


class Table(msgspec.Struct, frozen=True):
    """Rows of a report, and the SQL that gave them."""

    rows: list[dict[str, Any]]
    sql: str


class Figure(msgspec.Struct, frozen=True):
    """A key figure now and in the period before (nothing where it has no value), and its SQL."""

    name: str
    title: dict[str, str]
    owner: str
    unit: str
    better: str
    goal: float | None
    value: Decimal | None
    before: Decimal | None
    sql: str

    def title_in(self, language: str) -> str:
        """Return the title in a language, in another where there is none, or else the name."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.name

    @property
    def is_good(self) -> bool | None:
        """Whether it is where it should be: at its goal, or better than before; nothing if nobody can say."""
        mark = Decimal(str(self.goal)) if self.goal is not None else self.before
        if self.value is None or mark is None:
            return None
        return self.value >= mark if self.better == "higher" else self.value <= mark


class Behind(msgspec.Struct, frozen=True):
    """Somebody whom a figure is about, by their card, and their part of it."""

    card: Card
    day: str
    value: Decimal
    conversions: Decimal


class AcquisitionReads:
    """Reads of acquisition. For many threads."""

    def __init__(self, reads: Reads, store: Store, workspace: Workspace) -> None:
        """Take what reads the warehouse and cards, the store of definitions, and the zone and currency."""
        self._reads, self._store = reads, store
        self.zone, self.currency = workspace.timezone, workspace.currency

    def today(self) -> date:
        """Return which day it is in the workspace."""
        return datetime.now(UTC).astimezone(ZoneInfo(self.zone)).date()

    def defined(self, kind: str) -> list[Definition]:
        """Return the definitions of a kind that are in force, by name."""
        return [stored(version) for version in self._store.definitions.current(kind)]

    def conversions(self) -> dict[str, Definition]:
        """Return the conversions in force, by name."""
        return {one.name: one for one in self.defined(CONVERSION_KIND.name)}

    def ask(
        self,
        conversion: str | None = None,
        model: str | None = None,
        since: str | None = None,
        until: str | None = None,
        kept_to: dict[str, str] | None = None,
    ) -> Question:
        """Return what is asked; where nothing is said, the first conversion, last-non-direct and thirty days.

        Raises `BadRequest`, and `NotFound` for a conversion that is not defined.
        """
        known = self.conversions()
        if conversion is not None and conversion not in known:
            raise NotFound(f"There is no conversion {conversion!r}.", code="conversion_unknown")
        named = conversion or next(
            (name for name in ("order", "purchase") if name in known), next(iter(known), "")
        )
        period = Period.parse(since, until, self.today())
        return Question(named, model or reports.DEFAULT_MODEL, period, kept_to or {})

    def breakdown(self, question: Question, by: Dimension) -> Report:
        """Return spend beside what it brought, by channel, source, campaign, keyword or day."""
        if by not in reports.DIMENSIONS:
            told = f"There is no breakdown by {by!r}; there are {', '.join(reports.DIMENSIONS)}."
            raise BadRequest(told, code="dimension_unknown")
        sql = reports.breakdown_sql(question, by, self.zone)
        lines = [_line(row) for row in self._rows(sql)]
        return Report(lines[: reports.LINES_MAX], _sum(lines), sql)

    def models(self, question: Question) -> Table:
        """Return what each model credits each channel with, in money."""
        sql = reports.models_sql(question)
        return Table(self._rows(sql), sql)

    def intervals(self, conversion: str) -> Table:
        """Return what data-driven models learned of each channel, and between what it lies."""
        sql = reports.intervals_sql(conversion)
        return Table(self._rows(sql), sql)

    def paths(self, question: Question) -> Table:
        """Return the paths by which most conversions came."""
        sql = reports.paths_sql(question)
        return Table(self._rows(sql), sql)

    def unconverted(self, question: Question) -> dict[str, int]:
        """Return how many conversions and costs are in currencies of which no rate is known."""
        return self._rows(reports.unconverted_sql(question))[0]

    def figures(self, period: Period) -> list[Figure]:
        """Return the key figures in force, in a period and the one before."""
        conversions = list(self.conversions())
        read: list[tuple[Definition, KpiSpec, str, str]] = []
        for definition in self.defined(KPI_KIND.name):
            spec = msgspec.convert(definition.spec, KpiSpec)
            try:
                now, before = (
                    kpi_sql(spec, conversions, some, self.zone) for some in (period, period.before)
                )
            except ExpressionFlaw:
                # It names what is no more; `tekil plan` says so.
                continue
            read.append((definition, spec, now, before))
        if not read:
            return []
        # All in one question: to plan each takes longer than to answer it.
        every = [sql for _, _, now, before in read for sql in (now, before)]
        asked = ", ".join(f"({sql}) AS value_{place}" for place, sql in enumerate(every))
        values = list(self._rows(f"SELECT {asked}")[0].values())
        return [
            Figure(
                definition.name,
                definition.title,
                definition.owner,
                spec.unit,
                spec.better,
                spec.goal,
                values[2 * place],
                values[2 * place + 1],
                now,
            )
            for place, (definition, spec, now, _) in enumerate(read)
        ]

    def funnel(self, spec: FunnelSpec, period: Period) -> Table:
        """Return how many people came how far, a row for each label of the breakdown."""
        sql = funnel_sql(spec, period, self.zone)
        return Table(self._rows(sql), sql)

    def funnel_of(self, name: str) -> tuple[Definition, FunnelSpec]:
        """Return a funnel in force. Raises `NotFound`."""
        for definition in self.defined(FUNNEL_KIND.name):
            if definition.name == name:
                return definition, msgspec.convert(definition.spec, FunnelSpec)
        raise NotFound(f"There is no funnel {name!r}.", code="funnel_unknown")

    def cohorts(self, conversion: str, unit: Unit) -> Table:
        """Return people by when they first converted, and how many came back when."""
        sql = cohorts_sql(conversion, unit)
        return Table(self._rows(sql), sql)

    def hygiene(self, period: Period) -> Table:
        """Return campaigns whose names do not keep to the standard."""
        sql = campaigns.hygiene_sql(period, self.zone)
        return Table(self._rows(sql), sql)

    def people(self, question: Question, limit: int = 100) -> tuple[list[Behind], str]:
        """Return the people whom a figure is about, those who brought most first, and the SQL."""
        sql = reports.people_sql(question, limit)
        found = []
        for row in self._rows(sql):
            try:
                card = self._reads.profile(person_id(row["person_key"]))
            except MovedPerson as moved:
                card = self._reads.profile(moved.person_id)
            except NotFound:
                continue
            found.append(Behind(card, row["day"], row["value"], row["conversions"]))
        return found, sql

    def run(self) -> dict[str, Any]:
        """Return the last time credit was shared out: its version, when (UTC), and what it restated."""
        columns = "version, made_at, conversions, amount, restated"
        sql = f"SELECT {columns} FROM credit_runs ORDER BY version DESC LIMIT 1"
        rows = self._rows(sql)
        return rows[0] if rows else {}

    def restatements(self, model: str, limit: int = 50) -> Table:
        """Return what days that had been told before say otherwise since, the newest first."""
        asked = model if model in MODELS else ""
        sql = f"""SELECT r.version, r.conversion, r.day, r.channel, r.before_value, r.after_value, c.made_at
FROM credit_restatements AS r JOIN credit_runs AS c ON c.version = r.version
WHERE model = '{asked}' ORDER BY r.version DESC, r.day DESC, r.channel LIMIT {int(limit)}"""
        return Table(self._rows(sql), sql)

    def _rows(self, sql: str) -> Rows:
        try:
            rows: Rows = self._reads.answers(sql).to_pylist()
        except BadRequest as error:
            raise TekilError(f"A report could not be read: {error.message}", code="report_failed") from error
        return rows


def _line(row: dict[str, Any]) -> Line:
    return Line(**row)


def _sum(lines: Sequence[Line]) -> Line:
    return Line(
        "",
        sum(line.impressions for line in lines),
        sum(line.clicks for line in lines),
        sum((line.cost for line in lines), ZERO),
        sum((line.conversions for line in lines), ZERO),
        sum((line.value for line in lines), ZERO),
        sum(line.visits for line in lines),
    )
