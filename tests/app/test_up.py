"""`tekil up` as whoever runs it meets it: parts that die, signals, ports that are taken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tekil.app.serving import LOOP_DIED
from tests.running_tekil import Running, eventually, found, is_alive, running, tekil


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("up")) as started:
        yield started


def test_the_collector_loads_nothing_that_only_the_engine_needs() -> None:
    program = "import sys, tekil.cli.up, tekil.app.collector; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert "tekil.collect" in modules
    assert not modules & {"tekil.warehouse", "tekil.engine", "tekil.console", "tekil.api", "tekil.library"}
    assert not modules & {"duckdb", "litestar", "altair", "sqlglot", "uvicorn", "httpx", "pyspark"}


@pytest.mark.slow
def test_a_part_that_dies_is_started_again_and_nothing_is_lost(up: Running) -> None:
    up.send("track", event="Before", userId="u1")
    for name in ("collector", "engine"):
        before = up.part(name)
        os.kill(before, signal.SIGKILL)
        eventually(lambda before=before: not is_alive(before))
        after = eventually(lambda name=name, before=before: up.part(name) != before and up.part(name))
        assert is_alive(after)
    up.wait_until_ready()
    up.send("track", event="After", userId="u1")
    assert up.wait_until_loaded()["loaded"] == 2
    assert "The collector ended (exit code -9)" in up.said
    assert "The engine ended (exit code -9)" in up.said


@pytest.mark.slow
def test_a_second_tekil_in_the_same_place_is_told_which_port_is_taken(up: Running) -> None:
    second = tekil(up.folder, "up")
    assert second.returncode == 1
    assert "collect.port in tekil.toml" in second.stderr
    assert "Traceback" not in second.stderr
    only = tekil(up.folder, "up", "--only", "engine")
    assert only.returncode == 1
    assert "console.port in tekil.toml" in only.stderr


def test_only_this_machines_user_can_read_the_local_key(up: Running) -> None:
    key = up.folder / "data" / "local.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(tekil(up.folder, "status", "--json").stdout)["running"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_all_of_it_told_to_stop_at_once_stops_quietly(tmp_path: Path, number: int) -> None:
    with running(tmp_path) as started:
        parts = [started.part(name) for name in ("collector", "engine")]
        # As systemd does it: everybody gets the signal, and the supervisor last.
        for pid in parts:
            os.kill(pid, number)
        assert started.stop(number) == 0
        assert not any(is_alive(pid) for pid in parts)
        assert "starting it again" not in started.said
        assert "Traceback" not in started.said
        assert started.said.count("has stopped") == 3


@pytest.mark.slow
def test_no_part_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    with running(tmp_path) as started:
        parts = [started.part(name) for name in ("collector", "engine")]
        started.stop(signal.SIGKILL)
        eventually(lambda: not any(is_alive(pid) for pid in parts))


DYING = """
import sys
from pathlib import Path
from tekil import config
from tekil.app import serving
from tekil.engine import Engine

def die(self, stop, on_error):
    stop.wait(float(sys.argv[2]))
    raise RuntimeError("a bug of ours")

Engine.run = die
serving.run(config.load(Path(sys.argv[1])), lambda text: print(text, file=sys.stderr))
"""


@pytest.mark.parametrize("seconds", ["0", pytest.param("2", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_an_engine_whose_loop_dies_ends_the_process(tmp_path: Path, seconds: str) -> None:
    # Before the console is up, and while it serves: the process must be gone, for it holds the warehouse.
    found(tmp_path)
    command = [sys.executable, "-c", DYING, str(tmp_path), seconds]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == LOOP_DIED, ended.stderr
    assert "RuntimeError: a bug of ours" in ended.stderr
