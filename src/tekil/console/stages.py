"""Stages: the board of a chain, the way people take through it, and who is where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation

from tekil.api import reference as decode
from tekil.console.audiences import PEOPLE_SHOWN, READ, drawn
from tekil.console.flows import GROUND, WIDTH, arcs, columns, height
from tekil.console.pages import Pages, PagesHere
from tekil.console.visit import Visit, VisitHere
from tekil.errors import NotFound
from tekil.stage_reads import StageNow, StageReads

StagesHere = NamedDependency[SkipValidation[StageReads]]

STARTER = "stage"
COMMANDS = (f"tekil starters show {STARTER}", f"tekil starters apply {STARTER}")


class Column(NamedTuple):
    """A stage on the board, what it is called, and the drawing of its size over the last days."""

    stage: StageNow
    title: str
    line: str
    area: str


@get("/stages", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_stages(visit: VisitHere, pages: PagesHere, stages: StagesHere) -> Response[str]:
    """Show the board of the first chain, or how to make one."""
    chains = stages.all()
    if not chains:
        return pages.show(visit, "stages.html", page="stages", board=None, commands=COMMANDS)
    return _board(visit, pages, stages, chains[0].name)


@get("/stages/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_chain(visit: VisitHere, pages: PagesHere, stages: StagesHere, name: FromPath[str]) -> Response[str]:
    """Show the board of a chain."""
    return _board(visit, pages, stages, decode(name))


def _board(visit: Visit, pages: Pages, stages: StageReads, name: str) -> Response[str]:
    board, now = stages.board(name), datetime.now(UTC)
    names, language = board.chain.stages, visit.words.language
    steps = arcs(board.steps, names)
    return pages.show(
        visit,
        "stages.html",
        page="stages",
        board=board,
        chains=stages.all(),
        title=board.chain.title_in(language),
        language=language,
        columns=[Column(one, one.title_in(language), *drawn(one.history, now)) for one in board.stages],
        titles={"": visit.words("stages.outside"), **{s.name: s.title_in(language) for s in board.stages}},
        counted={(step.origin, step.target): step.people for step in board.steps},
        arcs=steps,
        points=list(zip(names, columns(len(names)), strict=True)),
        span_text=lambda text: span_text(text, visit),
        size=(WIDTH, height(steps), GROUND),
    )


def span_text(text: str, visit: Visit) -> str:
    """Return a length of time such as `14 day` in the reader's words."""
    amount, _, unit = text.partition(" ")
    number = int(amount)
    return visit.words.count(f"stages.{unit.removesuffix('s')}", number, visit.formats.number(number))


@get("/stages/{name:str}/{stage:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_stage(
    visit: VisitHere,
    pages: PagesHere,
    stages: StagesHere,
    name: FromPath[str],
    stage: FromPath[str],
    stuck: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show who is in a stage, or who is stuck in it."""
    board, language = stages.board(decode(name)), visit.words.language
    found = next((one for one in board.stages if one.name == decode(stage)), None)
    if found is None:
        raise NotFound(f"There is no stage {stage!r} in {name!r}.", code="stage_unknown")
    members = stages.people(
        board.chain.name, found.name, stuck=bool(stuck), cursor=cursor, limit=PEOPLE_SHOWN
    )
    path = f"/stages/{board.chain.name}/{found.name}"
    return pages.show(
        visit,
        "members.html",
        page="stages",
        title=found.title_in(language),
        back=(f"/stages/{board.chain.name}", board.chain.title_in(language)),
        note=visit.words("stages.only_stuck", after=span_text(found.stuck_after, visit)) if stuck else "",
        condition=found.sql,
        people=found.stuck if stuck else found.people,
        members=members,
        more=f"{path}?{'stuck=yes&' if stuck else ''}cursor=",
    )


ROUTES = [show_stages, show_chain, show_stage]
