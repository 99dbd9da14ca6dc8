"""Channels: what brought somebody, by rules that a company may write for itself (`kind: channels`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from tekil.acquisition.sites import CLICKS, PAID, site_of
from tekil.definitions import Definition, Flaw, Kind, parse
from tekil.definitions.document import flaw_of
from tekil.dictionary.sql import quoted
from tekil.expressions import ExpressionFlaw, Scope, Seen, Stage, Type, check
from tekil.models.features import event_scope

DIRECT = "direct"
"""The channel of who came by themselves, as far as anybody can tell."""

UNASSIGNED = "unassigned"
"""The channel of what no rule speaks of."""

NONE = "none"
"""Instead of a channel, where a conversion has no touch before it."""

CHANNEL = re.compile("[a-z][a-z0-9_]{0,40}")

_COLUMNS = ("source", "medium", "campaign", "term", "content", "click", "referrer", "site")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Touches for which a condition holds are of a channel, unless an earlier rule took them."""

    channel: str
    when: str
    title: dict[str, str] = {}


class EventTouch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events that are touches without a visit: a call, a store. `when` narrows them down."""

    channel: str
    event: str
    when: str = ""
    title: dict[str, str] = {}


class ChannelsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `spec` of channels.

    A session ends after `inactive_minutes`. Visitors who come back from `ignored_referrers` (hosts, and all
    below them), such as a payment page, were never gone.
    """

    rules: list[Rule]
    events: list[EventTouch] = []
    inactive_minutes: int = 30
    ignored_referrers: list[str] = []


SHIPPED = parse((Path(__file__).parent / "channels.yaml").read_text(encoding="utf-8"))[0].definition


def channel_scope() -> Scope:
    """Return what a rule may name: a touch's columns, and whether it was paid for."""
    columns = {name: Seen(name, Type.TEXT) for name in _COLUMNS}
    return Scope(columns | {"paid": Seen(f"coalesce({PAID}, FALSE)", Type.BOOLEAN)}, {}, Stage.ROW)


def channels_of(definitions: Sequence[Definition]) -> ChannelsSpec:
    """Return the channels in force: those that were written, or those that are shipped."""
    written = [one for one in definitions if one.kind == CHANNELS_KIND.name]
    return msgspec.convert((written or [SHIPPED])[-1].spec, ChannelsSpec)


@lru_cache(maxsize=16)
def _channel_sql(rules: tuple[tuple[str, str], ...]) -> str:
    whens = " ".join(
        f"WHEN {check(when, channel_scope()).sql} THEN {quoted(channel)}" for channel, when in rules
    )
    return f"CASE {whens} ELSE '{UNASSIGNED}' END" if whens else f"'{UNASSIGNED}'"


def channel_sql(spec: ChannelsSpec) -> str:
    """Return the SQL of a touch's channel, over the columns of `described`. Raises `ExpressionFlaw`."""
    return _channel_sql(tuple((rule.channel, rule.when) for rule in spec.rules))


def described(relation: str, others: Sequence[str]) -> str:
    """Return the SELECT of a relation with what rules ask for, spelled in small letters.

    It has `source`, `medium`, `campaign`, `term`, `content`, `click` (the kind of the click's id) and
    `referrer` (a host), as they were said; `others` are its other columns that are kept.
    """
    sources, media = (
        " ".join(f"WHEN '{kind}' THEN '{told[place]}'" for kind, told in CLICKS.items()) for place in (0, 1)
    )
    plain = ", ".join(
        f"lowered({name}) AS {name}" for name in ("campaign", "term", "content", "referrer", "click")
    )
    return f"""SELECT n.*, {site_of("n.source")} AS site FROM (
  SELECT {", ".join(others)},
    coalesce(lowered(source), CASE click {sources} END, lowered(referrer)) AS source,
    coalesce(lowered(medium), CASE click {media} END,
      CASE WHEN source IS NULL AND click IS NULL AND referrer IS NOT NULL THEN
        CASE WHEN {site_of("lowered(referrer)")} = 'search' THEN 'organic' ELSE 'referral' END END) AS medium,
    {plain}
  FROM {relation}
) AS n"""


def _check_channels(definition: Definition) -> list[Flaw]:
    try:
        spec = msgspec.convert(definition.spec, ChannelsSpec)
    except msgspec.ValidationError as error:
        return [flaw_of(error, ("spec",))]
    flaws = []
    if not 1 <= spec.inactive_minutes <= 240:
        flaws.append(Flaw(("spec", "inactive_minutes"), "A session ends after 1 to 240 minutes."))
    for place, rule in enumerate(spec.rules):
        flaws += _name_flaws(rule.channel, ("spec", "rules", place, "channel"))
        flaws += condition_flaws(rule.when, channel_scope(), ("spec", "rules", place, "when"))
    for place, touch in enumerate(spec.events):
        flaws += _name_flaws(touch.channel, ("spec", "events", place, "channel"))
        if touch.when:
            flaws += condition_flaws(touch.when, event_scope(), ("spec", "events", place, "when"))
    return flaws


def _name_flaws(name: str, place: tuple[str | int, ...]) -> list[Flaw]:
    if CHANNEL.fullmatch(name):
        return []
    return [Flaw(place, f"{name!r} is no name of a channel: small letters a-z, digits and _.")]


def condition_flaws(text: str, scope: Scope, place: tuple[str | int, ...]) -> list[Flaw]:
    """Return what is wrong with a condition over one event, touch or record."""
    try:
        found = check(text, scope)
    except ExpressionFlaw as flaw:
        return [Flaw(place, str(flaw))]
    if found.type is not Type.BOOLEAN or found.stage is Stage.PERSON:
        return [Flaw(place, f"Here stands a condition over one row, not {found.type.value}.")]
    return []


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    told = "There is one set of channels; change that one."
    return [(one.name, Flaw(("name",), told)) for one in definitions[1:]]


CHANNELS_KIND = Kind("channels", _check_channels, _check_together)
