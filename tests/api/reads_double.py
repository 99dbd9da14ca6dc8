"""What the API and the console read, without a warehouse behind it: plausible people of one shop.

The browser's stories and the API's own run against the real thing elsewhere; here each page must be seen
with the very data that is hard on it: markup in names, long words, quarantined bodies, merged ids.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from tekil.access.policy import Condition
from tekil.errors import BadRequest, NotFound, Unavailable
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
from tekil.store import Card, Identifier
from tekil.warehouse import columns_given

SCRIPT = "<script>alert('İ')</script>"
FIRST = ["Ayşe", "İrem", "Çağla", "Mehmet", "Oğuz", "Şule", "Ümit", "Işıl", "Deniz", "Kerem"]
LAST = ["Yılmaz", "Öztürk", "Çelik", "Şahin", "Güneş", "Aydın", "Ilgaz", "Korkmaz"]
SHOP = "https://minderevi.example"
EVENTS = ["Product Viewed", "Product Added", "Checkout Started", "Order Completed", "Coupon Applied"]
PAGES = ["/", "/minder/keten-kirlent-45x45", "/perde", "/sepet", "/kampanya/kis?utm_source=google"]
SOURCES = {"web-shop": 6, "mobile-app": 4, "store-pos": 2, "call-centre": 1, "crm-import": 1}


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class FullShop:
    """A shop in the middle of its day."""

    def __init__(self, people: int = 60) -> None:
        self.random = random.Random(7)
        self.cards = [self._card(n) for n in range(people)]
        self.down = False
        self.started = time.time()

    def _card(self, n: int) -> Card:
        draw = self.random
        person_id = f"{draw.getrandbits(64):016x}"
        seen = datetime.now(UTC) - timedelta(minutes=n * n * 3 + n, seconds=7)
        first = seen - timedelta(days=3 + draw.randrange(200))
        name, surname = draw.choice(FIRST), draw.choice(LAST)
        email = f"{name}.{surname}{n}@example.com".lower().replace("i̇", "i")
        anonymous = n % 4 == 3
        traits: dict[str, Any] = (
            {}
            if anonymous
            else {
                "name": SCRIPT if n == 1 else f"{name} {surname}",
                "email": email,
                "phone": f"+90532{draw.randrange(10**7):07d}",
                "city": draw.choice(["İstanbul", "Şanlıurfa", "Iğdır", "Çanakkale"]),
                "loyalty": {"tier": "gold", "points": 1280 + n},
                "newsletter": n % 3 == 0,
            }
        )
        identifiers = [Identifier("anonymous_id", f"{draw.getrandbits(128):032x}", person_id)]
        if not anonymous:
            identifiers += [
                Identifier("email", email, f"{n:016x}"),
                Identifier("phone", traits["phone"], f"{n + 1000:016x}"),
                Identifier("user_id", f"M/{10_000 + n}:a", f"{n + 2000:016x}"),
            ]
        touch = {"source": "google", "medium": "cpc", "campaign": "kış-indirimi", "referrer": None}
        body = {
            "person_id": person_id,
            "first_seen": stamp(first),
            "last_seen": stamp(seen),
            "events": 1234 + 17 * n,
            "pages": 812,
            "events_7d": 41,
            "events_30d": 203,
            "sources": ["web-shop", "mobile-app", "store-pos"][: 1 + n % 3],
            "traits": traits,
            "trait_sources": {key: {"source": "web-shop", "at": stamp(first)} for key in traits},
            "last_page": {"url": SHOP + PAGES[1], "title": "Keten kırlent 45×45", "at": stamp(seen)},
            "first_touch": None if anonymous else {**touch, "at": stamp(first)},
            "last_touch": {"source": None, "medium": None, "campaign": None, "referrer": None, "at": None},
            "locale": "tr-TR",
            "browser": "Chrome",
            "os": "Android",
            "device": "Samsung",
        }
        return Card(person_id, json.dumps(body), int(seen.timestamp() * 1e6), tuple(identifiers))

    def profile(self, reference: str, *, reveal: bool = False) -> Card:
        kind, colon, value = reference.partition(":")
        if reference == "merged-away":
            raise MovedPerson(self.cards[0].person_id)
        for card in self.cards:
            wanted = {(i.kind, i.value) for i in card.identifiers}
            if (
                reference == card.person_id
                or (colon and (kind, value.lower()) in wanted)
                or (kind, value) in wanted
            ):
                return card
        raise NotFound(f"There is no person {reference!r}.", code="person_unknown")

    def people(self, text: str, limit: int = 50, within: Condition | None = None) -> list[Card]:
        found = [c for c in self.cards if not text or any(i.value.startswith(text) for i in c.identifiers)]
        found = [c for c in found if within is None or within.holds(c.as_dict()["traits"])]
        return [Card(c.person_id, c.body, c.last_seen) for c in found[:limit]]

    def people_count(self, within: Condition | None = None) -> int:
        if within is not None:
            return len(self.people("", 10_000, within))
        return len(self.cards) and 48_211

    def timeline(
        self, person_id: str, *, cursor: str | None = None, limit: int = 50, reveal: bool = False
    ) -> Page:
        if cursor is not None and not cursor.isdecimal():
            raise BadRequest("The cursor is none of ours.", code="cursor_invalid")
        start, end = int(cursor or 0), 120
        if start > end:
            return Page([], None)
        last = min(start + limit, end)
        return Page([self._event(n) for n in range(start, last)], str(last) if last < end else None)

    def _event(self, n: int) -> TimelineEvent:
        kind = ("track", "page", "track", "page", "identify", "track", "screen", "track")[n % 8]
        at = (datetime.now(UTC) - timedelta(minutes=n * 37)).replace(tzinfo=None)
        properties = {"sku": f"KK-{n}", "price": 249.9, "note": SCRIPT} if kind == "track" else None
        return TimelineEvent(
            message_id=f"m-{n}",
            source=list(SOURCES)[n % 3],
            type=kind,
            event=EVENTS[n % 5] if kind == "track" else None,
            occurred_at=at,
            received_at=at,
            url=SHOP + PAGES[n % 5] if kind in ("track", "page") else None,
            title="Keten kırlent 45×45 — Minder Evi" if kind == "page" else None,
            campaign="kış-indirimi" if n % 8 == 1 else None,
            properties=json.dumps(properties) if properties else None,
        )

    def _counts(self) -> dict[str, Count]:
        more = int((time.time() - self.started) * 14)
        counts = {}
        for name, weight in SOURCES.items():
            loaded = weight * (205_114 + more)
            counts[name] = Count(loaded + weight * 4_022, loaded, weight * 61, weight * 3_960, weight)
        return counts

    def ledger(self) -> Ledger:
        if self.down:
            raise Unavailable("The warehouse is busy rebuilding.", code="warehouse_unavailable")
        counts = self._counts()
        total = Count(*(sum(getattr(c, s) for c in counts.values()) for s in Count.__struct_fields__))
        now = datetime.now(UTC).replace(tzinfo=None)
        return Ledger(
            total,
            [
                SourceLedger(
                    name,
                    c.accepted,
                    c.loaded,
                    c.quarantined,
                    c.duplicate,
                    c.waiting,
                    {"type_missing": c.quarantined},
                    now - timedelta(seconds=n * n * 9),
                )
                for n, (name, c) in enumerate(counts.items())
            ],
        )

    def arrivals(self, limit: int = 50) -> list[Arrival]:
        tick = int(time.time() * 3)
        found = []
        for n in range(limit):
            draw = random.Random(tick - n)
            kind = draw.choice(["track", "page", "page", "track", "identify", "screen"])
            found.append(
                Arrival(
                    draw.choices(list(SOURCES), list(SOURCES.values()))[0],
                    kind,
                    draw.choice(EVENTS) if kind == "track" else None,
                    draw.choice(self.cards).person_id if self.cards else None,
                    datetime.fromtimestamp((tick - n) / 3, UTC).replace(tzinfo=None),
                    SHOP + draw.choice(PAGES) if kind in ("page", "track") else None,
                )
            )
        return found

    def minutes(self, minutes: int = 60) -> list[MinuteCount]:
        now = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None)
        found = []
        for back in range(minutes):
            minute = now - timedelta(minutes=back)
            for name, weight in SOURCES.items():
                draw = random.Random(f"{minute}{name}")
                wave = 30 + 14 * ((minute.minute % 23) / 23)
                found.append(MinuteCount(minute, name, int(weight * wave * (0.7 + 0.6 * draw.random()))))
        return found

    def freshness(self) -> Freshness:
        return Freshness(0.412, 0.874, 9_120)

    def doing(self) -> Doing:
        return Doing()

    def quarantine(self, source: str | None = None, limit: int = 50) -> list[Quarantined]:
        if source not in (None, *SOURCES):
            return []
        at = datetime.now(UTC).replace(tzinfo=None)
        bodies = ['{"event":"' + SCRIPT + '","userId":"u-1"}', "[1,2]", '{"type":"track","userId":9}']
        reasons = ["type_missing", "not_an_object", "event_missing,identifier_missing"]
        return [
            Quarantined(source or "web-shop", at - timedelta(minutes=n * 7), reasons[n % 3], bodies[n % 3])
            for n in range(min(limit, 9))
        ]

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> pa.Table:
        if not statement.lstrip().lower().startswith("select"):
            raise BadRequest("Only a SELECT can be run.", code="sql_not_select")
        if " from " in " ".join(statement.lower().split()):
            # A page's own question about what this shop does not have.
            return pa.table({name: [] for name in columns_given(statement)})
        columns = [pa.array([1, 2]), pa.array([b"\x00\xff", None]), pa.array([datetime(2026, 1, 2), None])]
        return pa.table(columns, names=["n", "n", "at"])

    def answers(self, select: str) -> pa.Table:
        return pa.table({name: [] for name in columns_given(select)})

    def ready(self) -> None:
        if self.down:
            raise Unavailable("The warehouse is busy rebuilding.", code="warehouse_unavailable")


class EmptyShop(FullShop):
    """An installation that was started a minute ago: nothing has been sent, nobody is known."""

    def __init__(self) -> None:
        super().__init__(people=0)

    def _counts(self) -> dict[str, Count]:
        return {}

    def ledger(self) -> Ledger:
        return Ledger(Count(0, 0, 0, 0, 0), [])

    def arrivals(self, limit: int = 50) -> list[Arrival]:
        return []

    def minutes(self, minutes: int = 60) -> list[MinuteCount]:
        return []

    def freshness(self) -> Freshness:
        return Freshness(None, None, 0)

    def quarantine(self, source: str | None = None, limit: int = 50) -> list[Quarantined]:
        return []
