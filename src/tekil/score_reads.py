"""What is read of scores: how many people have which grade, who they are, and what a score is made of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tekil.audience_reads import AudienceReads, Members, Size
from tekil.definitions import stored
from tekil.errors import NotFound
from tekil.models import label
from tekil.scores import GRADE, SCORE, ScoreSpec, axis, grades_of, read_spec
from tekil.store import Store, Version


class Cell(msgspec.Struct, frozen=True):
    """How many people have a grade now, and how that went in hours in which it changed."""

    grade: str
    people: int
    history: list[Size]


class Axis(msgspec.Struct, frozen=True):
    """A group (or `total`) that grades are of: their names, the best first, and from how many points on."""

    group: str
    grades: list[tuple[str, int]]


class Score(msgspec.Struct, frozen=True):
    """A score in force, with how many people have each of its grades."""

    name: str
    title: dict[str, str]
    owner: str
    version: int
    spec: ScoreSpec
    axes: list[Axis]
    cells: list[Cell]

    @property
    def people(self) -> int:
        """How many people have a grade."""
        return sum(cell.people for cell in self.cells)

    def title_in(self, language: str) -> str:
        """Return the title in a language, in another where there is none, or else the name."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.name


class ScoreReads:
    """Reads of scores. For many threads."""

    def __init__(self, store: Store, audiences: AudienceReads) -> None:
        """Take the store of definitions, and what reads who is in what."""
        self._store, self._audiences = store, audiences

    def all(self) -> list[Score]:
        """Return all scores in force, by name."""
        versions = sorted(self._store.definitions.current(SCORE), key=lambda version: version.name)
        history = self._audiences.history() if versions else {}
        return [_score(version, history) for version in versions]

    def one(self, name: str) -> Score:
        """Return a score in force. Raises `NotFound`."""
        for score in self.all():
            if score.name == name:
                return score
        raise NotFound(f"There is no score {name!r}.", code="score_unknown")

    def people(self, name: str, grade: str, *, cursor: str | None = None, limit: int = 50) -> Members:
        """Return who has a grade, those who reached it last first.

        Raises `NotFound`, and `BadRequest` for a wrong cursor.
        """
        if grade not in grades_of(self.one(name).spec):
            raise NotFound(f"The score {name} gives no grade {grade!r}.", code="grade_unknown")
        return self._audiences.members(label(f"{name}_{GRADE}", grade), cursor=cursor, limit=limit)


def _score(version: Version, history: dict[str, list[Size]]) -> Score:
    definition = stored(version)
    spec = read_spec(definition)
    cells = [
        _cell(grade, history.get(label(f"{version.name}_{GRADE}", grade), [])) for grade in grades_of(spec)
    ]
    axes = [Axis(group, axis(grades)) for group, grades in spec.grades.items()]
    return Score(version.name, definition.title, definition.owner, version.version, spec, axes, cells)


def _cell(grade: str, history: Sequence[Size]) -> Cell:
    return Cell(grade, history[-1].people if history else 0, list(history))
