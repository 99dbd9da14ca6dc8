"""What advertising cost: `ad_spend` records as rows, each with the channel that its clicks have."""

from __future__ import annotations

from tekil.acquisition.channels import ChannelsSpec, channel_sql, described
from tekil.acquisition.money import in_currency, latest, member
from tekil.dictionary.sql import quoted
from tekil.warehouse import Column, Erasure, Table

OBJECT = "ad_spend"
CLICK = "ad_click"
"""The record of one click that was paid for: key `click_id`, fields `campaign`, `ad_group` and `keyword`."""

PLATFORMS = {
    "google": ("google", "cpc"),
    "google ads": ("google", "cpc"),
    "bing": ("bing", "cpc"),
    "microsoft": ("bing", "cpc"),
    "yandex": ("yandex", "cpc"),
    "meta": ("facebook", "paid_social"),
    "facebook": ("facebook", "paid_social"),
    "instagram": ("instagram", "paid_social"),
    "tiktok": ("tiktok", "paid_social"),
    "linkedin": ("linkedin", "paid_social"),
    "x": ("x", "paid_social"),
    "youtube": ("youtube", "cpv"),
    "criteo": ("criteo", "display"),
}
"""An advertising platform → the source and medium of its clicks. Of any other: its own name, and cpc."""

SPEND = Table(
    "spend",
    (
        Column("record_key", "bigint"),
        # The platform's own day, as it says it: 2026-11-20.
        Column("day", "text"),
        *(Column(name, "text") for name in ("platform", "account", "campaign", "ad_group", "keyword")),
        *(Column(name, "text") for name in ("channel", "source", "medium")),
        Column("impressions", "bigint"),
        Column("clicks", "bigint"),
        # As the platform said it, and in the workspace's currency: null where no rate is known.
        Column("cost", "decimal"),
        Column("currency", "text"),
        Column("amount", "decimal"),
    ),
    key="record_key",
    erasure=Erasure("nobody", "advertising costs"),
)


def spend_sql(spec: ChannelsSpec, base: str) -> str:
    """Return the SELECT of `spend`: a record said anew replaces what it said before."""
    sources, media = (
        " ".join(f"WHEN {quoted(name)} THEN {quoted(told[place])}" for name, told in PLATFORMS.items())
        for place in (0, 1)
    )
    said = f"""SELECT record_key, {member("day", "date")} AS day, lowered({member("platform")}) AS platform,
    nullif({member("account")}, '-') AS account, nullif(lowered({member("campaign")}), '-') AS campaign,
    nullif(lowered({member("ad_group", "ad_set")}), '-') AS ad_group,
    nullif(lowered({member("keyword", "search_term")}), '-') AS keyword, {member("channel")} AS said_channel,
    TRY_CAST(decimal_of({member("impressions")}) AS BIGINT) AS impressions,
    TRY_CAST(decimal_of({member("clicks")}) AS BIGINT) AS clicks,
    coalesce(decimal_of({member("cost")}), CAST(0 AS DECIMAL(18, 4))) AS said,
    {member("currency")} AS currency
  FROM ({latest(OBJECT)}) AS latest_spend"""
    placed = f"""(SELECT *, coalesce(CASE platform {sources} END, platform) AS source,
    coalesce(CASE platform {media} END, 'cpc') AS medium, keyword AS term, CAST(NULL AS VARCHAR) AS content,
    CAST(NULL AS VARCHAR) AS click, CAST(NULL AS VARCHAR) AS referrer
    FROM ({in_currency(said, base)}) AS paid)"""
    others = (
        "record_key", "day", "platform", "account", "ad_group", "keyword", "said_channel", "impressions",
        "clicks", "said", "currency", "amount",
    )  # fmt: skip
    return f"""SELECT record_key, day, platform, account, campaign, ad_group, keyword,
  coalesce(said_channel, {channel_sql(spec)}) AS channel, source, medium, impressions, clicks, said AS cost,
  coalesce(currency, {quoted(base)}) AS currency, amount
FROM ({described(f"{placed} AS placed", others)}) AS described"""


CLICKS = f"""SELECT {member("click_id", "gclid")} AS click_id, max(lowered({member("campaign")})) AS campaign,
  max(lowered({member("keyword", "search_term")})) AS keyword
FROM ({latest(CLICK)}) AS latest_clicks GROUP BY {member("click_id", "gclid")}"""
"""What is known of clicks by their ids: of what auto-tagging says, only the platform knows the meaning."""
