"""Campaign addresses: a naming standard, a builder that keeps to it, and where what arrives does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tekil.acquisition.reports import Period
from tekil.errors import BadRequest

NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
"""The standard: small letters a-z, digits, and single - _ . between them."""

MEDIA = (
    "cpc", "cpm", "cpv", "paid_social", "display", "banner", "video", "email", "sms", "push", "affiliate",
    "referral", "social", "organic", "qr", "print", "audio", "marketplace",
)  # fmt: skip
LENGTH_MAX = 100
_FOLDS = str.maketrans("çğıöşüâîû", "cgiosuaiu")


def standard_name(text: str) -> str:
    """Return a text as the standard writes it.

    >>> standard_name("  Kış İndirimi – 2026! ")
    'kis-indirimi-2026'
    """
    lowered = text.replace("İ", "i").replace("I", "ı").lower().translate(_FOLDS)
    return re.sub(r"[^a-z0-9._]+", "-", lowered).strip("-._")[:LENGTH_MAX]


@dataclass(frozen=True, slots=True)
class CampaignLink:
    """An address with where its visitors come from; parts that are empty are left out."""

    url: str
    source: str
    medium: str
    campaign: str
    term: str = ""
    content: str = ""


def build_link(link: CampaignLink) -> str:
    """Return the address to publish, its parts as the standard writes them.

    What the address has after `?` stays; earlier campaign parts are replaced. Raises `BadRequest` for an
    address that is none, and where source, medium or campaign is missing.
    """
    parts = urlsplit(link.url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc or " " in parts.netloc:
        raise BadRequest(f"{link.url!r} is no address; it begins with https://.", code="url_invalid")
    named = {
        name: standard_name(getattr(link, name))
        for name in ("source", "medium", "campaign", "term", "content")
    }
    if missing := [name for name in ("source", "medium", "campaign") if not named[name]]:
        raise BadRequest(f"A campaign's address needs its {', '.join(missing)}.", code="campaign_incomplete")
    kept = [(name, value) for name, value in parse_qsl(parts.query, True) if not name.startswith("utm_")]
    query = urlencode([*kept, *((f"utm_{name}", value) for name, value in named.items() if value)])
    return urlunsplit(parts._replace(query=query))


_FAULTS = {
    "no_medium": "said_source IS NOT NULL AND said_medium IS NULL",
    "no_campaign": "said_source IS NOT NULL AND said_campaign IS NULL",
    "unknown_medium": (
        "said_medium IS NOT NULL AND lowered(said_medium) NOT IN (" + ", ".join(f"'{m}'" for m in MEDIA) + ")"
    ),
    "capitals": (
        "said_source <> lowered(said_source) OR said_medium <> lowered(said_medium)"
        " OR said_campaign <> lowered(said_campaign)"
    ),
    "letters": (
        f"NOT regexp_matches(lowered(said_source), '^{NAME.pattern}$')"
        f" OR NOT regexp_matches(lowered(said_campaign), '^{NAME.pattern}$')"
    ),
    "unassigned": "channel = 'unassigned'",
}
"""What can be wrong with how a campaign is named → the condition over sessions."""

FAULTS = tuple(_FAULTS)


def hygiene_sql(period: Period, zone: str, limit: int = 100) -> str:
    """Return the SELECT of campaigns that do not keep to the standard: what is wrong, and how often."""
    whens = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in _FAULTS.items())
    return f"""SELECT said_source, said_medium, said_campaign, faults, count(*) AS sessions,
  count(DISTINCT person_key) AS people, min(landing_path) AS example
FROM (
  SELECT *, concat_ws(',', {whens}) AS faults FROM sessions
  WHERE said_source IS NOT NULL AND {period.holds_instant("started_at", zone)}
) AS judged WHERE faults <> ''
GROUP BY said_source, said_medium, said_campaign, faults
ORDER BY sessions DESC, said_source LIMIT {int(limit)}"""
