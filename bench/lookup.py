"""Bar: a person by any identifier, p99 <= 5 ms, over the API, among 1M persons.

Run: python bench/lookup.py [--lookups 3000]. A real Tekil over the long past; one client asks for random
persons by user id, device and e-mail in turns, over one connection. Every answer must be the right person.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import time

from history import PEOPLE
from running import Running, running

BAR_MS = 5.0

FOUND_LEAST = 0.8
"""A customer with few events may never have told an address or used the first device."""


def main() -> int:
    """Measure; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lookups", type=int, default=3000)
    options = parser.parse_args()
    with running("lookup") as here:
        here.wait_until_quiet()
        ask_all(here, 300, seed=1)
        found, times = ask_all(here, options.lookups, seed=2)
    if found < FOUND_LEAST * options.lookups:
        raise SystemExit(f"Of {options.lookups:,} lookups only {found:,} found somebody.")
    times.sort()
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(
        f"lookup by any identifier: p50 {p50:.1f} ms, p99 {p99:.1f} ms (bar: <= {BAR_MS} ms),"
        f" {PEOPLE:,} persons"
    )
    return 0 if p99 <= BAR_MS else 1


def ask_all(here: Running, count: int, seed: int) -> tuple[int, list[float]]:
    """Look persons up; return how many were known, and the milliseconds that each took."""
    rng = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", here.console, timeout=30)
    times = []
    found = 0
    for number in range(count):
        person = rng.randrange(PEOPLE)
        reference = (f"user_id:u{person}", f"anonymous_id:b{person}-0", f"email:u{person}@example.com")[
            number % 3
        ]
        started = time.perf_counter()
        status, body = here.ask(connection, f"/v1/profiles/{reference}")
        times.append((time.perf_counter() - started) * 1000)
        found += status == 200
        known = {(i["kind"], i["value"]) for i in json.loads(body).get("identifiers", [])}
        if status != 404 and ("user_id", f"u{person}") not in known:
            raise SystemExit(f"asked for {reference} and got {status} {body[:200]!r}")
    return found, times


if __name__ == "__main__":
    sys.exit(main())
