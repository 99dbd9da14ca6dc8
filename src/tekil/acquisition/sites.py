"""What kind of site a source or a host is, as SQL: search, social, video, shopping, assistant, email.

The lists are those of the loader (`load/referrers.py`), and what GA4 counts as video and shopping besides.
"""

from __future__ import annotations

from tekil.dictionary.sql import quoted
from tekil.load.referrers import HOSTS, SUBDOMAINS

_MORE = {
    "video": ("youtube", "vimeo", "twitch", "dailymotion", "netflix", "hulu"),
    "social": ("fb", "ig", "snapchat", "quora", "tumblr", "vk", "bluesky", "mastodon", "meta"),
    "search": ("aol", "ask", "naver", "sogou", "google-play"),
    "shopping": ("ebay", "etsy", "aliexpress", "temu", "akakce", "cimri", "walmart", "shopping"),
}
_LOADERS = {"marketplace": "shopping"}
_SINGLE = ("t", "x", "mail")
"""Labels that are nobody's own: they count with their ending only."""

PAID = "(medium LIKE '%cp%' OR medium IN ('ppc', 'retargeting') OR medium LIKE 'paid%')"
"""GA4's pattern for media that are paid for: ^(.*cp.*|ppc|retargeting|paid.*)$"""

CLICKS = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "msclkid": ("bing", "cpc"),
    "ttclid": ("tiktok", "paid_social"),
    "li_fat_id": ("linkedin", "paid_social"),
}
"""Kind of click id → the source and medium that it tells of where nothing else does.

Not of fbclid: Meta adds it to what people share, too.
"""


def site_of(column: str) -> str:
    """Return the SQL of a source's or a host's kind of site; null for any other."""
    whens = [
        f"WHEN {column} = {quoted(beginning)} OR {column} LIKE {quoted(f'%.{beginning}')}"
        f" OR {column} LIKE {quoted(f'{beginning}.%')} THEN {quoted(_LOADERS.get(medium, medium))}"
        for beginning, (medium, _) in SUBDOMAINS.items()
    ]
    for kind, labels in _labels().items():
        pattern = rf"^([^/]*[.])?({'|'.join(labels)})([.][a-z]+([.][a-z][a-z])?)?$"
        whens.append(f"WHEN regexp_matches({column}, {quoted(pattern)}) THEN {quoted(kind)}")
    return f"CASE {' '.join(whens)} END"


def _labels() -> dict[str, tuple[str, ...]]:
    found = {kind: list(labels) for kind, labels in _MORE.items()}
    for medium, hosts in HOSTS.items():
        of = found.setdefault(_LOADERS.get(medium, medium), [])
        of += [label for label in hosts if label not in _SINGLE and label not in _MORE["video"]]
    return {kind: tuple(sorted(set(labels))) for kind, labels in found.items()}
