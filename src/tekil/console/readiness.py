"""Readiness: the acquisition checklist, answered by what the system measures about itself."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect

from tekil.access.policy import Permission
from tekil.api.declared import needs
from tekil.console.drawings import Arc, ring
from tekil.console.formats import Formats
from tekil.console.pages import PagesHere, go
from tekil.console.visit import VisitHere
from tekil.privacy.purposes import Words
from tekil.readiness import GROUPS, STATES, AnswerTold, Measured, Measuring, told
from tekil.readiness.model import Group, Moment, OutOf, Share, Span, Value

READ = needs(Permission.LEDGER_READ)

MeasuringHere = NamedDependency[SkipValidation[Measuring]]


@dataclass(frozen=True, slots=True)
class Spelled:
    """Spells figures as pages do."""

    formats: Formats
    language: str

    def spell(self, value: Value) -> str:
        """See `Speller.spell`."""
        match value:
            case Words():
                return value.in_language(self.language)
            case Share(part, whole):
                return self.formats.percent(part, whole)
            case OutOf(part, whole):
                return f"{self.formats.number(part)}/{self.formats.number(whole)}"
            case Span(seconds):
                return self.formats.seconds(seconds)
            case Moment(at):
                return self.formats.ago(at)
            case int():
                return self.formats.number(value)
        return value


@dataclass(frozen=True, slots=True)
class Grouped:
    """The checks of a group, and how many of them are ready."""

    name: Group
    answers: list[AnswerTold]

    @property
    def ready(self) -> int:
        """How many are ready."""
        return sum(answer.state == "ready" for answer in self.answers)


def arcs(measured: Measured) -> list[Arc]:
    """Return the ring: how many checks are ready, ask for attention, are not there yet."""
    return ring([(state, measured.count(state)) for state in STATES])


@get("/readiness", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_readiness(visit: VisitHere, pages: PagesHere, measuring: MeasuringHere) -> Response[str]:
    """Show the checklist, grouped, with a ring of how far it has come."""
    measured = measuring.measure()
    speller = Spelled(visit.formats, visit.words.language)
    answers = [told(answer, speller) for answer in measured.answers]
    return pages.show(
        visit,
        "readiness.html",
        page="readiness",
        measured_at=measured.at,
        arcs=arcs(measured),
        counts={state: measured.count(state) for state in STATES},
        checks=len(answers),
        groups=[Grouped(name, [a for a in answers if a.group == name]) for name in GROUPS],
    )


@post("/readiness", opt=READ, include_in_schema=False, sync_to_thread=True)
def measure_anew(measuring: MeasuringHere) -> Redirect:
    """Measure now, and show it."""
    measuring.measure(anew=True)
    return go("/readiness")


ROUTES = [show_readiness, measure_anew]
