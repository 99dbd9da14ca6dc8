"""The dictionary as others read it, and what an event's document may say."""

from __future__ import annotations

from typing import Any

import pytest

from tekil.definitions import Definition
from tekil.dictionary import EVENT_KIND, Dictionary
from tekil.dictionary.model import DROPPED


def test_whoever_seals_and_minimises_is_told_the_fields() -> None:
    fields = {
        "traits.email": {"pii": "email"},
        "traits.mother": {"keep": False},
        "traits.city": {"type": "text"},
    }
    dictionary = Dictionary.of(
        [Definition("event", "Customer", {}, "", {"type": "identify", "fields": fields})]
    )
    assert dictionary.declared() == {"identify:": {"traits.email": "email", "traits.mother": DROPPED}}
    event = dictionary.find("Customer")
    assert event is not None
    assert event.subjects == ["identify:"]
    assert dictionary.find("Nobody") is None


def test_an_empty_dictionary_asks_for_nothing() -> None:
    assert Dictionary().asks_for_nothing
    assert Dictionary.of([Definition("feature", "x")]).asks_for_nothing
    assert not Dictionary.of(
        [Definition("dictionary", "dictionary", {}, "", {"unknown_events": "warn"})]
    ).asks_for_nothing


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"counting": {"per": "a while"}}, "window like"),
        ({"counting": "twice"}, "counting"),
        ({"review": "2026-13-01"}, "is no day"),
        ({"type": "page", "synonyms": ["x"]}, "told apart by name"),
        ({"fields": {"total": {}}}, "is no place"),
        ({"fields": {"properties": {}}}, "is no place"),
        ({"fields": {"properties.": {}}}, "empty"),
        ({"fields": {"properties.a,b": {}}}, "comma"),
        ({"fields": {"properties.a.b.c.d.e": {}}}, "at most 4 steps"),
        ({"fields": {"context.page.path": {}}}, "is not kept"),
        ({"fields": {"properties.x": {"type": "number", "allowed": [1]}}}, "not for number"),
        ({"fields": {"properties.x": {"type": "text", "allowed": [1]}}}, "must be text"),
        ({"fields": {"properties.x": {"type": "integer", "allowed": [True]}}}, "must be integer"),
        ({"fields": {"properties.x": {"min": 1}}}, "min and max"),
        ({"fields": {"properties.x": {"type": "number", "min": 2, "max": 1}}}, "greater"),
        ({"fields": {"properties.x": {"type": "number", "pattern": "x"}}}, "for text"),
        ({"fields": {"properties.x": {"pattern": "("}}}, "no pattern"),
        ({"fields": {"userId": {"keep": False}}}, "cannot be left out"),
        ({"fields": {"userId": {"type": "number"}}}, "is a text"),
        ({"fields": {"properties.x": {"pii": "secret"}}}, "Invalid enum"),
    ],
)
def test_what_means_nothing_is_refused(spec: dict[str, Any], told: str) -> None:
    flaws = EVENT_KIND.check(Definition("event", "E", {}, "", spec))
    assert flaws
    assert told in flaws[0].text
