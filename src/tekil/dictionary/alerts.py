"""Alerts of data quality: opened once, closed once, put into the log, and told to whoever is to know."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from tekil.config import QualitySettings
from tekil.dictionary.health import Read, measures
from tekil.dictionary.model import Dictionary
from tekil.errors import TekilError
from tekil.outgoing import Outgoing, Webhook
from tekil.store import Store
from tekil.store.clock import now_us
from tekil.store.quality_alerts import QualityAlert, Trouble, Turn

GIVEN_UP_US = 24 * 3_600 * 1_000_000
"""For so long the webhook is tried again; who hears of an alert days later is not helped."""


class Notice(msgspec.Struct, frozen=True):
    """What the log and the webhook are told. `alert` names the alert, the same for its beginning and end."""

    what: str
    alert: str
    kind: str
    source: str
    event: str
    field: str
    messages: int
    at: str


def notice(alert: QualityAlert, turn: Turn) -> bytes:
    """Return what is told of an alert, as one line of JSON."""
    at = alert.opened_at if turn == "opened" else alert.closed_at or 0
    told = Notice(
        f"quality_alert.{turn}",
        alert.id,
        alert.kind,
        alert.source,
        alert.event,
        alert.field,
        alert.messages,
        datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="seconds"),
    )
    return msgspec.json.encode(told)


class QualityWatch:
    """Looks at data quality now and then. What was told is in the store, so a restart says nothing twice."""

    def __init__(
        self,
        read: Read,
        store: Store,
        settings: QualitySettings,
        outgoing: Outgoing,
        say: Callable[[str], object],
        *,
        secret: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what the warehouse is read by, the store, who is told, the way out and the log."""
        self._read, self._store, self._settings, self._say = read, store, settings, say
        self._clock = clock
        self._webhook = Webhook(settings.webhook, outgoing, secret)

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop. What fails is put into the log, and tried again."""
        try:
            while not stop.is_set():
                try:
                    self.look()
                except TekilError as error:
                    self._say(f"quality: {error.message}")
                stop.wait(self._settings.every_seconds)
        finally:
            self._webhook.close()

    def look(self) -> None:
        """Measure once: open and close alerts, say so, and tell the webhook what it was not told yet."""
        limits = Dictionary.read(self._store.definitions).alerts
        found = [
            (Trouble(line.kind, line.source, line.event, line.field), line.messages)
            for line in measures(self._read, limits, self._clock().date())
            if line.alert
        ]
        alerts = self._store.quality_alerts
        opened, closed = alerts.settle(found, owed=bool(self._settings.webhook))
        for alert in opened:
            self._say(notice(alert, "opened").decode())
        for alert in closed:
            self._say(notice(alert, "closed").decode())
        self._tell()

    def _tell(self) -> None:
        """Send what is owed, in order; at the first failure the rest waits, too."""
        for alert, turn in self._store.quality_alerts.owed():
            since = (alert.closed_at if turn == "closed" else None) or alert.opened_at
            if not self._settings.webhook or since < now_us() - GIVEN_UP_US:
                self._store.quality_alerts.paid(alert.id, turn)
                continue
            if (why := self._send(alert, turn)) is not None:
                self._say(f"quality: the webhook was not told of {alert.id} ({why}); it is tried again.")
                return
            self._store.quality_alerts.paid(alert.id, turn)

    def _send(self, alert: QualityAlert, turn: Turn) -> str | None:
        """Send one notice; return why it did not arrive. Whoever gets it twice knows it by its key."""
        return self._webhook.send(notice(alert, turn), f"{alert.id}-{turn}")
