"""Bar: a search for links among 1M people in 60 s on two cores; memory stated.

Run: python bench/links.py [--thousands 100 1000]. People are made with names as frequent as names are, a
birthday, a city, a telephone and an address; one in twenty is there twice, mistyped here and there. Timed is
what comes after reading: training, blocking, weighing. Afterwards the pairs are held against what was made.
Memory is the process's largest, what was made included.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import pyarrow as pa

from tekil.links.matching import find_pairs

BAR_SECONDS = 60.0
PRECISION_MIN, RECALL_MIN = 0.98, 0.3
ACCEPT = 8.0


def people(count: int, seed: int = 7) -> tuple[pa.Table, np.ndarray]:
    """Return rows to compare, and of each row the number of whoever it truly is."""
    rng = np.random.default_rng(seed)
    own = int(count / 1.05)
    who = np.concatenate([np.arange(own), rng.choice(own, count - own, replace=False)])
    first = _word(np.minimum(rng.zipf(1.3, own), 3_000), "f")[who]
    last = _word(np.minimum(rng.zipf(1.2, own), 30_000), "s")[who]
    days = np.datetime64("1950-01-01") + rng.integers(0, 20_000, own)
    birthday = days.astype(str).astype(object)[who]
    phone = np.char.zfill(rng.integers(0, 9_999_999, own).astype(str), 7).astype(object)[who]
    city = _word(rng.integers(0, 81, own), "c")[who]
    is_again = np.arange(count) >= own
    mistyped = is_again & (rng.random(count) < 0.2)
    last[mistyped] = [name[:-1] + "x" for name in last[mistyped]]
    birthday[rng.random(count) < 0.3] = None
    phone[(rng.random(count) < 0.4) | is_again & (rng.random(count) < 0.5)] = None
    columns = {"first_name": first, "last_name": last, "birthday": birthday, "phone": phone, "city": city}
    table = pa.table(
        {"unique_id": np.arange(count), **{n: pa.array(c, pa.string()) for n, c in columns.items()}}
    )
    return table, who


def _word(numbers: np.ndarray, salt: str) -> np.ndarray:
    """Return words that look like names and are no more alike than these."""
    letters = np.array(list("abcdefghiklmnoprstuvyz"), dtype=object)
    distinct, places = np.unique(numbers, return_inverse=True)
    words = []
    for number in distinct.tolist():
        rng = np.random.default_rng([number, ord(salt)])
        words.append("".join(rng.choice(letters, rng.integers(4, 10))))
    return np.array(words, dtype=object)[places]


def measure(count: int) -> bool:
    """Print a line for a size; return whether it is right, and within the bar."""
    table, who = people(count)
    started, spent = time.monotonic(), time.process_time()
    pairs = find_pairs(table, 4.0, 100)
    seconds, cpu = time.monotonic() - started, time.process_time() - spent
    linked = [pair for pair in pairs if pair.weight >= ACCEPT]
    right = sum(who[pair.left] == who[pair.right] for pair in linked)
    precision, recall = right / max(len(linked), 1), right / (count - len(np.unique(who)))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    is_right = precision >= PRECISION_MIN and recall >= RECALL_MIN
    print(
        f"links, {count:,} people: {seconds:.1f} s, CPU {cpu:.1f} s, {most:.1f} GB at most;"
        f" {len(pairs):,} pairs, {len(linked):,} linked, precision {precision:.4f}, recall {recall:.4f}"
        f" (bar {BAR_SECONDS:.0f} s at 1M)",
        flush=True,
    )
    return is_right and seconds <= BAR_SECONDS


def main() -> int:
    """Return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--thousands", type=int, nargs="+", default=[100, 1_000])
    sizes = parser.parse_args().thousands
    return 0 if min(list(map(measure, (size * 1_000 for size in sizes)))) else 1


if __name__ == "__main__":
    sys.exit(main())
