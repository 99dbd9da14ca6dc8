"""Conversions (`kind: conversion`): what counts as one, what it is worth, and what takes that back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tekil.acquisition.channels import condition_flaws
from tekil.acquisition.money import in_currency, latest
from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import Place, flaw_of
from tekil.dictionary.sql import quoted
from tekil.expressions import ExpressionFlaw, Scope, Seen, Stage, Type, check
from tekil.models.features import NAME, event_scope

LOOKBACK_DAYS_MAX = 730
DAY_US = 86_400_000_000
# What a record names somebody by are the names of the members of `identifiers`, sorted.
_FIRST, _SECOND = r'^[{]"([^"]+)"', r'^[{]"[^"]+":[^,"]+,"([^"]+)"'

NAME_TOLD = "This is named in other definitions: small letters a-z, digits and _."


class Refund(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What takes a conversion's value back, all of it or a part, by the same key."""

    event: str
    value: str
    key: str
    when: str = ""


class ConversionSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversion's `spec`: an event, or a record, and conditions and values over it.

    Two of the same `key` are one: the earlier. Touches up to `lookback_days` before it are credited.
    """

    event: str = ""
    record: str = ""
    when: str = ""
    value: str = ""
    currency: str = ""
    key: str = ""
    refund: Refund | None = None
    lookback_days: int = 90


def record_scope() -> Scope:
    """Return what a conversion over records may name: members of its key and its fields."""
    members = {"key": "json_member(key, {0})", "fields": "variant_text(fields, {0})"}
    return Scope({"occurred_at": Seen("occurred_at", Type.INSTANT)}, members, Stage.ROW)


def conversions_in(definitions: Sequence[Definition]) -> dict[str, ConversionSpec]:
    """Return the conversions that can be read, by name."""
    found = {}
    for definition in definitions:
        if definition.kind == CONVERSION_KIND.name and not _check_conversion(definition):
            found[definition.name] = msgspec.convert(definition.spec, ConversionSpec)
    return dict(sorted(found.items()))


def conversions_sql(specs: dict[str, ConversionSpec], zone: str, base: str) -> str:
    """Return the SELECT of all conversions.

    It gives `conversion`, `conversion_key`, `person_key` (null for a record that names nobody),
    `converted_at`, `day` (of the workspace), `gross`, `refunded`, `amount` (what is left; null where no rate
    is known), `counts` (1, or 0 where all was taken back) and `lookback_us`.
    """
    said = " UNION ALL ".join(
        (_of_events if spec.event else _of_records)(name, spec, zone) for name, spec in specs.items()
    )
    taken = " UNION ALL ".join(
        _refunds(name, spec.refund, zone) for name, spec in specs.items() if spec.refund is not None
    )
    nothing = "SELECT '' AS conversion, '' AS dedup, CAST(0 AS DECIMAL(18, 4)) AS taken WHERE FALSE"
    once = f"""SELECT conversion, key64(conversion || ':' || dedup) AS conversion_key,
      person_key, converted_at,
      CAST(day_in(converted_at, {quoted(zone)}) AS VARCHAR) AS day, gross, currency, lookback_us,
      least(coalesce(t.taken, CAST(0 AS DECIMAL(18, 4))), gross) AS refunded
    FROM (
      SELECT *, row_number() OVER (PARTITION BY conversion, dedup ORDER BY converted_at, tie) AS copy
      FROM ({said}) AS said
    ) AS s LEFT JOIN (
      SELECT conversion AS of, dedup AS taken_from, CAST(sum(taken) AS DECIMAL(18, 4)) AS taken
      FROM ({taken or nothing}) AS refunds GROUP BY conversion, dedup
    ) AS t ON t.of = s.conversion AND t.taken_from = s.dedup
    WHERE copy = 1"""
    net = f"SELECT *, CAST(gross - refunded AS DECIMAL(18, 2)) AS said FROM ({once}) AS once"
    return f"""SELECT conversion, conversion_key, person_key, converted_at, day, gross, refunded,
  currency, CAST(amount AS DECIMAL(18, 4)) AS amount, lookback_us,
  CASE WHEN refunded >= gross AND gross > 0 THEN 0 ELSE 1 END AS counts
