"""What the SQLite log promises of its own."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from tekil.errors import Unavailable
from tekil.log import Entry, open_log
from tekil.log.sqlite import BUSY_TIMEOUT_MS

ENTRY = Entry("web", "track", 1, 1, b"{}")


def test_a_log_held_by_another_process_is_unavailable_until_it_lets_go(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db")
    other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    other.execute("begin immediate")
    begin = time.monotonic()
    with pytest.raises(Unavailable, match="nothing was half-written"):
        log.append([ENTRY])
    assert BUSY_TIMEOUT_MS / 1000 <= time.monotonic() - begin < BUSY_TIMEOUT_MS / 1000 + 2
    other.execute("rollback")
    other.close()
    assert log.append([ENTRY]) == log.head() > 0
    log.close()


def test_every_commit_is_synced(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db")
    assert log._writer.execute("pragma journal_mode").fetchone() == ("wal",)  # type: ignore[attr-defined]
    assert log._writer.execute("pragma synchronous").fetchone() == (2,)  # type: ignore[attr-defined]
    log.close()


def test_reads_that_stop_early_do_not_let_the_write_ahead_log_grow(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db")
    for _ in range(30):
        log.append([Entry("web", "track", 1, 1, b"x" * 200_000) for _ in range(5)])
        assert log.read(0, 100, size=1).num_rows == 1
    assert (tmp_path / "log.db-wal").stat().st_size < 10_000_000
    log.close()


def test_a_file_that_is_no_log_is_unavailable_to_readers(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_log(f"sqlite:///{tmp_path}/log.db")


def test_what_is_held_by_another_is_not_waited_for_when_at_once_is_asked(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db")
    other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    other.execute("begin immediate")
    begin = time.monotonic()
    assert log.append_at_once([ENTRY]) is None
    assert time.monotonic() - begin < 0.5
    other.execute("rollback")
    other.close()
    assert log.append_at_once([ENTRY]) == log.head() > 0
    log.close()


def test_no_file_keeps_a_copy_of_what_was_rewritten(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db")
    # Long enough for pages of its own in the file, which are set free when the body shrinks.
    secret = b'{"batch":["' + b"SECRET-4711 " * 2_000 + b'"]}'
    log.append([ENTRY, Entry("web", "track", 1, 1, secret)])
    position = log.head()
    assert b"SECRET-4711" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert log.rewrite([position], lambda _at, _body: b'{"batch":[{}]}') == 1
    assert b"SECRET-4711" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert log.read(0, 10)["body"].to_pylist() == ["{}", '{"batch":[{}]}']
    log.close()


def test_a_reader_that_does_not_let_go_keeps_a_rewrite_from_being_done(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/log.db")
    log.append([ENTRY])
    reader = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from pages").fetchone()
    with pytest.raises(Unavailable, match="write-ahead log"):
        log.rewrite([log.head()], lambda _at, body: body.upper())
    reader.execute("commit")
    reader.close()
    assert log.rewrite([log.head()], lambda _at, body: body.upper()) == 1
    log.close()
