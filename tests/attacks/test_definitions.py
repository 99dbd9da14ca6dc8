"""Whatever a definition says becomes text in the engine's SQL, and never SQL: every field, every trick."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tekil.errors import TekilError
from tests.dictionary.defining import define, undefine
from tests.installation import Installation
from tests.laws.conftest import Found, found, store

__all__ = ["found", "store"]

SPECIAL = re.compile(r"([\\^$.|?*+()\[\]{}])")
TRICKS = [
    "x'; DROP TABLE events; --",
    "x'); DELETE FROM events; --",
    "' OR '1'='1",
    "'' OR ''=''",
    "\\'; DROP TABLE events; --",
    "x\\",
    'x"; DROP TABLE "events',
    "x') UNION SELECT body FROM quarantine --",
    "/* x */ -- y",
    "{0} {} %s %(x)s ? $1 :x",
    "$$x$$ $a$b$a$",
    "E'\\x27'",
    "U&'\\0027'",
    "x\u2019 \u02bc \uff07 OR 1=1",
    "${jndi:x} `x` #{x} {{ 6 * 7 }}",
    "read_csv('/etc/passwd')",
]


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    undefine(made.store)
    yield made
    undefine(made.store)
    made.close()


def say(event: str, number: int, **properties: Any) -> dict[str, Any]:
    told = {"type": "track", "event": event, "userId": "u", "messageId": f"m{number}"}
    return {**told, "properties": properties}


def intact(installation: Installation, loaded: int, quarantined: int) -> None:
    """Nothing was dropped, deleted, let through or read that should not be."""
    counts = installation.rows(
        "SELECT (SELECT count(*) FROM events) AS loaded, (SELECT count(*) FROM quarantine) AS quarantined"
    )
    assert counts == [{"loaded": loaded, "quarantined": quarantined}]


def test_allowed_values_are_compared_and_never_run(installation: Installation) -> None:
    spec = {"mode": "quarantine", "fields": {"properties.x": {"allowed": TRICKS}}}
    define(installation.store, {"Order": spec})
    good = [say("Order", n, x=trick) for n, trick in enumerate(TRICKS)]
    bad = [say("Order", 100 + n, x=f"{trick} ") for n, trick in enumerate(TRICKS)]
    installation.say(*good, *bad, say("Order", 999, x="1"))
    installation.run()
    intact(installation, len(TRICKS), len(TRICKS) + 1)


def test_patterns_are_matched_and_never_run(installation: Installation) -> None:
    taken, events = [], {}
    for number, trick in enumerate(TRICKS):
        spec = {"mode": "quarantine", "fields": {"properties.x": {"pattern": SPECIAL.sub(r"\\\1", trick)}}}
        try:
            define(installation.store, {f"Event {number}": spec})
        except TekilError:
            continue  # the small common language of patterns does not take it
        taken.append(trick)
        events[f"Event {len(taken) - 1}"] = spec
    assert len(taken) > 4
    define(installation.store, events)
    installation.say(*(say(f"Event {n}", n, x=trick) for n, trick in enumerate(taken)))
    installation.say(*(say(f"Event {n}", 100 + n, x="another") for n, _ in enumerate(taken)))
    installation.run()
    intact(installation, len(taken), len(taken))


def test_names_paths_and_words_are_names_paths_and_words(installation: Installation) -> None:
    events: dict[str, dict[str, Any]] = {}
    for trick in TRICKS:
        path = "properties." + re.sub(r"[.,;]", "", trick)
        spec = {
            "mode": "quarantine",
            "undefined_fields": "quarantine",
            "description": trick,
            "purpose": trick,
            "steward": trick,
            "synonyms": [f"{trick} too"],
            "fields": {path: {"required": True, "type": "text", "description": trick}},
        }
        try:
            define(installation.store, events | {trick: spec})
        except TekilError:
            continue
        events[trick] = spec
    assert len(events) > 10
    numbers = iter(range(10_000))
    for trick, spec in events.items():
        (path,) = spec["fields"]
        member = path.removeprefix("properties.")
        installation.say(say(trick, next(numbers), **{member: "v"}))
        installation.say(say(f"{trick} too", next(numbers), **{member: "v"}))
        installation.say(say(trick, next(numbers), other="v"))
    installation.run()
    intact(installation, 2 * len(events), len(events))
    assert {row["event"] for row in installation.rows("SELECT DISTINCT event FROM events")} == events.keys()


@pytest.mark.parametrize(
    "spec",
    [
        {"counting": {"per": "1 day'; DROP TABLE events; --"}},
        {"review": "2026-01-01'; DROP TABLE events; --"},
        {"mode": "quarantine'; DROP TABLE events; --"},
        {"undefined_fields": "x' OR 1=1"},
        {"type": "track' OR 1=1"},
        {"fields": {"properties.x": {"type": "text' OR 1=1"}}},
        {"fields": {"properties.x": {"min": "0 OR 1=1"}}},
        {"fields": {"properties.x": {"max": "1; DROP TABLE events"}}},
        {"fields": {"properties.x": {"pii": "email' OR 1=1"}}},
        {"fields": {"properties.x": {"allowed": [{"a": "'"}]}}},
        {"fields": {"events; DROP TABLE events": {"required": True}}},
        {"fields": {"userId'": {"required": True}}},
    ],
)
def test_what_is_no_text_is_refused_before_it_is_sql(
    installation: Installation, spec: dict[str, Any]
) -> None:
    with pytest.raises(TekilError):
        define(installation.store, {"Order": spec})
    installation.say(say("Order", 1, x="1"))
    installation.run()
    intact(installation, 1, 0)
