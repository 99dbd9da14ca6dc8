"""When something of ours is down: 503 with `Retry-After`, nothing half-written, and recovery by itself."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tekil.collect import serve
from tekil.errors import Misconfigured
from tests.collect.running import HOST, Answer, Collector, running
from tests.conftest import missing


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector whose log these tests lock; each leaves it as well as it was."""
    with running(tmp_path_factory.mktemp("outages")) as collector:
        yield collector


def post_together(collector: Collector, count: int, size: int = 10) -> list[Answer]:
    """Send some messages at the same time."""
    answers: list[Answer] = []

    def send(number: int) -> None:
        answers.append(collector.post("/v1/track", {"number": number, "text": "x" * size}))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def assert_unavailable(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "log_unavailable"), answer
    assert int(answer.headers["retry-after"]) >= 1


def test_a_locked_log_is_waited_for_then_503_then_all_is_well(own: Collector) -> None:
    after = own.log.head()
    other = sqlite3.connect(own.folder / "log.db", isolation_level=None)
    other.execute("begin immediate")
    answers = post_together(own, 5)
    assert len(answers) == 5
    for answer in answers:
        assert_unavailable(answer)
    other.execute("rollback")
    other.close()
    assert own.post("/v1/track", {"after": True}).status == 200
    assert own.messages(after) == [{"after": True}]
    assert [c.waiting for c in own.log.counts(after)] == [1]


def test_a_lock_held_for_a_moment_is_not_noticed(own: Collector) -> None:
    other = sqlite3.connect(own.folder / "log.db", isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    timer = threading.Timer(0.5, lambda: other.execute("rollback"))
    timer.start()
    assert own.post("/v1/track", {"patient": True}).status == 200
    timer.join()
    other.close()


def test_a_log_that_may_not_grow_refuses_whole_commits_and_recovers(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: SQLite hears the same kind of no."""

    def limit() -> None:
        # Ignored, or the kernel ends the process where a full disk would give an error.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))

    with running(tmp_path, preexec_fn=limit) as own:
        fill_until_refused(own)
        assert own.process is not None
        resource.prlimit(own.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert own.post("/v1/track", {"number": -1}).status == 200
        assert own.messages()[-1] == {"number": -1}


def fill_until_refused(own: Collector) -> None:
    """Send until the door says 503, and check that the log holds exactly what was answered 200."""
    kept = 0
    for _ in range(400):
        answers = post_together(own, 4, size=20_000)
        kept += sum(answer.status == 200 for answer in answers)
        refused = [answer for answer in answers if answer.status != 200]
        if refused:
            break
    else:
        raise AssertionError("The log never filled.")
    for answer in refused:
        assert_unavailable(answer)
    assert len(own.messages()) == kept
    assert [count.accepted for count in own.log.counts(0)] == [kept]


@pytest.mark.slow
def test_a_full_disk_refuses_whole_commits_and_recovers(tmp_path: Path) -> None:
    mount = shutil.which("mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    if mount is None or os.geteuid() != 0:
        missing("a small disk to fill: mounting a tmpfs needs root")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        missing("a small disk to fill: this system does not let root mount a tmpfs")
    try:
        with running(disk) as own:
            ballast = disk / "ballast"
            ballast.write_bytes(b"\0" * 1_000_000)
            fill_until_refused(own)
            ballast.unlink()
            assert own.post("/v1/track", {"number": -1}).status == 200
            assert own.messages()[-1] == {"number": -1}
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_is_in_flight_is_answered_before_the_door_closes(tmp_path: Path) -> None:
    with running(tmp_path) as own:
        head = f"POST /v1/track HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {own.key}\r\n".encode()
        address = HOST, own.port
        with socket.create_connection(address) as idle, socket.create_connection(address) as busy:
            idle.sendall(head + b"Content-Length: 2\r\n\r\n{}")
            assert idle.recv(65536).startswith(b"HTTP/1.1 200")
            busy.sendall(head + b'Content-Length: 13\r\n\r\n{"last"')
            time.sleep(0.3)
            assert own.process is not None
            own.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            busy.sendall(b":true}")
            assert busy.recv(65536).startswith(b"HTTP/1.1 200")
            assert own.process.wait(timeout=15) == 0
        assert own.messages() == [{}, {"last": True}]


def test_a_port_that_is_taken_is_named(own: Collector) -> None:
    with pytest.raises(Misconfigured, match=f"{own.port}.*collect.port"):
        serve(own.log, own.store.keys, host=HOST, port=own.port)
