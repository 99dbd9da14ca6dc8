"""The kinds `event` and `dictionary`: what their documents may say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from tekil.definitions import Definition, Flaw, Kind
from tekil.definitions.document import flaw_of
from tekil.dictionary.model import (
    COLUMNS,
    CONTEXT_MEMBERS,
    OWN_MEMBERS,
    ROOTS,
    DictionarySpec,
    EventSpec,
    Field,
    Window,
    subject_of,
)
from tekil.dictionary.patterns import complaint

WINDOW = re.compile(r"[1-9][0-9]{0,3} (minute|hour|day|week)s?")
STEP = re.compile(r"[^.,;\x00-\x1f]{1,64}")
DEPTH_MAX = 4
"""How deep below `properties` a field may lie; each step costs a pass over the messages."""

FIELDS_MAX = 200
CONTEXT_ELSEWHERE = ("page", "campaign", "library", "traits", "ip")
"""Members of the context that are not kept as they come, but for those in `CONTEXT_MEMBERS`."""

NUMERIC = ("number", "integer")


def _check_event(definition: Definition) -> list[Flaw]:
    try:
        spec = msgspec.convert(definition.spec, EventSpec)
    except msgspec.ValidationError as error:
        return _misshapen_fields(definition.spec) or [flaw_of(error, ("spec",))]
    flaws = []
    if isinstance(spec.counting, Window) and not WINDOW.fullmatch(spec.counting.per):
        flaws.append(Flaw(("spec", "counting"), "Write a window like 30 minutes, 1 hour or 7 days."))
    if spec.review and not _is_day(spec.review):
        flaws.append(Flaw(("spec", "review"), f"{spec.review!r} is no day; write one like 2026-03-31."))
    if spec.synonyms and spec.type not in ("track", "record"):
        flaws.append(Flaw(("spec", "synonyms"), "Only track events and records are told apart by name."))
    if len(spec.fields) > FIELDS_MAX:
        flaws.append(Flaw(("spec", "fields"), f"An event has at most {FIELDS_MAX} fields."))
    for path, field in spec.fields.items():
        flaws += [Flaw(("spec", "fields", path), text) for text in _field_flaws(path, field)]
    return flaws


def _misshapen_fields(spec: dict[str, Any]) -> list[Flaw]:
    fields = spec.get("fields")
    flaws = []
    for path, value in fields.items() if isinstance(fields, dict) else ():
        try:
            msgspec.convert(value, Field)
        except msgspec.ValidationError as error:
            flaws.append(flaw_of(error, ("spec", "fields", path)))
    return flaws


def _field_flaws(path: str, field: Field) -> list[str]:
    texts = []
    if (wrong := _path_flaw(path)) is not None:
        texts.append(wrong)
    if field.allowed and field.type not in (None, "text", "integer", "boolean"):
        texts.append(f"Allowed values are for text, integer and boolean, not for {field.type}.")
    wanted = {"text": str, "integer": int, "boolean": bool}.get(field.type or "text")
    if wanted is not None and any(type(value) is not wanted for value in field.allowed):
        texts.append(f"Every allowed value must be {field.type or 'text'}, as the field is.")
    if (field.min is not None or field.max is not None) and field.type not in NUMERIC:
        texts.append("min and max are for fields of type number or integer.")
    if field.min is not None and field.max is not None and field.min > field.max:
        texts.append("min is greater than max.")
    if field.pattern and field.type not in (None, "text"):
        texts.append("A pattern is for text.")
    if field.pattern and (wrong := complaint(field.pattern)) is not None:
        texts.append(wrong)
    if not field.keep and path in OWN_MEMBERS:
        texts.append(f"{path} is what messages are known by; it cannot be left out.")
    if path in COLUMNS and field.type not in (None, "text", "instant"):
        texts.append(f"{path} is a text.")
    return texts


def _path_flaw(path: str) -> str | None:
    if path in COLUMNS:
        return None
    root, *steps = path.split(".")
    if root not in ROOTS or not steps:
        places = ", ".join(f"{place}.…" for place in ROOTS)
        return f"{path!r} is no place in a message; write {places}, or one of {', '.join(OWN_MEMBERS)}."
    if len(steps) > DEPTH_MAX:
        return f"A field lies at most {DEPTH_MAX} steps below {root}."
    if not all(STEP.fullmatch(step) for step in steps):
        return f"{path!r} has a step that is empty, too long, or holds a comma or semicolon."
    if root == "context" and steps[0] in CONTEXT_ELSEWHERE:
        return f"{path!r} is not kept; of the context's {steps[0]} there are {', '.join(CONTEXT_MEMBERS)}."
    return None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-03-31")


def _check_events_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    """Find names that two events claim: a message must know which one it is."""
    owner: dict[str, str] = {}
    flaws: list[tuple[str, Flaw]] = []
    specs = {d.name: msgspec.convert(d.spec, EventSpec) for d in definitions}
    for name, spec in specs.items():
        subject = subject_of(spec.type, name)
        if subject in owner:
            told = f"{owner[subject]!r} speaks of all {spec.type} messages already."
            flaws.append((name, Flaw(("name",), told)))
        owner.setdefault(subject, name)
    for name, spec in specs.items():
        for synonym in spec.synonyms:
            subject = subject_of(spec.type, synonym)
            if subject in owner:
                told = f"{synonym!r} is {owner[subject]!r}'s name already; an event has one meaning."
                flaws.append((name, Flaw(("spec", "synonyms"), told)))
            owner.setdefault(subject, name)
    return flaws


def _check_dictionary(definition: Definition) -> list[Flaw]:
    try:
        msgspec.convert(definition.spec, DictionarySpec)
    except msgspec.ValidationError as error:
        return [flaw_of(error, ("spec",))]
    if definition.name != "dictionary":
        return [Flaw(("name",), "There is one dictionary; call it dictionary.")]
    return []


EVENT_KIND = Kind("event", _check_event, _check_events_together)
DICTIONARY_KIND = Kind("dictionary", _check_dictionary, lambda _definitions: [])
