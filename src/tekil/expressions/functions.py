"""Every function of the language: one row each, several where it takes one type or another.

To add one, add a row here; what engines disagree on in its SQL is a macro in `warehouse/macros_*.py`.

In `sql`, `{0}` `{1}` … are the arguments and `{zone}` the time zone's literal. An aggregate's `{filter}` is
its FILTER or nothing, `{and}` what its FILTER asks after an AND, `{kept}` the last argument, null where the
FILTER does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from tekil.expressions.types import Type

ORDER = "{'seen_at': occurred_at, 'key': message_key}"
"""Ties in time are broken by the message's key, so that the order of arrival never shows."""

Types = frozenset[Type]

INTEGER, DECIMAL, TEXT, INSTANT, BOOLEAN = (
    Type.INTEGER, Type.DECIMAL, Type.TEXT, Type.INSTANT, Type.BOOLEAN,
)  # fmt: skip
ANY: Types = frozenset({INTEGER, DECIMAL, TEXT, INSTANT, BOOLEAN})
ORDERED: Types = ANY - {BOOLEAN}


@dataclass(frozen=True, slots=True)
class Function:
    """A function for some types of arguments. `gives` nothing: the type that all arguments share."""

    name: str
    takes: tuple[Types, ...]
    gives: Type | None
    sql: str
    tr: str
    en: str
    aggregate: bool = False
    constants: frozenset[int] = frozenset()
    """Which arguments must be constants."""
    many: bool = False
    """Whether the last argument may be repeated; `{all}` is then all of them."""
    of_person: bool = False
    """Whether it is about a whole person, never about one event."""


def _of(kind: Type) -> Types:
    return frozenset({kind})


FUNCTIONS: tuple[Function, ...] = (
    Function(
        "count", (ANY,), INTEGER, "count({0}){filter}",
        "kaç kez: count(*) olayları, count(x) dolu değerleri, count(distinct x) farklı değerleri sayar",
        "how many: count(*) counts events, count(x) values, count(distinct x) different values",
        aggregate=True,
    ),
    Function(
        "sum", (_of(INTEGER),), INTEGER,
        "TRY_CAST(sum(TRY_CAST({0} AS DECIMAL(18, 0))){filter} AS BIGINT)",
        "toplam", "the sum", aggregate=True,
    ),
    Function(
        "sum", (_of(DECIMAL),), DECIMAL, "TRY_CAST(sum({0}){filter} AS DECIMAL(18, 4))",
        "toplam", "the sum", aggregate=True,
    ),
    Function(
        "avg", (_of(INTEGER),), DECIMAL,
        "divided(TRY_CAST(sum(TRY_CAST({0} AS DECIMAL(18, 0))){filter} AS DECIMAL(18, 4)),"
        " TRY_CAST(count({0}){filter} AS DECIMAL(18, 4)))",
        "ortalama", "the mean", aggregate=True,
    ),
    Function(
        "avg", (_of(DECIMAL),), DECIMAL,
        "divided(TRY_CAST(sum({0}){filter} AS DECIMAL(18, 4)),"
        " TRY_CAST(count({0}){filter} AS DECIMAL(18, 4)))",
        "ortalama", "the mean", aggregate=True,
    ),
    Function("min", (ORDERED,), None, "min({0}){filter}", "en küçüğü", "the least", aggregate=True),
    Function("max", (ORDERED,), None, "max({0}){filter}", "en büyüğü", "the greatest", aggregate=True),
    Function(
        "first", (ANY,), None, f"arg_min({{0}}, {ORDER}) FILTER (WHERE {{0}} IS NOT NULL{{and}})",
        "ilk dolu değer, olay zamanına göre", "the earliest value that is there", aggregate=True,
    ),
    Function(
        "last", (ANY,), None, f"arg_max({{0}}, {ORDER}) FILTER (WHERE {{0}} IS NOT NULL{{and}})",
        "son dolu değer, olay zamanına göre", "the latest value that is there", aggregate=True,
    ),
    Function(
        "nth", (_of(INTEGER), _of(INSTANT)), INSTANT, "nth_of({kept}, {0})",
        "n'inci an: nth(2, occurred_at) ikinci kez ne zaman oldu",
        "the nth instant: nth(2, occurred_at) is when it happened for the second time",
        aggregate=True, constants=frozenset({0}),
    ),
    Function(
        "distinct_days", (), INTEGER, "count(DISTINCT day_in(occurred_at, {zone})){filter}",
        "kaç farklı günde, çalışma alanının saat diliminde", "on how many days of the workspace's time zone",
        aggregate=True,
    ),
    Function(
        "days_since", (_of(INSTANT),), INTEGER, "days_between({0}, now())",
        "üzerinden geçen tam gün (24 saat) sayısı", "whole days (of 24 hours) that have passed since",
        of_person=True,
    ),
    Function(
        "days_between", (_of(INSTANT), _of(INSTANT)), INTEGER, "days_between({0}, {1})",
        "iki an arasındaki tam gün sayısı", "whole days from one instant to another",
    ),
    Function(
        "number", (_of(TEXT),), DECIMAL, "decimal_of({0})",
        "metinden sayı: 1249.90; sayı değilse boş", "a text as a number such as 1249.90; null if it is none",
    ),
    Function(
        "instant", (_of(TEXT),), INSTANT,
        "CASE WHEN instant({0}) BETWEEN TIMESTAMP '1000-01-01' AND TIMESTAMP '9000-01-01'"
        " THEN instant({0}) END",
        "metinden an (ISO 8601); değilse boş", "a text as an instant (ISO 8601); null if it is none",
    ),
    Function(
        "is_true", (_of(TEXT),), BOOLEAN, "CASE {0} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END",
        "metinden evet/hayır: true, false; değilse boş", "true or false from a text; null if it is neither",
    ),
    Function("lower", (_of(TEXT),), TEXT, "lowered({0})", "küçük harfle", "in small letters"),
    Function(
        "contains", (_of(TEXT), _of(TEXT)), BOOLEAN, "contains({0}, {1})",
        "içinde geçiyor mu", "whether one text is in another",
    ),
    Function(
        "starts_with", (_of(TEXT), _of(TEXT)), BOOLEAN, "starts_with({0}, {1})",
        "onunla başlıyor mu", "whether a text begins so",
    ),
    Function(
        "coalesce", (ANY, ANY), None, "coalesce({all})",
        "ilk dolu olan: coalesce(x, 0)", "the first that is there: coalesce(x, 0)", many=True,
    ),
    Function(
        "nullif", (ANY, ANY), None, "nullif({0}, {1})", "eşitse boş", "null where both are equal",
    ),
)  # fmt: skip

SINCE = "since"
"""`since(high_intent)`: since when somebody is in an audience, without a break; null for who is not in."""

HOLDOUT = "holdout"
"""`holdout('spring', 10)`: whether somebody is among ten of a hundred, by chance, always the same."""

IN_LIST = "in_list"
"""`in_list('fair_2026')`: whether somebody was imported into a list, and not taken out of it since."""

LIST_TRAIT = "list_{0}"
"""The trait that says of a person whether they are in a list."""

NAMES = tuple(dict.fromkeys([*(function.name for function in FUNCTIONS), SINCE, HOLDOUT, IN_LIST, "now"]))
