"""A test of the fast lane that takes too much of a processor is named, or fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pace import LANE_SECONDS, NAMED_SECONDS, told

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import time
def burn():
    end = time.process_time() + 0.05
    while time.process_time() < end: pass
def test_dear(): burn()
def test_late(): time.sleep(0.06)
"""
PLUGIN = """
from tests import pace
pace.REFUSED_SECONDS = 0.04
def pytest_configure(config):
    config.pluginmanager.register(pace.Pace())
"""


def test_what_takes_too_much_fails_and_waiting_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(TESTS)
    (tmp_path / "paced.py").write_text(PLUGIN)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "paced", "-p", "no:cacheprovider"),
            *("--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed" in run.stdout.splitlines()[-1], run.stdout
    assert "test_dear" in run.stdout.splitlines()[-2]


@pytest.mark.parametrize(("total", "lines"), [(LANE_SECONDS, 1), (LANE_SECONDS + 1, 2)])
def test_a_lane_that_takes_too_much_says_where_to_read_on(total: float, lines: int) -> None:
    said = told({"test_cheap": NAMED_SECONDS}, total)
    assert len(said) == lines
    assert ("0060" in said[-1]) is (lines == 2)


def test_the_dearest_is_named_first() -> None:
    said = told({"test_a": NAMED_SECONDS + 1, "test_b": NAMED_SECONDS + 2, "test_c": 0.1}, 10.0)
    assert [line.split()[-1] for line in said[-2:]] == ["test_b", "test_a"]
