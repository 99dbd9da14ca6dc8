"""What Prometheus is told: the ledger, freshness, people, quality alerts, and how long requests took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tekil.api.model import utc
from tekil.errors import TekilError
from tekil.reads import Reads
from tekil.store import Store

STATES = ("accepted", "loaded", "quarantined", "duplicate", "waiting")


class Gauges(Collector):
    """Reads the figures anew each time Prometheus asks."""

    def __init__(self, reads: Reads, store: Store) -> None:
        """Take what the figures are read through, and the store that knows the alerts."""
        self._reads, self._store = reads, store

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand, so that registering asks no question of the warehouse."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the figures of this instant; `tekil_up` is 0 where they cannot be read."""
        up = GaugeMetricFamily("tekil_up", "Whether the figures below could be read (1) or not (0).")
        try:
            figures = [*self._ledger(), *self._freshness(), self._people(), self._alerts()]
        except TekilError:
            figures = []
        up.add_metric([], 1 if figures else 0)
        return [up, *figures]

    def _ledger(self) -> list[Metric]:
        messages = GaugeMetricFamily(
            "tekil_ledger_messages", "Messages by source and state.", labels=["source", "state"]
        )
        reasons = GaugeMetricFamily(
            "tekil_quarantined_messages", "Quarantined by reason.", labels=["source", "reason"]
        )
        last = GaugeMetricFamily(
            "tekil_source_last_received_seconds", "When a source last sent (Unix time).", labels=["source"]
        )
        for source in self._reads.ledger().sources:
            for state in STATES:
                messages.add_metric([source.source, state], getattr(source, state))
            for reason, count in source.reasons.items():
                reasons.add_metric([source.source, reason], count)
            if source.last_received is not None:
                last.add_metric([source.source], _unix(source.last_received))
        return [messages, reasons, last]

    def _freshness(self) -> list[Metric]:
        lately = self._reads.freshness()
        seconds = GaugeMetricFamily(
            "tekil_freshness_seconds",
            "From acknowledgement to readable card, over the last minutes.",
            labels=["quantile"],
        )
        for quantile, value in (("0.5", lately.p50), ("0.99", lately.p99)):
            if value is not None:
                seconds.add_metric([quantile], value)
        return [seconds]

    def _people(self) -> Metric:
        return GaugeMetricFamily("tekil_people", "People known.", value=self._reads.people_count())

    def _alerts(self) -> Metric:
        open_now = GaugeMetricFamily(
            "tekil_quality_alerts", "Alerts of data quality that are open.", labels=["kind", "source"]
        )
        counted = Counter((alert.kind, alert.source) for alert in self._store.quality_alerts.open())
        for (kind, source), alerts in sorted(counted.items()):
            open_now.add_metric([kind, source], alerts)
        return open_now


class Metrics(ASGIMiddleware):
    """The registry of one application; as middleware it also times its requests.

    `read_at` is when somebody last read the figures (UTC, without a zone), nothing before the first.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, reads: Reads, store: Store) -> None:
        """Take what the figures are read through, and the store that knows the alerts."""
        self.read_at: datetime | None = None
        self._registry = CollectorRegistry()
        self._registry.register(Gauges(reads, store))
        self._durations = Histogram(
            "tekil_http_request_seconds",
            "How long requests took until their last byte.",
            labelnames=["method", "route", "status"],
            registry=self._registry,
        )

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass a request on and note how long its answer took."""
        started = time.perf_counter()
        status = 500

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await next_app(scope, receive, noting_send)
        except TekilError as error:
            status = error.http_status
            raise
        finally:
            route = str(scope.get("path_template", ""))
            labels = (str(scope.get("method", "")), route, str(status))
            self._durations.labels(*labels).observe(time.perf_counter() - started)

    def text(self) -> bytes:
        """Return the figures in Prometheus' text format, and note that somebody reads them."""
        self.read_at = datetime.now(UTC).replace(tzinfo=None)
        return generate_latest(self._registry)


def _unix(instant: datetime) -> float:
    return utc(instant).timestamp()
