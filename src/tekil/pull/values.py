"""What a cell means: numbers with either decimal sign, days and instants as Turkey and ISO write them.

Text stays text unless it can only mean one thing. `1.234,56` is a number and `12,5` is too; `1.234` may be
a thousand or one and a bit, so it stays as it is unless the import says which sign is the decimal one.
Leading zeros, plus signs and ten digits or more mark an identifier (a phone, a tax number, a bar code).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

DecimalSign = Literal["auto", "comma", "point"]
DayOrder = Literal["auto", "day-first", "month-first"]

DIGITS_MAX = 9
NUMBER = re.compile(r"-?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?:,\d{3})+)(?:[.,]\d+)?")
CLOCK = r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?)?"
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})" + CLOCK)
SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})" + CLOCK)
YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})" + CLOCK)
NAMED = re.compile(r"(\d{1,2})\.? ([^\W\d]{3,9})\.?,? (\d{4})" + CLOCK)
EPOCH_SECONDS_DIGITS, EPOCH_MILLISECONDS_DIGITS = 10, 13
MONTHS = {
    name: number
    for names in (
        "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
        "oca şub mar nis may haz tem ağu eyl eki kas ara",
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    )
    for number, name in enumerate(names.split(), 1)
}


def number_of(text: str, sign: DecimalSign = "auto") -> int | Decimal | None:
    """Return the number that `text` can only be, with all its digits, or nothing."""
    if not NUMBER.fullmatch(text):
        return None
    points, commas = text.count("."), text.count(",")
    decimal = {"comma": ",", "point": "."}.get(sign) or _decimal_sign(text)
    if decimal is None:
        return None
    whole, mark, fraction = text.partition(decimal)
    grouping = "." if decimal == "," else ","
    groups = whole.split(grouping)
    if grouping in fraction or decimal in fraction or any(len(group) != 3 for group in groups[1:]):
        return None
    digits = "".join(groups)
    if len(digits.lstrip("-")) > DIGITS_MAX and not points + commas:
        return None
    return Decimal(f"{digits}.{fraction}") if mark else int(digits)


def _decimal_sign(text: str) -> str | None:
    points, commas = text.count("."), text.count(",")
    if points and commas:
        return max(".", ",", key=text.rfind)
    if not points and not commas:
        return "."
    mark = "." if points else ","
    if points + commas > 1:
        return "," if points else "."  # 1.234.567: only thousands are marked more than once.
    ambiguous = len(text) - text.index(mark) == 4 and not text.lstrip("-").startswith("0")
    return None if ambiguous else mark


def day_or_time(text: str) -> date | datetime | None:
    """Return the day, or the local time, that a dotted date (31.12.2025 14:30) names, or nothing."""
    match = DOTTED.fullmatch(text)
    if not match:
        return None
    day, month, year, *clock = match.groups()
    try:
        return _local(int(year), int(month), int(day), clock)
    except ValueError:
        return None


def instant(value: Any, zone: ZoneInfo, order: DayOrder = "auto") -> str:
    """Return an instant as ISO 8601 in UTC, to the millisecond or finer: `2025-12-31T11:30:00.000Z`.

    A day alone is its first moment in `zone`; so is a time without a zone read. Takes dates, datetimes, epoch
    seconds or milliseconds, ISO text and Turkish and English ways of writing. Raises `ValueError`, with
    a sentence for a person, for what is none or can be read two ways.
    """
    if isinstance(value, bool):
        raise ValueError("is not a time")
    if isinstance(value, int | float):
        value = str(int(value)) if math.isfinite(value) else "?"
    found = _written(value.strip(), order) if isinstance(value, str) else value
    if not isinstance(found, date):
        raise ValueError(
            f"{str(value)[:40]!r} is not a time; write one like 2025-12-31 14:30 or 31.12.2025 14:30"
        )
    if not isinstance(found, datetime):
        found = datetime.combine(found, time())
    try:
        moment = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{str(value)[:40]!r} is outside the calendar") from error
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _written(text: str, order: DayOrder) -> date | datetime | None:
    if text.isascii() and text.isdigit() and len(text) in (EPOCH_SECONDS_DIGITS, EPOCH_MILLISECONDS_DIGITS):
        divisor = 1 if len(text) == EPOCH_SECONDS_DIGITS else 1000
        seconds, rest = divmod(int(text), divisor)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=rest)
    try:
        if match := DOTTED.fullmatch(text):
            day, month, year, *clock = match.groups()
            return _local(int(year), int(month), int(day), clock)
        if match := YEAR_FIRST.fullmatch(text):
            year, month, day, *clock = match.groups()
            return _local(int(year), int(month), int(day), clock)
        if match := NAMED.fullmatch(text):
            day, name, year, *clock = match.groups()
            number = MONTHS.get(name.replace("I", "ı").replace("İ", "i").lower()) or MONTHS.get(name.lower())
            return _local(int(year), number, int(day), clock) if number else None
        if match := SLASHED.fullmatch(text):
            first, second, year, *clock = match.groups()
            day, month = _by_order(text, int(first), int(second), order)
            return _local(int(year), month, day, clock)
        return datetime.fromisoformat(text)
    except ValueError as error:
        if "two ways" in str(error):
            raise
        return None


def _by_order(text: str, first: int, second: int, order: DayOrder) -> tuple[int, int]:
    if order == "auto" and first <= 12 and second <= 12 and first != second:
        raise ValueError(
            f"{text!r} can be read two ways; say which with --dates day-first or --dates month-first"
        )
    month_first = order == "month-first" or (order == "auto" and second > 12)
    return (second, first) if month_first else (first, second)


def _local(year: int, month: int, day: int, clock: Sequence[str | None]) -> date | datetime:
    hour, minute, second, fraction = clock
    if hour is None:
        return date(year, month, day)
    microsecond = int((fraction or "0").ljust(6, "0"))
    return datetime(year, month, day, int(hour), int(minute or 0), int(second or 0), microsecond)


def as_text(value: Any) -> str:
    """Return a cell as the text of an identifier: `1001`, never `1001.0`; days and times in ISO."""
    value = opened(value)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list | bool):
        return msgspec.json.encode(value).decode()
    return str(value)


def as_key(value: Any) -> str:
    """Return a cell as part of a key: text, with dotted dates made ISO so that one day has one key."""
    text = as_text(value)
    found = day_or_time(text)
    return text if found is None else found.isoformat()


def as_value(value: Any, *, untyped: bool, sign: DecimalSign, zone: ZoneInfo) -> Any:
    """Return a cell as a trait, property or field, ready for JSON. Only untyped text is given a meaning."""
    if untyped and isinstance(value, str):
        number = number_of(value, sign)
        if number is not None:
            return number
        found = day_or_time(value)
        value = value if found is None else found
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return value


def opened(value: Any) -> Any:
    """Return a cell as a Python value: what a JSONL file holds is read only where its meaning is needed."""
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
