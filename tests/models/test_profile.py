"""What a card says of a person: counts, last page, touches, traits and whose word they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tekil.models import ACTIVITY, attributes
from tekil.models.model import Model
from tests.installation import Installation
from tests.laws.conftest import Found


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


def visit(url: str, at: str, **page: Any) -> dict[str, Any]:
    return {"type": "page", "userId": "u1", "timestamp": at, "context": {"page": {"url": url, **page}}}


def told(installation: Installation) -> dict[str, Any]:
    installation.run()
    return installation.person("user_id:u1").as_dict()


def test_touches_are_the_first_and_the_last_visit_that_say_where_they_came_from(
    installation: Installation,
) -> None:
    shop = "https://shop.example"
    installation.say(visit(f"{shop}/last", "2026-02-09T00:00:00Z", title="Son", referrer=f"{shop}/other"))
    installation.say(visit(f"{shop}/b?utm_source=mail&utm_campaign=b", "2026-02-05T00:00:00Z"))
    installation.say(visit(f"{shop}/a?gclid=1", "2026-02-03T00:00:00Z", referrer="https://www.google.com/"))
    installation.say(visit(f"{shop}/direct", "2026-02-01T00:00:00Z"))
    card = told(installation)
    first, last = card["first_touch"], card["last_touch"]
    assert (first["at"], first["click_id_kind"], first["referrer"], first["campaign"]) == (
        "2026-02-03T00:00:00.000Z", "gclid", "www.google.com", None,
    )  # fmt: skip
    assert (last["at"], last["source"], last["campaign"]) == ("2026-02-05T00:00:00.000Z", "mail", "b")
    assert card["last_page"] == {"url": f"{shop}/last", "title": "Son", "at": "2026-02-09T00:00:00.000Z"}
    assert (card["events"], card["pages"]) == (4, 4)
    assert (card["first_seen"], card["last_seen"]) == ("2026-02-01T00:00:00.000Z", "2026-02-09T00:00:00.000Z")


def test_a_person_who_only_came_directly_has_no_touch(installation: Installation) -> None:
    installation.say(visit("https://shop.example/", "2026-02-01T00:00:00Z"))
    card = told(installation)
    assert card["first_touch"] is None
    assert card["last_touch"] is None


def trait(value: Any, at: str, source: str, installation: Installation) -> None:
    message = {
        "type": "identify",
        "userId": "u1",
        "timestamp": at,
        "traits": {"city": value, "x": {"a": [1]}},
    }
    installation.say(message, source=source)


def test_the_latest_trait_survives_whatever_order_they_come_in(installation: Installation) -> None:
    trait("Van", "2026-02-02T00:00:00Z", "crm", installation)
    trait("Muş", "2026-02-01T00:00:00Z", "web", installation)
    trait(None, "2026-02-03T00:00:00Z", "web", installation)
    card = told(installation)
    assert card["traits"] == {"city": "Van", "x": {"a": [1]}}
    assert card["trait_sources"]["city"] == {"source": "crm", "at": "2026-02-02T00:00:00.000Z"}


def test_a_trusted_source_beats_a_later_word(store: Any, tmp_path: Any) -> None:
    store.cards.clear()
    installation = Installation(tmp_path, store=store, models=[ACTIVITY, attributes(["crm", "o'brien"])])
    trait("Van", "2026-02-01T00:00:00Z", "crm", installation)
    trait("Muş", "2026-02-02T00:00:00Z", "o'brien", installation)
    trait("Bitlis", "2026-02-03T00:00:00Z", "web", installation)
    assert told(installation)["traits"]["city"] == "Van"
    installation.close()


def test_windows_count_and_the_card_changes_by_time_alone(installation: Installation) -> None:
    installation.say({"type": "track", "event": "A", "userId": "u1"})
    assert [told(installation)[f"events_{n}d"] for n in (7, 30)] == [1, 1]
    installation.pass_time(days=8)
    assert [told(installation)[f"events_{n}d"] for n in (7, 30)] == [0, 1]
    installation.pass_time(days=30)
    assert [told(installation)[f"events_{n}d"] for n in (7, 30)] == [0, 0]


def test_a_robot_and_a_browser_are_told_apart(installation: Installation) -> None:
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    installation.say({"type": "page", "userId": "u1", "context": {"userAgent": agent, "locale": "tr-TR"}})
    card = told(installation)
    assert (card["is_bot"], card["locale"]) == (True, "tr-TR")


def test_a_model_wakes_only_where_time_can_change_it() -> None:
    assert "wake_at" in ACTIVITY.table.column_names
    still = Model(
        "still", "SELECT person_key, count(*) AS n FROM person_events GROUP BY person_key", {"n": "bigint"}
    )
    assert still.table.column_names == ("person_key", "n")
    assert still.compiled == still.sql
