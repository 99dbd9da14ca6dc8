"""The kind `identity`: what its document may say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import flaw_of
from tekil.dictionary.patterns import complaint
from tekil.identifiers.model import KIND, KindSpec, PolicySpec

NAME = "identity"
PATTERNS_MAX = 200
DAYS_MAX = 3_650
WEIGHT_MAX = 100
BLOCK_MAX = 10_000
HOURS_MAX = 24 * 366
HOUSEHOLD_MAX = 50


def _check(definition: Definition) -> list[Flaw]:
    if definition.name != NAME:
        return [Flaw(("name",), f"There is one identity policy; call it {NAME}.")]
    try:
        spec = msgspec.convert(definition.spec, PolicySpec)
        for name in spec.kinds:
            rule = msgspec.convert(definition.spec["kinds"][name], KindSpec)
            if (rule.per_person, rule.persons, rule.devices_max) < (0, 0, 0):
                return [Flaw(("spec", "kinds", name), "A limit is a number from 0 up.")]
    except msgspec.ValidationError as error:
        return [flaw_of(error, ("spec",))]
    return list(_flaws(spec))


def _flaws(spec: PolicySpec) -> Iterator[Flaw]:
    named: list[tuple[tuple[str | int, ...], str]] = [(("kinds", name), name) for name in spec.kinds]
    named += [(("traits", trait), kind) for trait, kind in spec.traits.items()]
    named += [(("sources", source), kind) for source, kinds in spec.sources.items() for kind in kinds]
    for record, members in spec.records.items():
        named += [(("records", record, member), kind) for member, kind in members.items()]
        for member in members:
            if member.partition(".")[0] not in ("key", "fields") or not member.partition(".")[2]:
                yield Flaw(
                    ("spec", "records", record, member), "Write key.… or fields.…, as records have them."
                )
    for place, kind in named:
        if not KIND.fullmatch(kind):
            yield Flaw(("spec", *place), f"{kind!r} is no kind: small letters, digits and _, a letter first.")
    for number, pattern in enumerate(spec.blocked):
        if (wrong := complaint(pattern)) is not None:
            yield Flaw(("spec", "blocked", number), wrong)
    if len(spec.blocked) > PATTERNS_MAX:
        yield Flaw(("spec", "blocked"), f"There are at most {PATTERNS_MAX} patterns.")
    if not 0 <= spec.anonymous_history_days <= DAYS_MAX:
        yield Flaw(("spec", "anonymous_history_days"), f"Write a number of days from 0 to {DAYS_MAX}.")
    if spec.links is not None and not 0 < spec.links.review <= spec.links.accept <= WEIGHT_MAX:
        wrong = f"Write weights in bits: 0 < review, review <= accept, accept <= {WEIGHT_MAX}."
        yield Flaw(("spec", "links"), wrong)
    if spec.links is not None and not 2 <= spec.links.block_max <= BLOCK_MAX:
        yield Flaw(("spec", "links", "block_max"), f"Write a number from 2 to {BLOCK_MAX}.")
    hours = None if spec.links is None else spec.links.every_hours
    if hours is not None and not 1 <= hours <= HOURS_MAX:
        yield Flaw(("spec", "links", "every_hours"), f"Write a number of hours from 1 to {HOURS_MAX}.")
    if not 2 <= spec.households.people_max <= HOUSEHOLD_MAX:
        wrong = f"Write a number of people from 2 to {HOUSEHOLD_MAX}."
        yield Flaw(("spec", "households", "people_max"), wrong)
    if not 2 <= spec.identifiers_max <= 100:
        yield Flaw(("spec", "identifiers_max"), "Write a number from 2 to 100.")


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    return [(d.name, Flaw(("name",), "There is one identity policy.")) for d in definitions[1:]]


IDENTITY_KIND = Kind("identity", _check, _check_together)
