"""Key figures (`kind: kpi`): what a company steers by, written once, in one language for every team."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

import msgspec

from tekil.acquisition.conversions import CONVERSION_KIND, NAME_TOLD
from tekil.acquisition.reports import Period
from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import flaw_of
from tekil.dictionary.sql import quoted
from tekil.expressions import ExpressionFlaw, Scope, Seen, Stage, Type, check
from tekil.models.features import NAME

Unit = Literal["money", "percent", "number", "days"]


class KpiSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key figure's `spec`: an expression over sums of a period, how it is told, and its goal."""

    value: str
    unit: Unit = "number"
    goal: float | None = None
    better: Literal["higher", "lower"] = "higher"


def _over(what: str, table: str, where: str) -> str:
    return f"(SELECT CAST(coalesce({what}, 0) AS DECIMAL(18, 4)) FROM {table} WHERE {where})"


def kpi_scope(conversions: Iterable[str], period: Period, zone: str) -> Scope:
    """Return what a key figure may name: sums over the period, and those of each conversion by its name."""
    within, at = period.holds(), period.holds_instant("started_at", zone)
    sums = {
        "spend": _over("sum(amount)", "spend", within),
        "clicks": _over("sum(clicks)", "spend", within),
        "impressions": _over("sum(impressions)", "spend", within),
        "sessions": _over("count(*)", "sessions", at),
        "visitors": _over("count(DISTINCT person_key)", "sessions", at),
        "days": f"CAST({period.days} AS DECIMAL(18, 4))",
    }
    for name in conversions:
        sums |= {f"{name}_{what}": sql for what, sql in _of_conversion(name, period).items()}
    columns = {name: Seen(sql, Type.DECIMAL) for name, sql in sums.items()}
    return Scope(columns, {}, Stage.PERSON)


def _of_conversion(name: str, period: Period) -> dict[str, str]:
    of, within = f"conversion = {quoted(name)} AND counts = 1", period.holds()
    firsts = f"(SELECT person_key, min(day) AS day FROM conversions WHERE {of} GROUP BY person_key) AS firsts"
    so_far = f"{of} AND day <= '{period.until}'"
    return {
        "conversions": _over("count(*)", "conversions", f"{of} AND {within}"),
        "value": _over("sum(amount)", "conversions", f"{of} AND {within}"),
        "customers": _over("count(DISTINCT person_key)", "conversions", f"{of} AND {within}"),
        "new_customers": _over("count(*)", firsts, within),
        "value_so_far": _over("sum(amount)", "conversions", so_far),
        "customers_so_far": _over("count(DISTINCT person_key)", "conversions", so_far),
    }


def kpi_sql(spec: KpiSpec, conversions: Iterable[str], period: Period, zone: str) -> str:
    """Return the SELECT of a key figure in a period: one `value`, null where it has none.

    Raises `ExpressionFlaw` for one that cannot be read.
    """
    return f"SELECT {check(spec.value, kpi_scope(conversions, period, zone)).sql} AS value"


def _check_kpi(definition: Definition) -> list[Flaw]:
    flaws = [] if NAME.fullmatch(definition.name) else [Flaw(("name",), NAME_TOLD)]
    try:
        msgspec.convert(definition.spec, KpiSpec)
    except msgspec.ValidationError as error:
        return [*flaws, flaw_of(error, ("spec",))]
    return flaws


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    conversions = [one.name for one in definitions if one.kind == CONVERSION_KIND.name]
    scope = kpi_scope(conversions, Period(date(2026, 1, 1), date(2026, 1, 31)), "UTC")
    flaws = []
    for definition in definitions:
        if definition.kind != KPI_KIND.name:
            continue
        try:
            found = check(msgspec.convert(definition.spec, KpiSpec).value, scope)
        except msgspec.ValidationError:
            continue
        except ExpressionFlaw as flaw:
            flaws.append((definition.name, Flaw(("spec", "value"), str(flaw))))
            continue
        if found.type not in (Type.DECIMAL, Type.INTEGER):
            told = f"A key figure is a number, but this is {found.type.value}."
            flaws.append((definition.name, Flaw(("spec", "value"), told)))
    return flaws


KPI_KIND = Kind("kpi", _check_kpi, _check_together, reads=(CONVERSION_KIND.name,))
