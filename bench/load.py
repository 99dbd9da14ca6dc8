"""Bar: from the log to typed, deduplicated, sealed events at 100,000 events a second or more, on two cores.

Run: python bench/load.py [--messages 400000]. Bodies as SDKs send them (batches of 100; page views and tracks
of analytics.js and of server SDKs, in equal parts) lie in a real log; what is timed is reading and decrypting
them, taking them apart, checking, sealing personal values, looking for duplicates, and committing events,
traits, quarantine and ledger. Models are not refreshed: their bar is another. Afterwards the tables must hold
each message exactly once.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tekil.load import TABLES, KnownMessages, ReadAhead, keep, prepare
from tekil.log import Entry, Log, open_log
from tekil.messages import pack
from tekil.privacy import DayKeys, KeyRing, MasterKey, Vault
from tekil.store import open_store
from tekil.warehouse import Marks
from tekil.warehouse.duckdb import DuckDBWarehouse

BAR = 100_000
BATCH = 100
CHUNK_BODIES, CHUNK_SIZE = 20_000, 160 << 20
AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0"
    for v in range(120, 150)
]


def browser_message(rng: random.Random, number: int) -> dict[str, object]:
    """A message as analytics.js sends it."""
    product = rng.randrange(2000)
    path = f"/urun/{product}"
    query = "?utm_source=google&utm_medium=cpc&utm_campaign=kis" if number % 20 == 0 else ""
    message: dict[str, object] = {
        "messageId": f"ajs-next-{number:x}-{rng.getrandbits(64):016x}",
        "timestamp": f"2026-03-{1 + number % 28:02d}T10:{number % 60:02d}:30.123Z",
        "anonymousId": f"{number % 60_000:08x}-1111-2222-3333-444444444444",
        "type": "page",
        "properties": {"path": path, "title": f"Ürün {product}"},
        "context": {
            "page": {
                "url": f"https://minder.example{path}{query}",
                "path": path,
                "title": f"Ürün {product}",
                "referrer": "https://www.google.com/" if query else "https://minder.example/",
            },
            "userAgent": rng.choice(AGENTS),
            "locale": "tr-TR",
            "library": {"name": "analytics.js", "version": "next-1.81.0"},
            "timezone": "Europe/Istanbul",
        },
    }
    if number % 3 == 0:
        message |= {"type": "track", "event": "Product Viewed"}
        message["properties"] = {"product_id": f"N-{product}", "price": rng.randrange(99_999) / 100}
    return message


def server_message(rng: random.Random, number: int) -> dict[str, object]:
    """A message as the Python and Node SDKs send it; some are identifies."""
    message: dict[str, object] = {
        "messageId": f"{rng.getrandbits(128):032x}",
        "timestamp": f"2026-03-{1 + number % 28:02d}T11:{number % 60:02d}:30.123456+00:00",
        "userId": f"musteri-{number % 50_000}",
        "type": "track",
        "event": "Order Completed",
        "properties": {"order_id": f"S{number}", "total": rng.randrange(999_999) / 100, "currency": "TRY"},
        "context": {"library": {"name": "analytics-python", "version": "2.3.4"}},
    }
    if number % 10 == 0:
        del message["event"], message["properties"]
        traits = {"email": f"musteri{number % 50_000}@example.com", "first_name": "Ayşe", "city": "İzmir"}
        message |= {"type": "identify", "traits": traits}
    return message


def fill(log: Log, messages: int) -> int:
    """Write the messages into the log; return the bytes of an average one."""
    rng = random.Random(4711)
    size = 0
    entries: list[Entry] = []
    for start in range(0, messages, BATCH):
        make = browser_message if start // BATCH % 2 else server_message
        parts = [json.dumps(make(rng, start + i)).encode() for i in range(BATCH)]
        packed = pack(parts, b'"2026-03-30T12:00:00.000Z"')
        size += len(packed.body)
        entries.append(Entry("web", "batch", 1_774_872_001_000_000, packed.messages, packed.body))
        if len(entries) == 500:
            log.append(entries)
            entries = []
    if entries:
        log.append(entries)
    return size // messages


def load_all(log: Log, vault: Vault, folder: Path, number: int) -> tuple[float, DuckDBWarehouse]:
    """Load the whole log into a new warehouse; return the seconds it took."""
    warehouse = DuckDBWarehouse(folder / f"warehouse-{number}.duckdb")
    warehouse.create(TABLES)
    known = KnownMessages(warehouse)
    ahead = ReadAhead(log, CHUNK_BODIES, CHUNK_SIZE)
    position = 0
    started = time.monotonic()
    while (bodies := ahead.read(position)).num_rows:
        position = bodies["position"][-1].as_py()
        prepared = prepare(warehouse, bodies, known, vault)
        with warehouse.transaction():
            keep(warehouse, prepared)
            warehouse.set_marks(Marks(position))
        known.add(prepared.keys)
    return time.monotonic() - started, warehouse


def main() -> int:
    """Measure; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(f"sqlite:///{folder / 'store.db'}")
        keys = KeyRing(store.data_keys, MasterKey(secrets.token_bytes(32)))
        log = open_log(f"sqlite:///{folder / 'log.db'}", DayKeys(keys))
        size = fill(log, options.messages)
        rates, costs = [], []
        for number in range(options.rounds + 1):
            # A vault of its own, or the second round would find all values sealed already.
            fresh = open_store(f"sqlite:///{folder / f'store-{number}.db'}")
            vault = Vault(fresh.sealed_values, KeyRing(fresh.data_keys, MasterKey(secrets.token_bytes(32))))
            spent = time.process_time()
            seconds, warehouse = load_all(log, vault, folder, number)
            spent = time.process_time() - spent
            counted = warehouse.query(
                "SELECT count(*) AS n, count(DISTINCT message_id) AS d FROM events"
            ).to_pylist()[0]
            ledger = warehouse.query("SELECT loaded, quarantined, duplicate FROM ledger").to_pylist()[0]
            warehouse.close()
            fresh.close()
            right = counted["n"] == counted["d"] == ledger["loaded"] == options.messages
            if not right:
                print(f"log to events: WRONG, {options.messages} messages became {counted} {ledger}")
                return 1
            if number:  # the first one warms up
                rates.append(options.messages / seconds)
                costs.append(1_000_000 * spent / options.messages)
        rate = statistics.median(rates)
        print(
            f"log to typed, deduplicated, sealed events: {rate:,.0f} events/s of {size} bytes"
            f" (bar: >= {BAR:,}; rounds {', '.join(f'{r:,.0f}' for r in rates)};"
            f" {statistics.median(costs):.1f} s of CPU a million)"
        )
    return 0 if rate >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
