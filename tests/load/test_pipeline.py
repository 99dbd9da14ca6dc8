"""From what was said to events, traits, records and the quarantine: every rule, by example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tekil.load import REASONS
from tekil.load.sql import WRONG
from tekil.verification import check_ledger
from tests.installation import NOON, Installation
from tests.laws.conftest import Found

TRACK: dict[str, Any] = {"type": "track", "event": "A", "userId": "u1"}

QUARANTINED: dict[str, Any] = {
    "not_an_object": ["track"],
    "message_too_large": {**TRACK, "properties": {"text": "x" * 33_000}},
    "type_missing": {"userId": "u1"},
    "type_unknown": {"type": "dance", "userId": "u1"},
    "identifier_missing": {"type": "page"},
    "identifier_not_text": {"type": "page", "userId": {"a": 1}},
    "identifier_too_long": {"type": "page", "anonymousId": "a" * 513},
    "event_missing": {"type": "track", "userId": "u1"},
    "event_not_text": {**TRACK, "event": ["A"]},
    "previous_id_missing": {"type": "alias", "userId": "u1"},
    "object_missing": {"type": "record", "key": {"id": 1}},
    "key_missing": {"type": "record", "object": "order", "key": {}},
    "timestamp_invalid": {**TRACK, "timestamp": "yesterday"},
    "timestamp_out_of_range": {**TRACK, "timestamp": "1969-12-31T23:59:59Z"},
    "properties_not_an_object": {**TRACK, "properties": [1]},
    "traits_not_an_object": {"type": "identify", "userId": "u1", "traits": "x"},
    "context_not_an_object": {**TRACK, "context": 7},
    "fields_not_an_object": {"type": "record", "object": "order", "key": {"id": 1}, "fields": [1]},
    "nul_character": {**TRACK, "userId": "u\0"},
}
"""Reason → a message that has it, and no other."""


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


def events(installation: Installation, columns: str) -> list[dict[str, Any]]:
    installation.run()
    return installation.rows(f"SELECT {columns} FROM events ORDER BY message_id")


def test_every_reason_of_the_quarantine_is_met_and_nothing_else(installation: Installation) -> None:
    assert WRONG.keys() == REASONS.keys() - {"unreadable"}
    assert QUARANTINED.keys() == WRONG.keys()
    installation.say(*QUARANTINED.values())
    installation.run()
    kept = installation.rows("SELECT number, reasons, body FROM quarantine ORDER BY number")
    assert [row["reasons"] for row in kept] == list(QUARANTINED)
    bodies = [json.loads(installation.vault.open_body(row["body"])) for row in kept]
    assert bodies == list(QUARANTINED.values())
    assert installation.rows("SELECT count(*) AS n FROM events") == [{"n": 0}]
    assert check_ledger(installation.engine) == []


@pytest.mark.parametrize("nonsense", [None, 5, "text", [], {}])
def test_what_is_no_message_at_all_is_kept_as_it_was_sent(installation: Installation, nonsense: Any) -> None:
    installation.say(TRACK, nonsense, TRACK)
    installation.run()
    (row,) = installation.rows("SELECT reasons, body FROM quarantine")
    assert json.loads(installation.vault.open_body(row["body"])) == nonsense
    assert row["reasons"] == ("type_missing" if nonsense == {} else "not_an_object")
    assert installation.rows("SELECT loaded FROM ledger") == [{"loaded": 2}]


def test_a_message_wrong_in_several_ways_says_them_all(installation: Installation) -> None:
    installation.say({"type": "track", "properties": 1, "timestamp": "x"})
    installation.run()
    (row,) = installation.rows("SELECT reasons FROM quarantine")
    assert row["reasons"].split(",") == [
        "identifier_missing",
        "event_missing",
        "timestamp_invalid",
        "properties_not_an_object",
    ]


def test_a_body_that_cannot_be_taken_apart_is_put_aside_whole_and_counted(installation: Installation) -> None:
    # The door lets no such body in; a damaged log might hold one all the same.
    installation.say(TRACK)
    installation.say(b'{"type":"track"', TRACK)
    installation.say({**TRACK, "event": "B"})
    installation.run()
    assert sorted(row["event"] for row in events(installation, "event")) == ["A", "B"]
    assert installation.rows("SELECT reasons, messages FROM quarantine") == [
        {"reasons": "unreadable", "messages": 2}
    ]
    assert check_ledger(installation.engine) == []


def stamp(instant: datetime) -> str:
    return instant.isoformat() + "Z"


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "sent", "door", "occurred"),
    [
        (None, None, "batch", NOON),
        (NOON - HOUR, None, "batch", NOON - HOUR),
        (NOON + HOUR, None, "batch", NOON),
        (NOON - HOUR, NOON, "batch", NOON - HOUR),
        # The sender's clock is two hours ahead, or two behind: the delay between saying and sending counts.
        (NOON + HOUR, NOON + 2 * HOUR, "batch", NOON - HOUR),
        (NOON - 3 * HOUR, NOON - 2 * HOUR, "batch", NOON - HOUR),
        # Said after it was sent: never later than received.
        (NOON + HOUR, NOON, "batch", NOON),
        # History being imported keeps its own instants, whenever it is sent.
        (NOON - 1000 * HOUR, NOON + HOUR, "import", NOON - 1000 * HOUR),
        (NOON + HOUR, NOON + HOUR, "import", NOON),
        # A clock that was never set says nothing about the delay.
        (NOON - HOUR, datetime(1970, 1, 2), "batch", NOON - HOUR),
        # A delay longer than time itself ends at its beginning.
        (datetime(1971, 1, 1), datetime(2199, 1, 1), "batch", datetime(1970, 1, 1)),
    ],
)  # fmt: skip
def test_the_clock_of_the_sender_is_set_right(
    installation: Installation, said: datetime | None, sent: datetime | None, door: str, occurred: datetime
) -> None:
    message = TRACK if said is None else {**TRACK, "timestamp": stamp(said)}
    installation.say(message, sent_at=sent and stamp(sent), door=door)
    assert events(installation, "occurred_at") == [{"occurred_at": occurred}]


@pytest.mark.parametrize(
    ("said", "occurred"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12)),
        ("2026-01-31T15:00:00+03:00", datetime(2026, 1, 31, 12)),
        ("2026-01-31T12:00:00.123456Z", datetime(2026, 1, 31, 12, 0, 0, 123456)),
        (1769860800000, datetime(2026, 1, 31, 12)),
    ],
)
def test_instants_are_read_as_clients_write_them(
    installation: Installation, said: Any, occurred: datetime
) -> None:
    installation.say({**TRACK, "timestamp": "1999-01-01T00:00:00Z", "originalTimestamp": said})
    assert events(installation, "occurred_at") == [{"occurred_at": occurred}]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://Shop.Example/k%C4%B1%C5%9F?utm_source=google&utm_medium=cpc&utm_campaign=k%C4%B1%C5%9F+2&gclid=Abc#x",
            {"url_host": "shop.example", "url_path": "/k%C4%B1%C5%9F", "utm_source": "google",
             "utm_medium": "cpc", "utm_campaign": "kış 2", "click_id_kind": "gclid", "click_id": "Abc"},
        ),
        (
            "https://shop.example?fbclid=1&utm_source=",
            {"url_host": "shop.example", "url_path": None, "utm_source": None,
             "click_id_kind": "fbclid", "click_id": "1"},
        ),
        (
            "https://shop.example/?notgclid=1&xutm_source=2",
            {"utm_source": None, "click_id": None, "url_path": "/"},
        ),
        ("not a url", {"url": "not a url", "url_host": None, "url_path": None}),
    ],
)  # fmt: skip
def test_urls_are_taken_apart(installation: Installation, url: str, expected: dict[str, Any]) -> None:
    installation.say({"type": "page", "anonymousId": "a", "context": {"page": {"url": url}}})
    assert events(installation, ", ".join(expected)) == [expected]


def test_a_campaign_that_is_said_outright_beats_the_url(installation: Installation) -> None:
    context = {"page": {"url": "https://a.example/?utm_source=url"}, "campaign": {"source": "said"}}
    installation.say({"type": "page", "anonymousId": "a", "context": context})
    assert events(installation, "utm_source") == [{"utm_source": "said"}]


def test_what_everybody_needs_has_a_column_of_its_own(installation: Installation) -> None:
    context = {
        "locale": "tr-TR",
        "userAgent": "Mozilla/5.0",
        "library": {"name": "analytics.js", "version": "4.1"},
        "page": {"url": "https://a.example/", "title": "Çarşaf", "referrer": "https://www.google.com.tr/x"},
    }
    installation.say(
        {
            **TRACK,
            "type": "page",
            "name": "Ana",
            "groupId": 7,
            "context": context,
            "properties": {"a": [1, "ü"]},
        }
    )
    columns = "event, group_id, locale, user_agent, library, title, referrer_host, properties"
    (row,) = events(installation, columns)
    assert json.loads(row.pop("properties")) == {"a": [1, "ü"]}
    assert row == {
        "event": "Ana",
        "group_id": "7",
        "locale": "tr-TR",
        "user_agent": "Mozilla/5.0",
        "library": "analytics.js 4.1",
        "title": "Çarşaf",
        "referrer_host": "www.google.com.tr",
    }
    assert installation.rows("SELECT referrer_medium, referrer_name FROM referrers") == [
        {"referrer_medium": "search", "referrer_name": "Google"}
    ]


def test_the_same_id_from_another_source_is_another_message(installation: Installation) -> None:
    for source in ("web", "app", "web"):
        installation.say({**TRACK, "messageId": "m"}, source=source)
        installation.run()
    rows = installation.rows("SELECT source, loaded, duplicate FROM ledger ORDER BY source")
    assert rows == [
        {"source": "app", "loaded": 1, "duplicate": 0},
        {"source": "web", "loaded": 1, "duplicate": 1},
    ]


def test_a_record_is_what_it_was_said_to_be_last(installation: Installation) -> None:
    for total, day in ((1, 3), (2, 5), (3, 4)):
        installation.say(
            {
                "type": "record", "object": "order", "key": {"id": "7"}, "fields": {"total": total},
                "timestamp": f"2026-02-0{day}T00:00:00Z",
            }
        )  # fmt: skip
        installation.run()
    (row,) = installation.rows("SELECT object, key, fields FROM records")
    assert (row["object"], json.loads(row["key"]), json.loads(row["fields"])) == (
        "order",
        {"id": "7"},
        {"total": 2},
    )
