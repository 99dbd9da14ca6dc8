"""What leaves the company is what the spec says, but for the share that is meant not to be."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest

from tekil.demo.disorder import DUPLICATES, MALFORMED, echoes
from tekil.demo.wire import Sending, instant, unique
from tekil.messages import MESSAGE_SIZE_MAX, MESSAGE_TYPES
from tests.demo.conftest import Story


def faults(message: dict[str, Any]) -> list[str]:
    """Return what the spec would not have of a message; the loader's own checks are tested where they are."""
    found = []
    kind = message.get("type")
    if kind not in MESSAGE_TYPES:
        return ["type"]
    if kind == "record":
        found += ["record"] * (not (message["object"] and message["key"] and message["fields"]))
    elif not (message.get("userId") or message.get("anonymousId")):
        found.append("nobody")
    if kind == "track" and not isinstance(message.get("event"), str):
        found.append("event")
    try:
        datetime.fromisoformat(message["timestamp"])
    except ValueError:
        found.append("timestamp")
    for part in ("properties", "traits", "context"):
        if not isinstance(message.get(part, {}), dict):
            found.append(part)
    if len(msgspec.json.encode(message)) > MESSAGE_SIZE_MAX:
        found.append("size")
    return found


def test_good_messages_are_good(story: Story) -> None:
    assert [m for m in story.messages() if faults(m)] == []


def test_malformed_messages_are_malformed_each_in_its_way(story: Story) -> None:
    found = Counter(tuple(faults(m)) for m in story.messages("malformed"))
    assert () not in found
    assert len(found) >= 5


def test_every_way_of_being_malformed_is_one() -> None:
    message = {
        "type": "page", "name": "Sepetim", "messageId": "m", "anonymousId": "a", "userId": "u",
        "timestamp": instant(0), "properties": {}, "context": {},
    }  # fmt: skip
    sending = Sending(0.0, "web-shop", message, 0.0)
    rng = Random(1)
    broken = [e for _ in range(60_000) for e in echoes(rng, sending) if e.nature == "malformed"]
    kinds = {tuple(faults(echo.message)) for echo in broken}
    assert () not in kinds
    assert {("nobody",), ("event",), ("timestamp",), ("type",), ("properties", "traits"), ("size",)} <= kinds
    assert all(echo.message["messageId"] != "m" for echo in broken)
    assert faults(message) == []


@pytest.mark.parametrize(("nature", "share"), [("duplicate", DUPLICATES), ("malformed", MALFORMED)])
def test_disorder_has_its_share(story: Story, nature: str, share: float) -> None:
    assert 0.6 < len(story.messages(nature)) / (share * len(story.sendings)) < 1.4


def test_message_ids_are_unique_but_for_duplicates(story: Story) -> None:
    ids = [m["messageId"] for m in story.messages()]
    assert len(ids) == len(set(ids))
    originals = {m["messageId"]: m for m in story.messages()}
    assert [m for m in story.messages("duplicate") if originals[m["messageId"]] != m] == []


def test_some_messages_come_late(story: Story) -> None:
    late = [s for s in story.sendings if s.nature == "message" and s.at - s.happened > 3_600]
    assert late
    assert max(s.at - s.happened for s in late) > 12 * 3_600
    assert {s.source for s in late} <= {"mobile-app", "stores"}


def test_most_clocks_are_right_and_some_are_not(story: Story) -> None:
    skews = [abs(s.skew) for s in story.sendings if s.source == "web-shop"]
    assert sum(skew < 5 for skew in skews) / len(skews) > 0.9
    assert max(skews) > 60


def test_money_adds_up(story: Story) -> None:
    orders = story.tracks("Order Completed")
    assert len(orders) > 100
    for message in orders:
        order = message["properties"]
        goods = sum(Decimal(str(p["price"])) * p["quantity"] for p in order["products"])
        paid, discount = Decimal(str(order["total"])), Decimal(str(order["discount"]))
        assert paid == goods - discount + Decimal(str(order["shipping"]))
        assert order["currency"] == "TRY"


def test_spend_is_written_as_decimal_text(story: Story) -> None:
    spend = [m for m in story.messages() if m["type"] == "record" and m["object"] == "ad_spend"]
    assert {tuple(m["key"]) for m in spend} == {("day", "platform", "campaign", "keyword")}
    assert sum(Decimal(m["fields"]["cost"]) for m in spend) > 1_000
    assert all(m["fields"]["clicks"] <= m["fields"]["impressions"] for m in spend)


def test_consent_names_its_channel_and_text(story: Story) -> None:
    given = [
        m["context"]["consent"]["marketing"] for m in story.messages() if "consent" in m.get("context", {})
    ]
    assert given
    assert {consent["source"] for consent in given} <= {
        "HS_WEB", "HS_MOBIL", "HS_FIZIKSEL_ORTAM", "HS_CAGRI_MERKEZI",
    }  # fmt: skip


def test_every_type_is_spoken(story: Story) -> None:
    assert {m["type"] for m in story.messages()} == set(MESSAGE_TYPES)


def test_instants_are_written_in_utc_to_the_millisecond() -> None:
    assert instant(1_700_000_000.1239) == "2023-11-14T22:13:20.123Z"
    assert instant(1_700_000_000.0) == "2023-11-14T22:13:20.000Z"


def test_drawn_identifiers_have_the_shape_of_a_uuid() -> None:
    text = unique(Random(1))
    assert [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]
    assert text != unique(Random(2))
