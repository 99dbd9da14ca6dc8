"""Scores: the matrix of grades, what a score is made of, and who has which grade."""

from __future__ import annotations

from typing import NamedTuple

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation

from tekil.api import reference as decode
from tekil.console.audiences import PEOPLE_SHOWN, READ
from tekil.console.pages import Pages, PagesHere
from tekil.console.stages import span_text
from tekil.console.visit import Visit, VisitHere
from tekil.score_reads import Axis, Cell, Score, ScoreReads
from tekil.scores import TOTAL, Rule

ScoresHere = NamedDependency[SkipValidation[ScoreReads]]

COMMANDS = ("tekil starters show lead_score", "tekil starters apply lead_score")
SHADES = 5
"""How many strengths of colour tell cells of many people from cells of few."""


class MatrixRow(NamedTuple):
    """A row of the matrix: a grade of the first axis, from how many points on, and its cells."""

    grade: str
    least: int
    cells: list[tuple[Cell, int]]


@get("/scores", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_scores(visit: VisitHere, pages: PagesHere, scores: ScoresHere) -> Response[str]:
    """Show the matrix of the first score, or how to make one."""
    found = scores.all()
    if not found:
        return pages.show(visit, "scores.html", page="scores", score=None, commands=COMMANDS)
    return _matrix(visit, pages, found, found[0])


@get("/scores/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_score(visit: VisitHere, pages: PagesHere, scores: ScoresHere, name: FromPath[str]) -> Response[str]:
    """Show the matrix of a score."""
    return _matrix(visit, pages, scores.all(), scores.one(decode(name)))


def _matrix(visit: Visit, pages: Pages, scores: list[Score], score: Score) -> Response[str]:
    language = visit.words.language
    return pages.show(
        visit,
        "scores.html",
        page="scores",
        scores=scores,
        score=score,
        title=score.title_in(language),
        language=language,
        rows=matrix(score),
        across=score.axes[1] if len(score.axes) > 1 else None,
        axis_titles=[axis_title(visit, score, axis) for axis in score.axes],
        group_titles={name: titled(group.title, name, language) for name, group in score.spec.groups.items()},
        span_text=lambda text: span_text(text, visit),
        rule_title=lambda rule: rule_title(rule, language),
    )


def matrix(score: Score) -> list[MatrixRow]:
    """Return a score's cells row by row, each with how strong its colour is (0 for nobody)."""
    if not score.axes:
        return []
    width = len(score.axes[1].grades) if len(score.axes) > 1 else 1
    most = max(cell.people for cell in score.cells)
    shaded = [(cell, -(-SHADES * cell.people // most) if most else 0) for cell in score.cells]
    return [
        MatrixRow(grade, least, shaded[number * width : (number + 1) * width])
        for number, (grade, least) in enumerate(score.axes[0].grades)
    ]


def axis_title(visit: Visit, score: Score, axis: Axis) -> str:
    """Return what an axis of the matrix is called."""
    if axis.group == TOTAL:
        return visit.words("scores.total")
    return titled(score.spec.groups[axis.group].title, axis.group, visit.words.language)


def titled(title: dict[str, str], name: str, language: str) -> str:
    """Return a title in a language, in another where there is none, or else the name."""
    return title.get(language) or next(iter(title.values()), "") or name


def rule_title(rule: Rule, language: str) -> str:
    """Return what a rule is called."""
    return titled(rule.title, rule.name, language)


@get("/scores/{name:str}/{grade:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_grade(
    visit: VisitHere,
    pages: PagesHere,
    scores: ScoresHere,
    name: FromPath[str],
    grade: FromPath[str],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show who has a grade."""
    score, asked = scores.one(decode(name)), decode(grade)
    members = scores.people(score.name, asked, cursor=cursor, limit=PEOPLE_SHOWN)
    return pages.show(
        visit,
        "members.html",
        page="scores",
        title=asked,
        back=(f"/scores/{score.name}", score.title_in(visit.words.language)),
        note="",
        condition=f"{score.name}_grade = '{asked}'",
        people=next(cell.people for cell in score.cells if cell.grade == asked),
        members=members,
        more=f"/scores/{score.name}/{asked}?cursor=",
    )


ROUTES = [show_scores, show_score, show_grade]
