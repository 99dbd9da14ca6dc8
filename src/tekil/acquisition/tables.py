"""What attribution fills: conversions, the credit of each touch, and what was restated when."""

from __future__ import annotations

from tekil.acquisition.rules import RULES
from tekil.acquisition.spend import SPEND
from tekil.warehouse import BY_PERSON, Column, Erasure, Table

MODELS = (*RULES, "markov", "shapley")
"""All models of attribution, in the order in which they are shown."""

DATA_DRIVEN = ("markov", "shapley")

CONVERSIONS = Table(
    "conversions",
    (
        Column("person_key", "bigint"),
        Column("conversion", "text"),
        Column("conversion_key", "bigint"),
        Column("converted_at", "timestamp"),
        Column("day", "text"),
        Column("gross", "decimal"),
        Column("refunded", "decimal"),
        Column("currency", "text"),
        # What is left of it in the workspace's currency, in hundredths; null where no rate is known.
        Column("amount", "decimal"),
        Column("counts", "bigint"),
        Column("touches", "bigint"),
        Column("first_touch_at", "timestamp"),
        Column("path", "text"),
    ),
    key="person_key",
    erasure=BY_PERSON,
)

CREDITS = Table(
    "credits",
    (
        Column("person_key", "bigint"),
        Column("conversion", "text"),
        Column("conversion_key", "bigint"),
        Column("day", "text"),
        # From 1; 0 where the conversion has no touch at all.
        Column("touch", "bigint"),
        Column("touched_at", "timestamp"),
        *(Column(name, "text") for name in ("channel", "source", "medium", "campaign", "keyword")),
        # By model: the part of the amount, and of the conversion itself (exactly 1 in all).
        *(Column(f"value_{model}", "decimal") for model in MODELS),
        *(Column(f"share_{model}", "decimal") for model in MODELS),
    ),
    key="person_key",
    erasure=BY_PERSON,
)

LEARNED = Table(
    "channel_shares",
    (
        Column("conversion", "text"),
        Column("model", "text"),
        Column("channel", "text"),
        # Of 1; nine times out of ten between `low` and `high`. `error` is that of sampling.
        *(Column(name, "decimal") for name in ("share", "low", "high", "error")),
        Column("paths", "bigint"),
    ),
    key="conversion",
    erasure=Erasure("nobody", "shares of channels"),
)

RUNS = Table(
    "credit_runs",
    (
        Column("version", "bigint"),
        Column("made_at", "timestamp"),
        Column("cycle", "bigint"),
        Column("conversions", "bigint"),
        Column("amount", "decimal"),
        Column("restated", "bigint"),
    ),
    key="version",
    erasure=Erasure("nobody", "counts by version"),
)

RESTATEMENTS = Table(
    "credit_restatements",
    (
        Column("version", "bigint"),
        Column("model", "text"),
        Column("conversion", "text"),
        Column("day", "text"),
        Column("channel", "text"),
        Column("before_value", "decimal"),
        Column("after_value", "decimal"),
    ),
    key="version",
    erasure=Erasure("nobody", "sums by day and channel"),
)

TABLES = (SPEND, CONVERSIONS, CREDITS, LEARNED, RUNS, RESTATEMENTS)
