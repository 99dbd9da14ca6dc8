"""However many signals come, and whenever: the program ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import sys, threading
from tekil.app.signals import on_ending

stop, times, over = threading.Event(), [], []
def end():
    times.append(1)
    stop.set()
on_ending(end)
threading.Thread(target=lambda: over.append(sys.stdin.read())).start()
print("ready", flush=True)
# Nothing but taking the event's lock, so that signals find it held far more often than in real life.
while not over or not stop.is_set():
    stop.wait(0.00001)
assert times == [1]
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_storm_of_signals_ends_a_program_once(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            for _ in range(150):
                process.send_signal(number)
                time.sleep(0.002)
            process.stdin.close()
            assert process.wait(10) == 0
        finally:
            process.kill()
