"""Funnels (`kind: funnel`): how many people went how far through some steps, in order and within a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from tekil.acquisition.channels import condition_flaws
from tekil.acquisition.conversions import NAME_TOLD
from tekil.acquisition.reports import Period
from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import flaw_of
from tekil.expressions import ExpressionFlaw, Type, check
from tekil.models.features import NAME, event_scope

STEPS_MAX = 10
HOUR_US = 3_600_000_000
CHANNEL = "channel"
"""What `by` says for the channel of the person's first touch."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event that takes people one step further: a condition over it."""

    when: str
    title: dict[str, str] = {}


class FunnelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A funnel's `spec`: its steps, in how many hours from the first all must be done, and its breakdown.

    `by` is `channel`, or an expression over the event of the first step.
    """

    steps: list[Step]
    within_hours: int = 24 * 7
    by: str = ""


def funnel_sql(spec: FunnelSpec, period: Period, zone: str) -> str:
    """Return the SELECT of people by how far they came: `label`, and `step_1` … of those who got there.

    Who is asked about is who took the first step in the period; all they do afterwards counts, in time.
    A person is counted as far as their best try went. Each event carries on the latest beginning of a try
    that its step can follow, so one pass in order of time finds the best (as ClickHouse's windowFunnel does).
    """
    scope = event_scope(zone)
    conditions = [f"coalesce({check(step.when, scope).sql}, FALSE)" for step in spec.steps]
    label = "CAST(NULL AS VARCHAR)"
    if spec.by and spec.by != CHANNEL:
        label = check(spec.by, scope).sql
    steps = len(conditions)
    started = f"{conditions[0]} AND {period.holds_instant('occurred_at', zone)}"
    flags = ", ".join(
        f"{condition} AS is_{place}" for place, condition in enumerate([f"({started})", *conditions[1:]], 1)
    )
    relation = f"""SELECT person_key, message_key, epoch_us(occurred_at) AS at_us, {label} AS label, {flags}
  FROM person_events WHERE {_in_reach(spec, period, zone)}
    AND ({" OR ".join(f"({condition})" for condition in conditions)})"""
    relation = f"SELECT *, CASE WHEN is_1 THEN at_us END AS start_1 FROM ({relation}) AS hits"
    for place in range(2, steps + 1):
        before = f"""max(start_{place - 1}) OVER (PARTITION BY person_key ORDER BY at_us, message_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"""
        in_time = f"is_{place} AND at_us - before_{place} <= {spec.within_hours * HOUR_US}"
        relation = f"""SELECT *, CASE WHEN {in_time} THEN before_{place} END AS start_{place}
  FROM (SELECT *, {before} AS before_{place} FROM ({relation}) AS tried) AS told"""
    reached = ", ".join(f"max(start_{place}) IS NOT NULL AS got_{place}" for place in range(1, steps + 1))
    first = "arg_min(label, {'seen_at': at_us, 'key': message_key}) FILTER (WHERE is_1)"
    if not spec.by or spec.by == CHANNEL:
        first = "CAST(NULL AS VARCHAR)"
    people = f"SELECT person_key, {first} AS label, {reached} FROM ({relation}) AS tries GROUP BY person_key"
    counts = ", ".join(
        f"CAST(count(*) FILTER (WHERE got_{place}) AS BIGINT) AS step_{place}"
        for place in range(1, steps + 1)
    )
    named, joined = "p.label", ""
    if spec.by == CHANNEL:
        named = "t.channel"
        joined = """ LEFT JOIN (SELECT person_key, arg_min(channel, {'seen_at': touched_at, 'key': touch_key})
    AS channel FROM touches GROUP BY person_key) AS t ON t.person_key = p.person_key"""
    return f"""SELECT label, {counts} FROM (
  SELECT coalesce({named}, '') AS label, {", ".join(f"p.got_{place}" for place in range(1, steps + 1))}
  FROM ({people}) AS p{joined} WHERE p.got_1
) AS everybody GROUP BY label ORDER BY step_1 DESC, label"""


def _in_reach(spec: FunnelSpec, period: Period, zone: str) -> str:
    """Return the condition that an event is in the period, or after it and in time for a try from it."""
    last = Period(period.since, period.until + timedelta(hours=spec.within_hours + 24))
    return last.holds_instant("occurred_at", zone)


def _check_funnel(definition: Definition) -> list[Flaw]:
    flaws = [] if NAME.fullmatch(definition.name) else [Flaw(("name",), NAME_TOLD)]
    try:
        spec = msgspec.convert(definition.spec, FunnelSpec)
    except msgspec.ValidationError as error:
        return [*flaws, flaw_of(error, ("spec",))]
    if not 2 <= len(spec.steps) <= STEPS_MAX:
        flaws.append(Flaw(("spec", "steps"), f"A funnel has 2 to {STEPS_MAX} steps."))
    if not 1 <= spec.within_hours <= 24 * 365:
        flaws.append(Flaw(("spec", "within_hours"), "Here stand 1 to 8760 hours."))
    for place, step in enumerate(spec.steps):
        flaws += condition_flaws(step.when, event_scope(), ("spec", "steps", place, "when"))
    if spec.by and spec.by != CHANNEL:
        try:
            found = check(spec.by, event_scope())
        except ExpressionFlaw as flaw:
            return [*flaws, Flaw(("spec", "by"), str(flaw))]
        if found.type is not Type.TEXT:
            flaws.append(Flaw(("spec", "by"), f"A breakdown is by a text, not by {found.type.value}."))
    return flaws


def _check_together(_definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    return []


FUNNEL_KIND = Kind("funnel", _check_funnel, _check_together)