FROM ({in_currency(net, base)}) AS converted"""


def _decimal(sql: str) -> str:
    return f"greatest(coalesce(CAST(TRY_CAST({sql} AS DECIMAL(18, 4)) AS DECIMAL(18, 4)), 0), 0)"


def _of_events(name: str, spec: ConversionSpec, zone: str) -> str:
    scope = event_scope(zone)
    where = f" AND ({check(spec.when, scope).sql})" if spec.when else ""
    key = f"coalesce({check(spec.key, scope).sql}, message_id)" if spec.key else "message_id"
    return f"""SELECT {quoted(name)} AS conversion, person_key, occurred_at AS converted_at,
        message_key AS tie, {_value(spec, scope)} AS gross, {_currency(spec, scope)} AS currency,
        {key} AS dedup, {spec.lookback_days * DAY_US} AS lookback_us
      FROM person_events WHERE type = 'track' AND event = {quoted(spec.event)}{where}"""


def _of_records(name: str, spec: ConversionSpec, _zone: str) -> str:
    """Return the SELECT of a conversion over records: it happened when its condition held for the first time,
    and is one as long as that still holds."""
    scope = record_scope()
    where = f"({check(spec.when, scope).sql})" if spec.when else "TRUE"
    key = f"coalesce({check(spec.key, scope).sql}, r.key)" if spec.key else "r.key"
    return f"""SELECT {quoted(name)} AS conversion,
        coalesce(one.person_key, other.person_key) AS person_key, f.held_at AS converted_at,
        record_key AS tie, {_value(spec, scope)} AS gross, {_currency(spec, scope)} AS currency,
        {key} AS dedup, {spec.lookback_days * DAY_US} AS lookback_us
      FROM ({latest(spec.record)}) AS r
      JOIN (SELECT record_key AS first_key, min(occurred_at) AS held_at FROM record_changes
        WHERE object = {quoted(spec.record)} AND {where} GROUP BY record_key) AS f
        ON f.first_key = r.record_key
      LEFT JOIN identity AS one ON one.identifier_key = key64(regexp_extract(r.identifiers, '{_FIRST}', 1))
      LEFT JOIN identity AS other
        ON other.identifier_key = key64(regexp_extract(r.identifiers, '{_SECOND}', 1))
      WHERE {where}"""


def _value(spec: ConversionSpec, scope: Scope) -> str:
    return _decimal(check(spec.value, scope).sql) if spec.value else "CAST(0 AS DECIMAL(18, 4))"


def _currency(spec: ConversionSpec, scope: Scope) -> str:
    return check(spec.currency, scope).sql if spec.currency else "CAST(NULL AS VARCHAR)"


def _refunds(name: str, refund: Refund, zone: str) -> str:
    scope = event_scope(zone)
    where = f" AND ({check(refund.when, scope).sql})" if refund.when else ""
    return f"""SELECT {quoted(name)} AS conversion, {check(refund.key, scope).sql} AS dedup,
      {_decimal(check(refund.value, scope).sql)} AS taken
    FROM events WHERE type = 'track' AND event = {quoted(refund.event)}{where}"""


def _check_conversion(definition: Definition) -> list[Flaw]:
    flaws = [] if NAME.fullmatch(definition.name) else [Flaw(("name",), NAME_TOLD)]
    try:
        spec = msgspec.convert(definition.spec, ConversionSpec)
    except msgspec.ValidationError as error:
        return [*flaws, flaw_of(error, ("spec",))]
    if bool(spec.event) == bool(spec.record):
        flaws.append(
            Flaw(("spec",), "A conversion is over an event, or over a record: write one of the two.")
        )
        return flaws
    if not 1 <= spec.lookback_days <= LOOKBACK_DAYS_MAX:
        flaws.append(Flaw(("spec", "lookback_days"), f"Here stand 1 to {LOOKBACK_DAYS_MAX} days."))
    scope = event_scope() if spec.event else record_scope()
    flaws += _flaws_of(spec, scope, ("spec",))
    if spec.refund is not None:
        if not spec.key:
            told = "To know what is taken back, the conversion needs a key, too."
            flaws.append(Flaw(("spec", "refund"), told))
        flaws += _flaws_of(spec.refund, event_scope(), ("spec", "refund"))
    return flaws


def _flaws_of(spec: ConversionSpec | Refund, scope: Scope, below: Place) -> list[Flaw]:
    flaws = condition_flaws(spec.when, scope, (*below, "when")) if spec.when else []
    wanted = {"value": {Type.DECIMAL, Type.INTEGER}, "key": {Type.TEXT}, "currency": {Type.TEXT}}
    for name, types in wanted.items():
        text = getattr(spec, name, "")
        if not text:
            continue
        try:
            found = check(text, scope)
        except ExpressionFlaw as flaw:
            flaws.append(Flaw((*below, name), str(flaw)))
            continue
        if found.type not in types or found.stage is Stage.PERSON:
            told = "Write number(properties.total) for a value, a text for a key or a currency."
            flaws.append(Flaw((*below, name), f"This is {found.type.value}. {told}"))
    return flaws


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    if len(definitions) <= CONVERSIONS_MAX:
        return []
    return [(definitions[-1].name, Flaw(("kind",), f"There are at most {CONVERSIONS_MAX} conversions."))]


CONVERSIONS_MAX = 20
CONVERSION_KIND = Kind("conversion", _check_conversion, _check_together)
