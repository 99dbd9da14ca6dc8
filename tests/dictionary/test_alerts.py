"""Quality alerts: said once when they open, once when they close, and told to a webhook that may be away."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from tekil.config import QualitySettings
from tekil.dictionary.alerts import QualityWatch
from tekil.outgoing import SIGNATURE, Outgoing
from tests.dictionary.defining import define, undefine
from tests.installation import NOON, Installation
from tests.laws.conftest import Found
from tests.outgoing.loopback import LOOPBACK, Answer, Asked, Loopback


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    define(made.store, {"A": {"fields": {"properties.sku": {"required": True}}}})
    made.store.quality_alerts.settle([], owed=False)
    yield made
    undefine(made.store)
    made.close()


class Hook:
    """A webhook that can be down."""

    def __init__(self) -> None:
        self.status = 200
        self.server = Loopback(lambda _: Answer(b"", self.status))

    @property
    def asked(self) -> list[Asked]:
        return self.server.asked

    def told(self) -> list[tuple[str, str]]:
        return [(json.loads(one.body)["what"], one.headers["idempotency-key"]) for one in self.asked]


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.close()


def watch(
    installation: Installation, said: list[str], webhook: str = "", outgoing: Outgoing = LOOPBACK, **more: Any
) -> QualityWatch:
    settings = QualitySettings(webhook=webhook)
    now = NOON.replace(tzinfo=UTC)
    read, store = installation.warehouse.read, installation.store
    return QualityWatch(read, store, settings, outgoing, said.append, clock=lambda: now, **more)


def order(number: int, **properties: Any) -> dict[str, Any]:
    said = {"type": "track", "event": "A", "userId": "u", "messageId": f"m{number}"}
    return {**said, "properties": properties}


def test_an_alert_is_said_once_when_it_opens_and_once_when_it_closes(installation: Installation) -> None:
    said: list[str] = []
    looking = watch(installation, said)
    installation.say(*(order(n) for n in range(6)))
    installation.run()
    looking.look()
    looking.look()
    watch(installation, said).look()
    (opened,) = (json.loads(line) for line in said)
    assert opened["what"] == "quality_alert.opened"
    assert (opened["kind"], opened["field"], opened["messages"]) == ("missing", "properties.sku", 6)
    assert [alert.kind for alert in installation.store.quality_alerts.open()] == ["missing"]
    installation.say(*(order(n, sku="x") for n in range(10, 2000)))
    installation.run()
    looking.look()
    looking.look()
    assert [json.loads(line)["what"] for line in said[1:]] == ["quality_alert.closed"]
    assert json.loads(said[1])["alert"] == opened["alert"]
    assert installation.store.quality_alerts.count_open() == 0
    assert installation.store.quality_alerts.owed() == []


def test_a_webhook_that_was_away_hears_of_each_alert_once_in_order(
    installation: Installation, hook: Hook
) -> None:
    said: list[str] = []
    looking = watch(installation, said, hook.server.url + "/tekil", secret="gizli")
    hook.status = 503
    installation.say(*(order(n) for n in range(6)))
    installation.run()
    looking.look()
    assert "it answered 503" in said[-1]
    installation.say(*(order(n, sku="x") for n in range(10, 2000)))
    installation.run()
    hook.status = 200
    looking.look()
    looking.look()
    what = [one for one, _ in hook.told()]
    assert what == ["quality_alert.opened", "quality_alert.opened", "quality_alert.closed"]
    assert len({key for _, key in hook.told()}) == 2
    last = hook.asked[-1]
    assert last.headers[SIGNATURE.lower()] == hmac.new(b"gizli", last.body, hashlib.sha256).hexdigest()


def test_an_inner_address_is_told_nothing_unless_it_is_allowed(
    installation: Installation, hook: Hook
) -> None:
    said: list[str] = []
    installation.say(*(order(n) for n in range(6)))
    installation.run()
    watch(installation, said, hook.server.url, Outgoing()).look()
    assert "not on the open internet" in said[-1]
    assert hook.asked == []
    assert len(installation.store.quality_alerts.owed()) == 1
