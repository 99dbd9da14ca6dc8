"""A cycle cut off at every statement, in the warehouse and in the store: the next engine resumes exactly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tekil.engine import Engine
from tekil.store import open_store
from tekil.verification import verify
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.installation import Installation


class Crash(BaseException):
    """The process is gone."""


class Fuse:
    """Burns out before the n-th statement; `left` is none while it is not armed."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.burnt_at = ""

    def burn(self, statement: object) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0:
            self.left = None
            self.burnt_at = " ".join(getattr(statement, "query", str(statement)).split())[:80]
            raise Crash(self.burnt_at)


class FusedConnection:
    """DuckDB's connection behind a fuse: it may burn before a statement, and right after a commit."""

    def __init__(self, connection: Any, fuse: Fuse) -> None:
        self._connection, self._fuse = connection, fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *more: Any) -> Any:
        if sql == "ROLLBACK":
            return self._connection.execute(sql)
        self._fuse.burn(sql)
        done = self._connection.execute(sql, *more)
        if sql == "COMMIT":
            self._fuse.burn("after the commit")
        return done

    def sql(self, sql: str, **more: Any) -> Any:
        self._fuse.burn(sql)
        return self._connection.sql(sql, **more)


class Crashing:
    """An installation in files whose process can be cut off anywhere and started again."""

    def __init__(self, folder: Path) -> None:
        self.fuse = Fuse()
        self.path = folder / "warehouse.duckdb"
        self.store = open_store(f"sqlite:///{folder / 'store.db'}")
        engine = self.store._engine
        event.listen(engine, "before_cursor_execute", lambda *told: self.fuse.burn(told[2]))
        event.listen(engine, "commit", lambda _: self.fuse.burn("the store's commit"))
        self.installation = Installation(folder, store=self.store, warehouse=self._open())

    def _open(self) -> DuckDBWarehouse:
        warehouse = DuckDBWarehouse(self.path)
        warehouse._connection = FusedConnection(warehouse._connection, self.fuse)  # type: ignore[assignment]
        return warehouse

    def start_again(self) -> None:
        """Open the files as a new process would, and recover."""
        installation = self.installation
        installation.warehouse.close()
        installation.warehouse = self._open()
        installation.engine = Engine(
            installation.log,
            installation.warehouse,
            self.store,
            installation.engine.models,
            installation.vault,
            clock=lambda: installation.now,
        )
        installation.engine.recover()

    @contextmanager
    def cut_off_at(self, number: int) -> Iterator[list[str]]:
        """Burn the fuse at the `number`-th statement of the block; the list then holds which one that was."""
        burnt: list[str] = []
        self.fuse.left = number
        try:
            yield burnt
        except Crash as crash:
            burnt.append(str(crash))
        finally:
            self.fuse.left = None


def say_a_bit_of_everything(installation: Installation, turn: int) -> int:
    """New people, one who joins two, a duplicate, a record, and nonsense. Return how many messages."""
    user, browser = f"u{turn}", f"a{turn}"
    messages: list[Any] = [
        {
            "type": "page",
            "anonymousId": browser,
            "messageId": f"{turn}-1",
            "context": {"page": {"url": "https://a.example/?utm_source=x"}},
        },
        {
            "type": "identify",
            "userId": user,
            "messageId": f"{turn}-2",
            "traits": {"name": "Ayşe", "turn": turn},
        },
        {"type": "track", "event": "A", "userId": user, "anonymousId": browser, "messageId": f"{turn}-3"},
        # Joins everybody of every turn's first cookie: the merged-away lose their cards each time.
        {
            "type": "track",
            "event": "B",
            "userId": user,
            "anonymousId": f"a{turn // 5}",
            "messageId": f"{turn}-4",
        },
        {"type": "track", "event": "A", "userId": user, "messageId": f"{turn}-3"},
        {
            "type": "record",
            "object": "order",
            "key": {"id": turn},
            "fields": {"total": 1},
            "messageId": f"{turn}-5",
        },
        {"type": "nonsense", "userId": user},
    ]
    installation.say(*messages)
    return len(messages)


def crash_everywhere(folder: Path, stride: int) -> list[str]:
    """Cut a cycle off at its 1st statement, the next one at its 1 + stride-th …; return where that was."""
    crashing = Crashing(folder)
    installation = crashing.installation
    said, where = 0, []
    for turn in itertools.count():
        said += say_a_bit_of_everything(installation, turn)
        installation.pass_time(hours=7)
        with crashing.cut_off_at(1 + turn * stride) as burnt:
            installation.engine.step()
        crashing.start_again()
        installation.run()
        outcome = verify(installation.engine)
        assert outcome.holds, (burnt, outcome)
        ledger = installation.rows("SELECT loaded, quarantined, duplicate FROM ledger")[0]
        assert ledger == {"loaded": said // 7 * 5, "quarantined": said // 7, "duplicate": said // 7}, burnt
        if not burnt:
            break
        where += burnt
    installation.close()
    crashing.store.close()
    return where


def test_a_cycle_cut_off_anywhere_is_as_if_it_had_not_been(tmp_path: Path) -> None:
    where = crash_everywhere(tmp_path, stride=29)
    assert len(where) > 1


@pytest.mark.slow
def test_a_cycle_cut_off_at_every_statement_is_as_if_it_had_not_been(tmp_path: Path) -> None:
    where = crash_everywhere(tmp_path, stride=1)
    assert "COMMIT" in where
    assert "after the commit" in where
    assert "the store's commit" in where
    assert len(where) > 60


@pytest.mark.parametrize("at", ["the first statement", "the middle", "the end"])
def test_a_rebuild_cut_off_is_done_anew(tmp_path: Path, at: str) -> None:
    crashing = Crashing(tmp_path)
    installation = crashing.installation
    say_a_bit_of_everything(installation, 0)
    installation.run()
    with crashing.cut_off_at(10_000):
        crashing.fuse.left = counted = 10_000
        installation.engine.rebuild()
        counted -= crashing.fuse.left or 0
    number = {"the first statement": 1, "the middle": counted // 2, "the end": counted - 1}[at]
    with crashing.cut_off_at(number) as burnt:
        installation.engine.rebuild()
    assert burnt
    crashing.start_again()
    installation.run()
    assert verify(installation.engine).holds
    installation.close()
    crashing.store.close()
