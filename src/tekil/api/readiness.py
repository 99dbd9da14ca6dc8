"""Readiness over the API: the checklist, as it was measured."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import QueryParameter

from tekil.api import problems
from tekil.api.access import BEARER, requires
from tekil.api.model import utc
from tekil.readiness import PLAIN, STATES, AnswerTold, Measuring, told


class Readiness(msgspec.Struct, frozen=True):
    """The checklist. `counts` says how many checks are ready, ask for attention, or are not there yet."""

    measured_at: datetime
    counts: dict[str, int]
    checks: list[AnswerTold]


def readiness_routes(measuring: Measuring) -> Router:
    """Return the route, over what measures."""

    @get(
        "/readiness",
        summary="The acquisition checklist, measured",
        tags=["Readiness"],
        guards=[requires("ledger:read")],
        security=BEARER,
        responses=problems.responses(400, 401, 403, 503),
        sync_to_thread=True,
    )
    def get_checklist(
        anew: Annotated[bool, QueryParameter(description="Measure now, not a minute ago.")] = False,
    ) -> Readiness:
        """Return every check with its points: the state, the figure, the reason, and the way to mend it."""
        measured = measuring.measure(anew=anew)
        return Readiness(
            utc(measured.at),
            {state: measured.count(state) for state in STATES},
            [told(answer, PLAIN) for answer in measured.answers],
        )

    return Router("/v1", route_handlers=[get_checklist])
