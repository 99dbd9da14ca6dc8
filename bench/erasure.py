"""Bar: one person is erased from 20 million events in at most 10 seconds, the proof's look-ups included.

Run: BENCH_EVENTS=20000000 BENCH_PEOPLE=400000 python bench/erasure.py. Some people of the long past say a few
more things through the log, so that there is something to empty there; then they are erased, one after the
other, and each proof must find nothing. Prints the slowest; afterwards what a sweep of the whole file takes.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import sys
import time
from pathlib import Path

from history import KEPT, PEOPLE, Place, opened, past, tell
from tekil.access.audit import SYSTEM
from tekil.engine import Engine
from tekil.erasure import Eraser
from tekil.log import Entry
from tekil.messages import pack

BAR = 10.0
ERASED = 5
SAID = 40


def talk(engine: Engine, person: int) -> None:
    """Let a person say some more, one message a body, as a browser does."""
    entries = []
    for number in range(SAID):
        said = {
            "type": "identify" if number == 0 else "track",
            "event": "Talked",
            "messageId": f"bench-{person}-{number}",
            "userId": f"u{person}",
            "traits": {"email": f"person-{person}@example.com", "name": f"Name {person}"},
        }
        packed = pack([json.dumps(said).encode()])
        entries.append(Entry("web", "track", time.time_ns() // 1000, packed.messages, packed.body))
    engine.log.append(entries)


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def erase(place: Place, person: int) -> tuple[float, float]:
    """Erase a person; return the seconds it took, and the CPU's."""
    started, burnt = time.monotonic(), cpu()
    proof = Eraser(place.engine).apply(f"user_id:u{person}", SYSTEM, "bench")
    took = time.monotonic() - started, cpu() - burnt
    assert proof.found == 0, proof.checked
    assert proof.removed["log"] == SAID, proof.removed
    tell(f"erased {proof.removed['warehouse.events']} events in {took[0]:.2f} s, {took[1]:.2f} s of CPU")
    return took


def main() -> int:
    folder = KEPT / f"erasure-{os.getpid()}"
    shutil.copytree(past(), folder)
    try:
        with opened(folder) as place:
            place.engine.recover()
            chosen = [PEOPLE * (i + 1) // (ERASED + 1) for i in range(ERASED)]
            for person in chosen:
                talk(place.engine, person)
            place.engine.drain()
            took = [erase(place, person) for person in chosen]
            sweep(place, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    slowest, median = max(wall for wall, _ in took), statistics.median(burnt for _, burnt in took)
    print(f"erasure of one person: slowest {slowest:.2f} s of {BAR:.0f} s, median {median:.2f} s of CPU")
    return 0 if slowest <= BAR else 1


def sweep(place: Place, folder: Path) -> None:
    started = time.monotonic()
    Eraser(place.engine).sweep()
    size = (folder / "warehouse.duckdb").stat().st_size
    tell(f"swept in {time.monotonic() - started:.1f} s; the file has {size / 2**30:.1f} GB now")


if __name__ == "__main__":
    sys.exit(main())
