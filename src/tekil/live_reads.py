"""Reads over a running engine: cards from the store, all else from what the warehouse has committed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from msgspec.structs import replace

from tekil.access.policy import Condition
from tekil.engine import Engine, utc_now
from tekil.errors import BadRequest, NotFound, Unavailable
from tekil.identifiers import Policy
from tekil.identity import person_id, person_key
from tekil.load import seal_json, sealed_identifier
from tekil.log import Log
from tekil.messages import IDENTIFIER_KINDS
from tekil.privacy import Vault, mask_of
from tekil.privacy.vault import with_known
from tekil.reads import (
    Arrival,
    Count,
    Doing,
    Freshness,
    Ledger,
    MinuteCount,
    MovedPerson,
    Page,
    Quarantined,
    SourceLedger,
    TimelineEvent,
)
from tekil.store import Card, Store
from tekil.warehouse import Warehouse

SILENCE_MAX = 30.0
"""Seconds without a heartbeat after which the engine's loop counts as stuck."""


class LiveReads:
    """The `Reads` of an installation. `engine` is absent where a library only looks at the files."""

    def __init__(
        self, log: Log, warehouse: Warehouse, store: Store, vault: Vault, engine: Engine | None = None
    ) -> None:
        """Take the three places, the vault, and the engine where one runs in this process."""
        self._log, self._warehouse, self._store, self._engine = log, warehouse, store, engine
        self._vault = vault

    def profile(self, reference: str, *, reveal: bool = False) -> Card:
        """See `Reads.profile`."""
        kind, colon, value = reference.partition(":")
        if colon:
            card = self._by_identifier(kind, value)
        else:
            card = self._store.cards.get(reference)
            moved = None if card else self._store.cards.redirect(reference)
            if moved is not None:
                raise MovedPerson(moved)
        if card is None:
            raise NotFound(
                f"Nobody is known as {reference!r}. Ask by person id, or by one of "
                f"{', '.join(f'{k}:…' for k in IDENTIFIER_KINDS)}.",
                code="person_unknown",
            )
        return self._shown([card], reveal=reveal)[0]

    def _by_identifier(self, kind: str, value: str) -> Card | None:
        policy = self._policy()
        sealed = sealed_identifier(kind, value, self._vault, policy)
        card = None if sealed is None else self._store.cards.find(kind, sealed)
        if card is None and kind not in policy.rules:
            raise NotFound(
                f"There is no kind of identifier {kind!r}. There are: {', '.join(policy.rules)}.",
                code="identifier_kind_unknown",
            )
        return card

    def _policy(self) -> Policy:
        """Return the identity policy, which says how values are written."""
        return self._engine.policy if self._engine else Policy.read(self._store.definitions)

    def _shown(self, cards: Sequence[Card], *, reveal: bool = False) -> list[Card]:
        """Return cards with masks, or values, in the place of their tokens."""
        texts = [text for card in cards for text in (card.body, *(i.value for i in card.identifiers))]
        known = self._vault.known(texts, reveal=reveal)
        return [
            replace(
                card,
                body=with_known(card.body, known, is_json=True),
                identifiers=tuple(replace(i, value=with_known(i.value, known)) for i in card.identifiers),
            )
            for card in cards
        ]

    def people(self, text: str, limit: int = 50, within: Condition | None = None) -> list[Card]:
        """See `Reads.people`. A text that can be an e-mail address or a phone number is read as one too.

        Of what is sealed only the whole value is found: a token says nothing about its beginning.
        """
        if not text:
            return self._shown(self._store.cards.newest(limit, within))
        found: dict[str, Card] = {}
        sealed = (sealed_identifier(kind, text, self._vault) or text for kind in IDENTIFIER_KINDS)
        for wanted in dict.fromkeys([text, *sealed]):
            for card in self._store.cards.search(wanted, limit, within):
                found.setdefault(card.person_id, card)
        return self._shown(list(found.values())[:limit])

    def people_count(self, within: Condition | None = None) -> int:
        """See `Reads.people_count`."""
        return self._store.cards.count(within)

    def timeline(
        self, person_id: str, *, cursor: str | None = None, limit: int = 50, reveal: bool = False
    ) -> Page:
        """See `Reads.timeline`."""
        person = person_key(person_id)
        keys = self._read(
            """
            SELECT identifier_key FROM identity WHERE person_key = $person
            UNION SELECT identifier_key FROM ownership WHERE person_key = $person
            """,
            {"person": person},
        )
        if not keys:
            return Page([], None)
        # Written out, so that the engine can skip the parts of the history that hold none of them.
        owned = ", ".join(str(int(row["identifier_key"])) for row in keys)
        before, key = _parse_cursor(cursor)
        rows = self._read(
            f"""
            SELECT message_key, message_id, source, type, event, occurred_at, received_at, url, title,
              campaign, properties
            FROM timeline t LEFT JOIN ownership o ON o.identifier_key = t.identifier_key
              AND t.occurred_at >= o.valid_from AND t.occurred_at < o.valid_until
            WHERE t.identifier_key IN ({owned}) AND coalesce(o.person_key = $person, TRUE)
              AND (occurred_at < $before OR (occurred_at = $before AND message_key < $key))
            ORDER BY occurred_at DESC, message_key DESC LIMIT {int(limit) + 1}
            """,
            {"before": before, "key": key, "person": person},
        )
        events = self._shown_events(rows, reveal=reveal)
        if len(rows) <= limit:
            return Page(events, None)
        last = rows[limit - 1]
        return Page(events[:limit], f"{last['occurred_at'].isoformat()}_{last['message_key']}")

    def ledger(self) -> Ledger:
        """See `Reads.ledger`. The position is read with the counts; the log is asked about that position."""
        rows = self._read("""
            SELECT m.position, l.source, l.loaded, l.quarantined, l.duplicate, l.last_received, l.erased
            FROM tekil_marks m LEFT JOIN ledger l ON TRUE
        """)
        known = {row["source"]: row for row in rows if row["source"] is not None}
        reasons = self._reasons()
        sources = [
            _source_ledger(count.source, count.accepted, count.waiting, known.get(count.source), reasons)
            for count in self._log.counts(rows[0]["position"] if rows else 0)
        ]
        names = Count.__struct_fields__
        return Ledger(Count(*(sum(getattr(of, name) for of in sources) for name in names)), sources)

    def _reasons(self) -> dict[str, dict[str, int]]:
        counted: dict[str, dict[str, int]] = {}
        for row in self._read(
            "SELECT source, reasons, sum(messages) AS messages FROM quarantine GROUP BY source, reasons"
        ):
            of = counted.setdefault(row["source"], {})
            for reason in row["reasons"].split(","):
                of[reason] = of.get(reason, 0) + int(row["messages"])
        return counted

    def arrivals(self, limit: int = 50) -> list[Arrival]:
        """See `Reads.arrivals`."""
        rows = self._read(f"""
            SELECT e.source, e.type, e.event, coalesce(o.person_key, i.person_key) AS person_key,
              e.received_at, e.url
            FROM (
              SELECT identifier_key, source, type, event, occurred_at, received_at, url, message_key
              FROM events ORDER BY received_at DESC, message_key LIMIT {int(limit)}
            ) AS e
            LEFT JOIN identity i ON i.identifier_key = e.identifier_key
            LEFT JOIN ownership o ON o.identifier_key = e.identifier_key
              AND e.occurred_at >= o.valid_from AND e.occurred_at < o.valid_until
            ORDER BY e.received_at DESC, e.message_key
        """)
        for name in ("event", "url"):
            self._show_column(rows, name)
        return [_arrival(**row) for row in rows]

    def minutes(self, minutes: int = 60) -> list[MinuteCount]:
        """See `Reads.minutes`. Imported history is left out: it arrived now, and happened long ago."""
        since = utc_now().replace(second=0, microsecond=0) - timedelta(minutes=minutes - 1)
        rows = self._read(
            """
            SELECT date_trunc('minute', received_at) AS minute, source, count(*) AS events
            FROM events WHERE received_at >= $since AND known_at = received_at GROUP BY ALL ORDER BY ALL
            """,
            {"since": since},
        )
        return [MinuteCount(**row) for row in rows]

    def freshness(self) -> Freshness:
        """See `Reads.freshness`."""
        lags = sorted(self._engine.freshness()) if self._engine else []
        messages = sum(count for _, count in lags)
        return Freshness(_quantile(lags, messages, 0.50), _quantile(lags, messages, 0.99), messages)

    def doing(self) -> Doing:
        """See `Reads.doing`."""
        engine = self._engine
        return Doing(*engine.doing, definitions=engine.heeded) if engine else Doing()

    def quarantine(self, source: str | None = None, limit: int = 50) -> list[Quarantined]:
        """See `Reads.quarantine`."""
        rows = self._read(
            f"""
            SELECT source, received_at, reasons, body FROM quarantine
            WHERE $source IS NULL OR source = $source
            ORDER BY position DESC, number DESC LIMIT {int(limit)}
            """,
            {"source": source},
        )
        for row in rows:
            row["body"] = seal_json(self._vault.open_body(row["body"]), mask_of)
        return [Quarantined(**row) for row in rows]

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """See `Reads.sql`. Parameters are written `$1`, `$2`, …"""
        return self._warehouse.read(statement, {str(i): value for i, value in enumerate(parameters, 1)})

    def answers(self, select: str) -> pa.Table:
        """See `Reads.answers`. `now()` is that of the last cycle, as it is in the answers that are there."""
        clock = self._warehouse.read("SELECT clock FROM tekil_marks")["clock"].to_pylist()
        return self._warehouse.read(select, now=clock[0] if clock and clock[0] else utc_now())

    def ready(self) -> None:
        """See `Reads.ready`."""
        self._store.ping()
        self._log.head()
        silence = time.monotonic() - self._engine.beat if self._engine else 0.0
        if silence > SILENCE_MAX:
            raise Unavailable(
                f"The engine's loop has been busy or stuck for {silence:.0f} s. Accepted messages wait"
                " safely in the log.",
                code="engine_silent",
            )

    def _shown_events(self, rows: list[dict[str, Any]], *, reveal: bool) -> list[TimelineEvent]:
        for name in ("message_id", "event", "url", "title", "campaign", "properties"):
            self._show_column(rows, name, reveal=reveal, is_json=name == "properties")
        return [TimelineEvent(**{n: row[n] for n in TimelineEvent.__struct_fields__}) for row in rows]

    def _show_column(
        self, rows: list[dict[str, Any]], name: str, *, reveal: bool = False, is_json: bool = False
    ) -> None:
        """Put masks, or values, in the place of the tokens in a column of texts."""
        texts = [row[name] or "" for row in rows]
        for row, text in zip(rows, self._vault.show(texts, reveal=reveal, is_json=is_json), strict=True):
            row[name] = text or row[name]

    def _read(self, sql: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._warehouse.read(sql, parameters).to_pylist()
        return rows


def _arrival(person_key: int | None, **told: Any) -> Arrival:
    return Arrival(person_id=None if person_key is None else person_id(person_key), **told)


def _source_ledger(
    source: str,
    accepted: int,
    waiting: int,
    row: dict[str, Any] | None,
    reasons: dict[str, dict[str, int]],
) -> SourceLedger:
    counts = row or {"loaded": 0, "quarantined": 0, "duplicate": 0, "last_received": None, "erased": 0}
    return SourceLedger(
        source=source,
        accepted=accepted,
        loaded=counts["loaded"],
        quarantined=counts["quarantined"],
        duplicate=counts["duplicate"],
        waiting=waiting,
        reasons=reasons.get(source, {}),
        last_received=counts["last_received"],
        erased=int(counts["erased"] or 0),
    )


def _parse_cursor(cursor: str | None) -> tuple[datetime, int]:
    if cursor is None:
        return datetime(9999, 1, 1), 0
    instant, _, key = cursor.partition("_")
    try:
        before = datetime.fromisoformat(instant)
        if before.tzinfo is not None:
            raise ValueError("a cursor has no zone")
        return before, int(key) if len(key) <= 19 else int("")
    except ValueError as error:
        raise BadRequest(
            f"{cursor!r} is no cursor of ours; pass back `next` exactly as it was given, or leave it out.",
            code="cursor_invalid",
        ) from error


def _quantile(lags: list[tuple[float, int]], messages: int, share: float) -> float | None:
    """Return the lag that a share of the messages stayed within; `lags` are sorted (seconds, messages)."""
    passed = 0
    for seconds, count in lags:
        passed += count
        if passed >= share * messages:
            return seconds
    return None
