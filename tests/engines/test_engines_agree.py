"""Law 7: DuckDB and a Spark Connect server give the same rows, in every table, for any stream of messages."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tekil.dictionary.health import measures
from tekil.dictionary.inference import look
from tekil.dictionary.model import Alerts
from tekil.load import Chosen, replay
from tekil.store import Store
from tekil.verification import verify
from tests.dictionary.defining import define, undefine
from tests.engines.conftest import Pair, everything
from tests.installation import NOON, Installation
from tests.retention.keeping import retention, rules
from tests.streams import SOURCES, Said, cut, hear, streams

# A cycle on Spark takes a second and more, so the fast lane tries one stream and shrinks nothing.
FEW = settings(
    max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
MANY = settings(
    FEW,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    max_examples=int(os.environ.get("TEKIL_ENGINE_EXAMPLES", "8")),
)

STRANGE: tuple[Any, ...] = (
    {"type": "page", "anonymousId": "a1", "messageId": "s1", "timestamp": "2026-02-28T23:30:00.123456+03:00",
     "context": {"page": {"url": "https://İST.example/yol?utm_source=a+b&utm_term=%C5&gclid=x%20y#son",
                          "referrer": "https://www.google.com.tr/?q=1"},
                 "app": {"sürüm": [1.5, None, {"a": "ş"}]}, "ip": "10.0.0.1", "screen": {"width": 320}}},
    {"type": "track", "userId": 4, "event": "E", "messageId": "s2", "timestamp": 1772366400000,
     "properties": {"a.b": {"z": 1, "a": [True, None, 'say "hi"', "\\ / \t"]}, "price": 12.5, "big": 2**53}},
    {"type": "track", "userId": "u1", "event": "E", "messageId": "s3", "properties": "{not an object"},
    {"type": "track", "userId": "u1", "event": "E", "messageId": "s4", "context": "null", "properties": [1]},
    {"type": "track", "userId": "u1", "event": "E", "messageId": "s5", "timestamp": "2026-02-30"},
    {"type": "track", "userId": "u1", "event": "E", "messageId": "s6", "timestamp": "2026",
     "sentAt": "epoch"},
    {"type": "track", "userId": '{"a":1}', "event": "E", "messageId": "s7"},
    {"type": "track", "userId": "a\u0000b", "event": "E", "messageId": "s8"},
    {"type": "identify", "userId": "Σίσυφος", "messageId": "s9", "timestamp": "2026-02-01",
     "traits": {"email": "ΟΔΟΣ@Example.com", "quoted\"name": "x", "list": [1, "1"], "text": "5", "number": 5,
                "nothing": None, "phone": 5321234567}},
    {"type": "identify", "userId": "u2", "messageId": "s10",
     "context": {"traits": {"email": "a b@x.com", "phone": True}, "page": "no page",
                 "library": {"name": "js"}}},
    {"type": "record", "object": "order", "messageId": "s11", "key": {"id": "ş1", "n": 2},
     "fields": {"amount": "12.50", "lines": [{"sku": "x"}]}},
    {"type": "screen", "anonymousId": "a1", "name": "Ana", "messageId": "s12",
     "originalTimestamp": "1772366400000", "sentAt": "2026-03-01T12:00:01Z"},
    "bare text", 5, None, True, [1], {},
)  # fmt: skip


def agree(pair: Pair, parts: list[list[Said]], *, rebuilding: bool = False) -> None:
    """Both hear the same parts, and then hold the same rows; a rebuild on Spark changes none of them."""
    duckdb, spark = pair()
    try:
        hear(duckdb, parts)
        hear(spark, parts)
        expected, found = everything(duckdb), everything(spark)
        for table, rows in expected.items():
            assert found[table] == rows, table
        assert _cards(spark) == _cards(duckdb)
        if rebuilding:
            spark.engine.rebuild()
            assert everything(spark) == found
    finally:
        duckdb.close()
        spark.close()


def _cards(installation: Installation) -> list[tuple[Any, ...]]:
    """What was published, as values: the members of a JSON object have no order of their own."""
    return [(card.as_dict(), card.last_seen, card.identifiers) for card in installation.cards()]


strange = st.builds(
    lambda source, second, message: Said(source, NOON + timedelta(seconds=second), message),
    st.sampled_from(SOURCES),
    st.integers(0, 90),
    st.sampled_from(STRANGE),
)


@st.composite
def rich_streams(draw: st.DrawFn) -> list[list[Said]]:
    said = [*draw(streams(most=12, bad=True)), *draw(st.lists(strange, max_size=6))]
    repeated = draw(st.lists(st.sampled_from(said), max_size=3))
    return cut(draw, draw(st.permutations([*said, *repeated])))[:3]


@pytest.mark.slow
def test_everything_strange_at_once_reads_the_same_on_both_engines(pair: Pair) -> None:
    said = [Said("web", NOON + timedelta(seconds=i), message) for i, message in enumerate(STRANGE)]
    agree(pair, [said[:7], said[5:]])


@FEW
@given(parts=rich_streams())
def test_law_7_engines_agree(pair: Pair, parts: list[list[Said]]) -> None:
    agree(pair, [[one for part in parts for one in part]])


RULES: dict[str, dict[str, Any]] = {
    "E": {
        "synonyms": ["A"],
        "undefined_fields": "quarantine",
        "fields": {
            "userId": {"required": True, "pattern": "^u\\d"},
            "properties.price": {"type": "integer"},
            "properties.big": {"type": "integer", "min": 0, "max": 9e15},
            "properties.a": {"required": True},
            "context.app.sürüm": {"type": "list"},
        },
    },
    "Customer": {"type": "identify", "fields": {"traits.text": {"allowed": ["5"], "mode": "quarantine"}}},
    "order": {"type": "record", "fields": {"fields.amount": {"type": "number", "mode": "quarantine"}}},
}


@pytest.mark.slow
def test_law_7_holds_with_a_dictionary_in_force(pair: Pair, stores: tuple[Store, Store]) -> None:
    said = [Said("web", NOON + timedelta(seconds=i), message) for i, message in enumerate(STRANGE)]
    said.append(
        Said("web", NOON, {"type": "track", "userId": "u1", "event": "A", "properties": {"a": "it\u0027s"}})
    )
    for store in stores:
        define(store, RULES, unknown_events="warn")
    try:
        agree(pair, [said])
    finally:
        for store in stores:
            undefine(store)


@pytest.mark.slow
def test_a_replay_leaves_the_same_rows_on_both_engines(pair: Pair, stores: tuple[Store, Store]) -> None:
    said = [Said("web", NOON + timedelta(seconds=i), message) for i, message in enumerate(STRANGE)]
    both = pair()
    try:
        for installation, store in zip(both, stores, strict=True):
            define(store, RULES)
            hear(installation, [said])
            define(store, {})
            for chosen in (Chosen(reason="e.a:missing"), Chosen(source="web", event="E"), Chosen(limit=3)):
                replay(
                    installation.log, installation.warehouse, installation.vault, chosen, now=installation.now
                )
                installation.run()
        expected, found = (everything(installation) for installation in both)
        for table, rows in expected.items():
            assert found[table] == rows, table
        assert expected["ledger"][0]["duplicate"] > 0
        reads = [installation.warehouse.read for installation in both]
        for ask in (lambda read: look(read, "E"), lambda read: measures(read, Alerts(), NOON.date())):
            assert ask(reads[0]) == ask(reads[1])
    finally:
        for installation, store in zip(both, stores, strict=True):
            undefine(store)
            installation.close()


@pytest.mark.slow
@MANY
@given(parts=rich_streams())
def test_law_7_engines_agree_on_many_streams(pair: Pair, parts: list[list[Said]]) -> None:
    agree(pair, parts, rebuilding=True)


@pytest.mark.slow
def test_the_engine_runs_on_spark_and_a_merged_person_is_found_by_e_mail(pair: Pair) -> None:
    duckdb, spark = pair()
    duckdb.close()
    spark.say({"type": "page", "anonymousId": "a1", "context": {"page": {"url": "https://shop.example/"}}})
    spark.say({"type": "identify", "userId": "u2", "traits": {"email": "ayse@example.com"}}, source="crm")
    spark.run()
    spark.pass_time(minutes=1)
    spark.say({"type": "identify", "anonymousId": "a1", "traits": {"email": "AYSE@example.com"}})
    assert spark.run() == 1
    card = spark.person("email:ayse@example.com")
    assert card == spark.person("anonymous_id:a1") == spark.person("user_id:u2")
    spark.engine.rebuild()
    assert spark.person("email:ayse@example.com") == card
    assert spark.rows("SELECT source, loaded FROM ledger ORDER BY source") == [
        {"source": "crm", "loaded": 1},
        {"source": "web", "loaded": 2},
    ]
    spark.close()


@pytest.mark.slow
def test_what_retention_takes_out_is_gone_from_both_engines_alike(pair: Pair) -> None:
    both = pair()
    try:
        for place in both:
            said = [Said("web", NOON + timedelta(seconds=i), message) for i, message in enumerate(STRANGE)]
            hear(place, [said])
            rules(place, "{of: events, keep: 1 day}", "{of: events, event: 'E\\''\\', keep: 5 days}")
            place.pass_time(days=3)
            retention(place).run()
            rules(place, "{of: quarantine, keep: 1 day}", "{of: people, keep: 20 days}")
            retention(place).run()
            hear(place, [said[:3]])
        expected, found = (everything(place) for place in both)
        for table, rows in expected.items():
            assert found[table] == rows, table
        assert expected["destroyed"][0]["quarantined"] > 5
        assert expected["destroyed"][0]["loaded"] >= 4
        assert len(expected["events"]) < len(STRANGE) - 8
        for place in both:
            assert verify(place.engine).holds
    finally:
        for place in both:
            rules(place)
            place.close()
