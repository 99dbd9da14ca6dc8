"""Stages: a chain of conditions over what is known of a person. Whoever meets several is in the last of them.

A chain's answer is one text a person, the name of the stage; it stands in the model of the audiences, whose
members and journal tell since when somebody is in a stage, and how everybody came there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tekil.definitions import Definition, Flaw
from tekil.definitions.document import Place, flaw_of
from tekil.errors import BadRequest
from tekil.expressions import ExpressionFlaw, Stage, Type, Typed, names_in, span_of
from tekil.models.features import NAME, name_flaw

STAGES_MIN, STAGES_MAX = 2, 30


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many in a hundred who enter a stage are to reach a later one `within` a time such as `14 day`."""

    percent: int
    within: str


class ChainStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage: whom it holds for, what is wanted of it, and after how long somebody is stuck in it."""

    name: str
    sql: str
    title: dict[str, str] = {}
    goal: Goal | None = None
    stuck_after: str = ""

    def title_in(self, language: str) -> str:
        """Return the title in a language, in another where there is none, or else the name."""
        return self.title.get(language) or next(iter(self.title.values()), "") or self.name


class ChainSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chain's `spec`: its stages, the first one first. `description` says in words what they are for."""

    stages: list[ChainStage]
    description: str = ""


def label(chain: str, value: str) -> str:
    """Return what being in a stage is called where audiences and stages stand side by side."""
    return f"{chain}.{value}"


def chain_of(stages: Sequence[ChainStage], conditions: Sequence[Typed]) -> Typed:
    """Return the last stage whose condition holds, as one text; null for whom none does."""
    whens = " ".join(
        f"WHEN {condition.sql} THEN '{stage.name}'"
        for stage, condition in reversed(list(zip(stages, conditions, strict=True)))
    )
    return Typed(f"(CASE {whens} END)", Type.TEXT, Stage.PERSON)


def since_value_sql(chain: str, value: str, names: Sequence[str]) -> str:
    """Return since when the stage of a chain (SQL: `value`) is what it is; one that is new, from now on."""
    whens = " ".join(
        f"WHEN '{name}' THEN coalesce(m.\"{label(chain, name)}\", n.turned_at)" for name in names
    )
    return f"CASE {value} {whens} END"


def check_chain(definition: Definition) -> list[Flaw]:
    """Return what is wrong with a chain by itself."""
    flaws = [flaw] if (flaw := name_flaw(definition.name)) else []
    try:
        spec = msgspec.convert(definition.spec, ChainSpec)
    except msgspec.ValidationError as error:
        return [*flaws, flaw_of(error, ("spec",))]
    if not STAGES_MIN <= len(spec.stages) <= STAGES_MAX:
        told = f"A chain has {STAGES_MIN} to {STAGES_MAX} stages."
        return [*flaws, Flaw(("spec", "stages"), told)]
    seen: set[str] = set()
    for number, stage in enumerate(spec.stages):
        place: Place = ("spec", "stages", number)
        if not NAME.fullmatch(stage.name) or stage.name in seen:
            told = f"{stage.name!r} is no name of a stage: small letters a-z, digits and _, each name once."
            flaws.append(Flaw((*place, "name"), told))
        seen.add(stage.name)
        flaws += [Flaw((*place, *step), told) for step, told in _stage_flaws(stage)]
    if spec.stages[-1].goal is not None:
        told = "After the last stage there is no later one to reach; give the goal to an earlier stage."
        flaws.append(Flaw(("spec", "stages", len(spec.stages) - 1, "goal"), told))
    return flaws


def _stage_flaws(stage: ChainStage) -> list[tuple[Place, str]]:
    """Return what is wrong inside a stage, and where."""
    flaws: list[tuple[Place, str]] = []
    try:
        names_in(stage.sql)
    except ExpressionFlaw as flaw:
        flaws.append((("sql",), str(flaw)))
    spans: Mapping[Place, str] = {
        **({("stuck_after",): stage.stuck_after} if stage.stuck_after else {}),
        **({("goal", "within"): stage.goal.within} if stage.goal else {}),
    }
    for place, text in spans.items():
        try:
            span_of(text)
        except BadRequest as error:
            flaws.append((place, error.message))
    if stage.goal and not 1 <= stage.goal.percent <= 100:
        flaws.append((("goal", "percent"), "A goal is a whole number of percent from 1 to 100."))
    return flaws
