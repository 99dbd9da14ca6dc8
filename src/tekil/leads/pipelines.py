"""Pipelines as definitions: the stages a lead goes through, and why one can be lost."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from tekil.definitions import Definition, Flaw, Kind, stored
from tekil.definitions.document import flaw_of
from tekil.errors import BadRequest
from tekil.store import Definitions

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
STAGES_MAX = 20

Texts = dict[str, str]

QUALITIES = ("good", "weak", "wrong")
"""What salespeople say of a lead: worth it, hardly, or nobody who wanted anything."""


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A stage of a pipeline. `chance` is in how many of a hundred cases a lead there is won."""

    name: str
    title: Texts = {}
    chance: int = 0


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why a lead can be lost."""

    name: str
    title: Texts = {}


class PipelineSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A pipeline's `spec`. A lead begins in the first stage; won and lost are beside them."""

    stages: tuple[Stage, ...]
    lost_reasons: tuple[Reason, ...] = ()
    currency: str = "TRY"


class Pipeline(msgspec.Struct, frozen=True):
    """A pipeline in force."""

    name: str
    title: Texts
    spec: PipelineSpec

    @property
    def first(self) -> str:
        """The stage in which leads begin."""
        return self.spec.stages[0].name

    def stage(self, name: str) -> Stage:
        """Return a stage. Raises `BadRequest` where there is none of that name."""
        for stage in self.spec.stages:
            if stage.name == name:
                return stage
        names = ", ".join(stage.name for stage in self.spec.stages)
        raise BadRequest(
            f"The pipeline {self.name} has no stage {name[:80]!r}; it has {names}.", code="stage_unknown"
        )

    def check_reason(self, name: str) -> str:
        """Return a reason's name. Raises `BadRequest` where there is none of that name."""
        if any(reason.name == name for reason in self.spec.lost_reasons):
            return name
        names = ", ".join(reason.name for reason in self.spec.lost_reasons)
        raise BadRequest(f"Say why it is lost by one of: {names}.", code="lost_reason_unknown")


SALES = Pipeline(
    "sales",
    {"tr": "Satış", "en": "Sales"},
    PipelineSpec(
        (
            Stage("new", {"tr": "Yeni", "en": "New"}, 5),
            Stage("contacted", {"tr": "Görüşüldü", "en": "Contacted"}, 15),
            Stage("qualified", {"tr": "Nitelikli", "en": "Qualified"}, 35),
            Stage("offer", {"tr": "Teklif", "en": "Offer"}, 60),
        ),
        (
            Reason("no_answer", {"tr": "Ulaşılamadı", "en": "Not reached"}),
            Reason("price", {"tr": "Fiyat", "en": "Price"}),
            Reason("competitor", {"tr": "Rakibi seçti", "en": "Chose a competitor"}),
            Reason("later", {"tr": "Şimdi değil", "en": "Not now"}),
            Reason("not_fit", {"tr": "Uygun değil", "en": "No fit"}),
            Reason("wrong_data", {"tr": "Yanlış bilgi", "en": "Wrong data"}),
        ),
    ),
)
"""What is in force where nobody defined a pipeline of this name."""


def pipelines_in_force(definitions: Definitions) -> dict[str, Pipeline]:
    """Return the pipelines by name, the one that ships among them."""
    found = [stored(version) for version in definitions.current(PIPELINE_KIND.name)]
    own = {d.name: Pipeline(d.name, d.title, msgspec.convert(d.spec, PipelineSpec)) for d in found}
    return {SALES.name: SALES, **own}


def pipeline_of(pipelines: Mapping[str, Pipeline], name: str) -> Pipeline:
    """Return the pipeline of a name; the usual one where it is no more."""
    return pipelines.get(name) or pipelines[SALES.name]


def _check(definition: Definition) -> list[Flaw]:
    if NAME.fullmatch(definition.name) is None:
        return [Flaw(("name",), "A pipeline's name has small letters, digits and _, a letter first.")]
    try:
        spec = msgspec.convert(definition.spec, PipelineSpec)
    except msgspec.ValidationError as error:
        return [flaw_of(error, ("spec",))]
    flaws = []
    if not 0 < len(spec.stages) <= STAGES_MAX:
        flaws.append(Flaw(("spec", "stages"), f"A pipeline has 1 to {STAGES_MAX} stages."))
    if re.fullmatch(r"[A-Z]{3}", spec.currency) is None:
        flaws.append(Flaw(("spec", "currency"), "A currency is three letters, like TRY."))
    named: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("stages", tuple(stage.name for stage in spec.stages)),
        ("lost_reasons", tuple(reason.name for reason in spec.lost_reasons)),
    )
    for member, names in named:
        for number, name in enumerate(names):
            place = ("spec", member, number, "name")
            if NAME.fullmatch(name) is None:
                flaws.append(
                    Flaw(place, f"{name!r} is no name: small letters, digits and _, a letter first.")
                )
            elif names.index(name) < number:
                flaws.append(Flaw(place, f"{name!r} is there twice."))
    for number, stage in enumerate(spec.stages):
        if not 0 <= stage.chance <= 100:
            flaws.append(Flaw(("spec", "stages", number, "chance"), "A chance is 0 to 100."))
    return flaws


PIPELINE_KIND = Kind("pipeline", _check, lambda _definitions: [])
