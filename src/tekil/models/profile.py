"""The profile: what a person did (`activity`) and what is known of them (`attributes`)."""

from __future__ import annotations

from collections.abc import Sequence

from tekil.dictionary.sql import quoted
from tekil.models.model import Model
from tekil.privacy.rectification import SOURCE as RECTIFICATION

# Ties in time are broken by the message's key, so that the order of arrival never shows.
_ORDER = "{'seen_at': occurred_at, 'key': message_key}"

# A touch is a visit that says where it came from: a campaign, an ad click, or another site.
_TOUCHED = """(utm_source IS NOT NULL OR click_id IS NOT NULL
    OR (referrer_host IS NOT NULL AND coalesce(referrer_host <> url_host, TRUE)))"""
_TOUCH = """{'source': utm_source, 'medium': utm_medium, 'campaign': utm_campaign,
    'click_id_kind': click_id_kind, 'referrer_host': referrer_host, 'seen_at': occurred_at}"""


def _touch_columns(name: str, aggregate: str) -> str:
    """One aggregate over a whole touch, so that its source and its campaign are never of two visits."""
    return f"{aggregate}({_TOUCH}, {_ORDER}) FILTER (WHERE {_TOUCHED}) AS {name}"


ACTIVITY = Model(
    "activity",
    f"""
SELECT person_key,
  count(*) AS events,
  count(*) FILTER (WHERE type = 'page') AS pages,
  count(*) FILTER (WHERE occurred_at > now() - INTERVAL 7 DAY) AS events_7d,
  count(*) FILTER (WHERE occurred_at > now() - INTERVAL 30 DAY) AS events_30d,
  min(occurred_at) AS first_seen,
  max(occurred_at) AS last_seen,
  distinct_texts(source) AS sources,
  arg_max({{'url': url, 'title': title, 'seen_at': occurred_at}}, {_ORDER})
    FILTER (WHERE url IS NOT NULL) AS last_page,
  {_touch_columns("first_touch", "arg_min")},
  {_touch_columns("last_touch", "arg_max")},
  arg_max(locale, {_ORDER}) FILTER (WHERE locale IS NOT NULL) AS locale,
  arg_max(user_agent, {_ORDER}) FILTER (WHERE user_agent IS NOT NULL) AS user_agent
FROM person_events
GROUP BY person_key
""",
    {
        "events": "bigint",
        "pages": "bigint",
        "events_7d": "bigint",
        "events_30d": "bigint",
        "first_seen": "timestamp",
        "last_seen": "timestamp",
        "sources": "texts",
        "last_page": "page",
        "first_touch": "touch",
        "last_touch": "touch",
        "locale": "text",
        "user_agent": "text",
    },
)
"""Counts, first and last seen, last page, first and last touch."""


def attributes(trusted_sources: Sequence[str] = ()) -> Model:
    """Return the model of a person's traits: for each name, the value that survives.

    Of several values a correction wins; then the one from the source that comes first in `trusted_sources`;
    among sources trusted alike (all that are not named), the latest.
    """
    trusted_sources = (RECTIFICATION, *trusted_sources)
    ranks = " ".join(f"WHEN {quoted(name)} THEN {-i}" for i, name in enumerate(trusted_sources))
    trust = f"CASE source {ranks} ELSE {-len(trusted_sources)} END"
    order = f"{{'trust': {trust}, 'seen_at': occurred_at, 'source': source, 'key': message_key}}"
    return Model(
        "attributes",
        f"""
SELECT person_key,
  json_object_of(name, won.value) AS traits,
  json_object_of(
    name, '{{"source":' || json_quoted(won.source) || ',"at":"' || iso_text(won.seen_at) || '"}}'
  ) AS trait_sources
FROM (
  SELECT person_key, name,
    arg_max({{'value': value, 'source': source, 'seen_at': occurred_at}}, {order}) AS won
  FROM person_traits GROUP BY person_key, name
) AS winners
GROUP BY person_key
""",
        {"traits": "text", "trait_sources": "text"},
    )


ATTRIBUTES = attributes()
"""Traits where no source is trusted more than another."""
