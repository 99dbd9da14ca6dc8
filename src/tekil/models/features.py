"""Features: what a company wants to know of each person, as SQL aggregates over that person's events.

All features in force are one model: one row a person, one column a feature, one pass over the events.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import flaw_of
from tekil.expressions import ExpressionFlaw, Scope, Seen, Stage, Type, Typed, check
from tekil.models.model import Model
from tekil.warehouse import RESERVED_WORDS
from tekil.warehouse.protocol import ColumnType

FEATURES = "features"
"""What the model of all features, and its table, is called."""

FEATURES_MAX = 500
NAME = re.compile("[a-z][a-z0-9_]{0,62}")
RESERVED = ("person_key", "person_id", "wake_at")

_TEXTS = (
    "type", "event", "source", "user_id", "anonymous_id", "group_id", "url", "url_host", "url_path", "title",
    "referrer", "referrer_host", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
    "click_id_kind", "click_id", "user_agent", "locale", "library",
)  # fmt: skip
_INSTANTS = ("occurred_at", "received_at")
_VARIANTS = ("properties", "context", "traits")

COLUMN_TYPES: dict[Type, ColumnType] = {
    Type.INTEGER: "bigint",
    Type.DECIMAL: "decimal",
    Type.TEXT: "text",
    Type.INSTANT: "timestamp",
    Type.BOOLEAN: "boolean",
}
"""What column holds a feature of a type."""


class FeatureSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feature's `spec`: an aggregate over the events of one person, and in words what it is for."""

    sql: str
    description: str = ""


def event_scope(zone: str = "UTC") -> Scope:
    """Return what a feature may name: an event's columns, and members of what senders put in freely."""
    columns = {name: Seen(name, Type.TEXT) for name in _TEXTS}
    columns |= {name: Seen(name, Type.INSTANT) for name in _INSTANTS}
    members = {name: f"variant_text({name}, {{0}})" for name in _VARIANTS}
    return Scope(columns, members, Stage.ROW, zone)


def read_feature(sql: str, zone: str = "UTC") -> Typed:
    """Return what a feature's SQL means. Raises `ExpressionFlaw`, also for what is no aggregate."""
    found = check(sql, event_scope(zone))
    if found.stage is not Stage.PERSON:
        told = "A feature is about all of a person's events; write an aggregate, such as count(*) or last(…)."
        raise ExpressionFlaw(told, sql, 0)
    return found


def name_flaw(name: str) -> Flaw | None:
    """Return what is wrong with the name of something that becomes a column."""
    if name in RESERVED_WORDS:
        return Flaw(
            ("name",), f"This becomes a column, and {name!r} is a word of SQL; call it {name}_ or other."
        )
    if NAME.fullmatch(name) and name not in RESERVED:
        return None
    told = f"This becomes a column: small letters a-z, digits and _, and none of {', '.join(RESERVED)}."
    return Flaw(("name",), told)


def feature_model(definitions: Sequence[Definition], zone: str) -> Model:
    """Return the model of all features among some definitions, in the order of their names.

    One whose SQL this version does not understand (any more) is left out; `tekil plan` says why.
    """
    columns: dict[str, ColumnType] = {}
    selects = []
    for definition in sorted((d for d in definitions if d.kind == FEATURE_KIND.name), key=lambda d: d.name):
        try:
            found = read_feature(msgspec.convert(definition.spec, FeatureSpec).sql, zone)
        except (ExpressionFlaw, msgspec.ValidationError):
            continue
        columns[definition.name] = COLUMN_TYPES[found.type]
        selects.append(f',\n  {found.sql} AS "{definition.name}"')
    condition = "" if selects else " WHERE FALSE"
    sql = f"SELECT person_key{''.join(selects)}\nFROM person_events{condition}\nGROUP BY person_key"
    return Model(FEATURES, sql, columns)


def _check_feature(definition: Definition) -> list[Flaw]:
    flaws = [flaw] if (flaw := name_flaw(definition.name)) else []
    try:
        found = read_feature(msgspec.convert(definition.spec, FeatureSpec).sql)
    except msgspec.ValidationError as error:
        return [*flaws, flaw_of(error, ("spec",))]
    except ExpressionFlaw as flaw:
        return [*flaws, Flaw(("spec", "sql"), str(flaw))]
    if found.type not in COLUMN_TYPES:
        flaws.append(Flaw(("spec", "sql"), f"A feature gives a value, not {found.type.value}."))
    return flaws


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    if len(definitions) <= FEATURES_MAX:
        return []
    return [(definitions[-1].name, Flaw(("kind",), f"There are at most {FEATURES_MAX} features."))]


FEATURE_KIND = Kind("feature", _check_feature, _check_together)
