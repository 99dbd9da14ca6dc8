"""Where a person stands: the stage of each chain, and every score with what its points come from."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tekil.api.model import Profile
from tekil.console.scores import titled
from tekil.console.visit import Visit
from tekil.definitions import Definition, stored
from tekil.models import STAGE_KIND, ChainSpec
from tekil.scores import SCORE, Shown, ShownRule, read_spec, rules_of
from tekil.store import Store


@dataclass(frozen=True, slots=True)
class StageReached:
    """The stage of a chain that a person is in, and since when (ISO 8601 in UTC)."""

    chain: str
    chain_title: str
    name: str
    title: str
    since: str


@dataclass(frozen=True, slots=True)
class ScoreHad:
    """A person's score: what its parts are called, and what each gives."""

    name: str
    title: str
    shown: Shown
    groups: list[tuple[str, int]]
    rules: list[tuple[str, ShownRule]]


@dataclass(frozen=True, slots=True)
class Standing:
    """All stages and scores of a person; nothing of a kind that is not in force."""

    stages: list[StageReached]
    scores: list[ScoreHad]


def standing(store: Store, profile: Profile, visit: Visit) -> Standing:
    """Return where a person stands, in the reader's language."""
    language = visit.words.language
    chains = {one.name: one for one in _current(store, STAGE_KIND.name)}
    scores = {one.name: one for one in _current(store, SCORE)}
    stages = []
    for chain, reached in (profile.stages or {}).items():
        found = chains.get(chain)
        titles = {}
        if found is not None:
            spec = msgspec.convert(found.spec, ChainSpec)
            titles = {stage.name: stage.title_in(language) for stage in spec.stages}
        title = found.title_in(language) if found else chain
        stages.append(
            StageReached(chain, title, reached.name, titles.get(reached.name, reached.name), reached.since)
        )
    had = [_had(name, shown, scores.get(name), language) for name, shown in (profile.scores or {}).items()]
    return Standing(stages, had)


def _current(store: Store, kind: str) -> list[Definition]:
    return [stored(version) for version in store.definitions.current(kind)]


def _had(name: str, shown: Shown, definition: Definition | None, language: str) -> ScoreHad:
    """Return a score with the titles of its parts; their names, where it is defined no more."""
    if definition is None:
        return ScoreHad(
            name, name, shown, list(shown.groups.items()), [(one.name, one) for one in shown.rules]
        )
    spec = read_spec(definition)
    groups = {one: titled(group.title, one, language) for one, group in spec.groups.items()}
    rules = {rule.name: titled(rule.title, rule.name, language) for _, rule in rules_of(spec)}
    return ScoreHad(
        name,
        definition.title_in(language),
        shown,
        [(groups.get(one, one), points) for one, points in shown.groups.items()],
        [(rules.get(one.name, one.name), one) for one in sorted(shown.rules, key=lambda r: -abs(r.points))],
    )
