"""The log read ahead gives what the log holds, whoever writes it meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tekil.load import ReadAhead
from tekil.log import Entry, Log, open_log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return open_log(f"sqlite:///{tmp_path / 'log.db'}")


def say(log: Log, *bodies: bytes) -> None:
    log.append([Entry("web", "track", 0, 1, body) for body in bodies])


def drained(ahead: ReadAhead, after: int = 0) -> list[str]:
    told: list[str] = []
    while (found := ahead.read(after)).num_rows:
        told += found["body"].to_pylist()
        after = found["position"][-1].as_py()
    return told


@pytest.mark.parametrize(("bodies", "size"), [(2, 1 << 20), (100, 8), (100, 1 << 20)])
def test_everything_is_read_once_and_in_order_however_small_the_helpings(
    log: Log, bodies: int, size: int
) -> None:
    told = [f"body {number}" for number in range(7)]
    say(log, *(text.encode() for text in told))
    assert drained(ReadAhead(log, bodies, size)) == told


def test_what_comes_in_while_a_helping_is_read_ahead_is_read_next(log: Log) -> None:
    say(log, b"1", b"2", b"3")
    ahead = ReadAhead(log, 2, 1 << 20)
    first = ahead.read(0)
    say(log, b"4")
    assert drained(ahead, first["position"][-1].as_py()) == ["3", "4"]


def test_whoever_goes_back_is_given_what_lies_there(log: Log) -> None:
    """A cycle that failed begins again from where the last commit left it."""
    say(log, b"1", b"2", b"3")
    ahead = ReadAhead(log, 2, 1 << 20)
    ahead.read(0)
    assert ahead.read(0)["body"].to_pylist() == ["1", "2"]


def test_what_was_changed_in_the_log_is_read_changed(log: Log) -> None:
    say(log, b"1", b"2", b"3")
    ahead = ReadAhead(log, 2, 1 << 20)
    last = ahead.read(0)["position"][-1].as_py()
    third = log.read(last, 1)["position"][0].as_py()
    ahead.forget()
    log.rewrite([third], lambda _at, _body: b"nobody")
    assert ahead.read(last)["body"].to_pylist() == ["nobody"]
