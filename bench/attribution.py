"""Bar: the data-driven models over a million paths take at most 10 s.

Run: python bench/attribution.py. Paths are drawn from a market of ten channels with effects of their own, of
one to nine touches; counted, then shared out by Markov (order 1 and 2) and Shapley, each with its hundred
bootstrap rounds. CPU seconds, because whoever else is on the machine is not our concern.
"""

from __future__ import annotations

import os
import sys
import time

# Threads that wait for one another would be counted as work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from tekil.acquisition.learned import learn_markov, learn_shapley
from tekil.acquisition.paths import gather, starts_of

BAR = 10.0
PATHS = 1_000_000
CHANNELS = 10


def main() -> int:
    """Measure; return 1 where the bar is missed."""
    rng = np.random.default_rng(1)
    starts = starts_of(np.minimum(rng.geometric(0.4, PATHS), 9))
    codes = rng.choice(CHANNELS, starts[-1], p=np.arange(1, CHANNELS + 1) / 55)
    odds = np.add.reduceat(np.linspace(0.01, 0.1, CHANNELS)[codes], starts[:-1])
    is_converted = rng.random(PATHS) < odds
    began = time.process_time()
    paths = gather(tuple(f"channel {i}" for i in range(CHANNELS)), codes, starts, is_converted)
    counted = time.process_time()
    print(f"{PATHS:,} paths, {paths.count:,} distinct: counted in {counted - began:.2f} s")
    for name, learn in (
        ("markov, order 1", lambda: learn_markov(paths)),
        ("markov, order 2", lambda: learn_markov(paths, 2)),
        ("shapley", lambda: learn_shapley(paths)),
    ):
        before = time.process_time()
        learned = learn()
        took, widest = time.process_time() - before, (learned.high - learned.low).max()
        print(f"{name:16} {took:5.2f} s, widest interval {widest:.4f}")
    took = time.process_time() - began
    print(f"all: {took:.2f} s of CPU, bar {BAR:.0f} s: {'held' if took <= BAR else 'MISSED'}")
    return int(took > BAR)


if __name__ == "__main__":
    sys.exit(main())
