"""Every kind of definition there is, in the order in which they are checked and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from tekil.acquisition.channels import CHANNELS_KIND
from tekil.acquisition.conversions import CONVERSION_KIND
from tekil.acquisition.funnels import FUNNEL_KIND
from tekil.acquisition.kpis import KPI_KIND
from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import Place
from tekil.dictionary import DICTIONARY_KIND, EVENT_KIND
from tekil.forms import FORM_KIND
from tekil.identifiers import IDENTITY_KIND
from tekil.leads.pipelines import PIPELINE_KIND
from tekil.leads.routing import ROUTING_KIND
from tekil.models import AUDIENCE_KIND, FEATURE_KIND, SCORE_KIND, STAGE_KIND
from tekil.privacy.typed import told
from tekil.retention import RETENTION_KIND

MAY_NAME = (("owner",), ("spec", "steward"), ("spec", "blocked"))
"""Where a definition may hold an address: of the colleagues it belongs to, and of what is nobody's own."""


MAY_NAME_OF: Mapping[str, tuple[Place, ...]] = {
    ROUTING_KIND.name: (("spec", "agents"), ("spec", "rules"), ("spec", "escalate_to")),
}
"""The same, of a kind: who gets leads is named by what they sign in with, which may be an address."""


def personal_flaws(definition: Definition) -> list[Flaw]:
    """Return a flaw for each text of a definition that gives away somebody: definitions are no secret."""
    places = (*MAY_NAME, *MAY_NAME_OF.get(definition.kind, ()))
    return [
        Flaw(path, f"This holds {found}; a definition is kept in the clear, so write it without.")
        for path, text in _texts(msgspec.to_builtins(definition), ())
        if not any(path[: len(place)] == place for place in places) and (found := told(text)) is not None
    ]


def _texts(value: Any, path: Place) -> Iterator[tuple[Place, str]]:
    """Yield all texts in a document, names of members included, with where they stand."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name), str(name)
            yield from _texts(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*path, number))


def _guarded(kind: Kind) -> Kind:
    return replace(kind, check=lambda definition: [*personal_flaws(definition), *kind.check(definition)])


KINDS: Mapping[str, Kind] = {
    kind.name: _guarded(kind)
    for kind in (
        DICTIONARY_KIND,
        EVENT_KIND,
        IDENTITY_KIND,
        FEATURE_KIND,
        AUDIENCE_KIND,
        CHANNELS_KIND,
        CONVERSION_KIND,
        FUNNEL_KIND,
        KPI_KIND,
        STAGE_KIND,
        SCORE_KIND,
        FORM_KIND,
        PIPELINE_KIND,
        ROUTING_KIND,
        RETENTION_KIND,
    )
}
