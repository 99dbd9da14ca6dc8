"""Retention over the API: what would go, and having it go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Router, get, post

from tekil.access.audit import Act
from tekil.api import problems
from tekil.api.access import BEARER, actor_of, requires
from tekil.api.model import from_us, utc
from tekil.retention import Planned, Retention
from tekil.store import Destruction, Store


class PlannedRule(msgspec.Struct, frozen=True):
    """A rule, and what it would destroy now: so many, all from before an instant."""

    name: str
    of: str
    keep: str
    source: str
    event: str
    object: str
    before: datetime
    count: int


class Ran(msgspec.Struct, frozen=True):
    """A destruction on record; `finished_at` is nothing while it is under way."""

    rule: str
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]


class RetentionPlan(msgspec.Struct, frozen=True):
    """All rules in force, when they run next, and what they destroyed last."""

    rules: list[PlannedRule]
    next_run: datetime
    running: bool
    runs: list[Ran]


class Asked(msgspec.Struct, frozen=True):
    """That a run was asked for; it goes on between the engine's cycles."""

    running: bool


def retention_routes(retention: Retention, store: Store) -> Router:
    """Return the routes, over the rules of a running engine."""

    @get(
        "/plan",
        summary="What retention would destroy now",
        tags=["Retention"],
        guards=[requires("retention:read")],
        security=BEARER,
        responses=problems.responses(401, 403, 503),
        sync_to_thread=True,
    )
    def get_plan() -> RetentionPlan:
        """Return each rule with what it would destroy now. Changes nothing."""
        return RetentionPlan(
            [planned_rule(planned) for planned in retention.plan()],
            utc(retention.next_run()),
            retention.is_running,
            [_ran(entry) for entry in retention.runs()],
        )

    @post(
        "/run",
        summary="Have the rules of retention run now",
        tags=["Retention"],
        status_code=202,
        guards=[requires("retention:write")],
        security=BEARER,
        responses=problems.responses(401, 403, 503),
        sync_to_thread=True,
    )
    def run(request: Request[Any, Any, Any]) -> Asked:
        """Ask for a run. It goes in bounded steps between cycles, and is put on record rule by rule."""
        store.audit.append(actor_of(request), Act.RETENTION_RUN, "retention")
        retention.ask()
        return Asked(retention.is_running)

    return Router("/v1/retention", route_handlers=[get_plan, run])


def planned_rule(planned: Planned) -> PlannedRule:
    """Return what a rule would destroy, as it is told."""
    spec = planned.rule.spec
    before = utc(planned.before)
    return PlannedRule(
        planned.rule.name, spec.of, spec.keep, spec.source, spec.event, spec.object, before, planned.count
    )


def _ran(entry: Destruction) -> Ran:
    done = None if entry.done_at is None else from_us(entry.done_at)
    return Ran(entry.reason, from_us(entry.at), done, entry.counts)
