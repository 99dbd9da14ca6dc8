"""Constant lengths of time in documents: `14 day`, written as after `interval` in an expression."""

from __future__ import annotations

import re
from datetime import timedelta

from tekil.errors import BadRequest
from tekil.expressions.grammar import SPAN_DAYS_MAX, UNITS

_SPAN = re.compile(r"([0-9]{1,9}) ([a-z]+)")


def span_of(text: str) -> timedelta:
    """Return the length of time that a text such as `14 day` names. Raises `BadRequest`."""
    found = _SPAN.fullmatch(text.strip())
    seconds = UNITS.get(found[2].removesuffix("s")) if found else None
    if found is None or seconds is None:
        told = f"{text!r} is no length of time; write for example 14 day. Units are {', '.join(UNITS)}."
        raise BadRequest(told, code="span_invalid")
    if not 0 < int(found[1]) * seconds <= SPAN_DAYS_MAX * 86400:
        told = f"A length of time is longer than nothing, and at most {SPAN_DAYS_MAX} days; {text!r} is not."
        raise BadRequest(told, code="span_invalid")
    return timedelta(seconds=int(found[1]) * seconds)
