"""Group commit: who waits goes on once the disk has it, or hears why it has not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tekil.collect.commits import WAITING_MAX, Commits
from tekil.errors import Unavailable
from tekil.log import Entry, Log, open_log

ENTRY = Entry("web", "track", 1, 1, b"{}")


class Held:
    """A log that somebody holds for as long as is said: nothing at once, everything by waiting."""

    def __init__(self, log: Log) -> None:
        self.log, self.is_held, self.waited = log, True, 0

    def append_at_once(self, entries: Sequence[Entry]) -> int | None:
        return None if self.is_held else self.log.append_at_once(entries)

    def append(self, entries: Sequence[Entry]) -> int:
        self.waited += 1
        return self.log.append(entries)


@pytest.fixture
def log(tmp_path):
    log = open_log(f"sqlite:///{tmp_path}/log.db")
    yield log
    log.close()


def with_commits(log, story) -> None:
    async def run() -> None:
        commits = Commits(log, asyncio.get_running_loop())
        try:
            await story(commits)
        finally:
            commits.close()

    asyncio.run(run())


def test_all_of_one_turn_share_a_commit(log) -> None:
    async def story(commits: Commits) -> None:
        batches = [commits.keep(ENTRY) for _ in range(50)]
        assert len(set(map(id, batches))) == 1

        async def wait(batch) -> int:
            await batch
            return log.read(0, 100).num_rows

        assert await asyncio.gather(*map(wait, batches)) == [50] * 50

    with_commits(log, story)


def test_a_held_log_is_waited_for_by_the_thread_and_the_next_goes_at_once_again(log) -> None:
    held = Held(log)

    async def story(commits: Commits) -> None:
        await commits.keep(ENTRY)
        assert (held.waited, log.read(0, 10).num_rows) == (1, 1)
        held.is_held = False
        await commits.keep(ENTRY)
        assert (held.waited, log.read(0, 10).num_rows) == (1, 2)

    with_commits(held, story)


@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize(
    ("failure", "told"),
    [(Unavailable("The disk is full."), "disk is full"), (ValueError("?"), "send this again")],
)
def test_who_waits_hears_why_nothing_was_kept(log, monkeypatch, is_held, failure, told) -> None:
    held = Held(log)
    held.is_held = is_held

    def fail(_entries) -> int:
        raise failure

    monkeypatch.setattr(log, "append" if is_held else "append_at_once", fail)

    async def story(commits: Commits) -> None:
        waiting = [asyncio.ensure_future(_wait(commits)) for _ in range(3)]
        for one in waiting:
            with pytest.raises(Unavailable, match=told):
                await one
        monkeypatch.undo()
        await commits.keep(ENTRY)
        assert log.read(0, 10).num_rows == 1

    with_commits(held, story)


async def _wait(commits: Commits) -> None:
    await commits.keep(ENTRY)


def test_a_task_that_is_cancelled_while_it_waits_ends_as_cancelled_and_the_body_is_kept(log) -> None:
    async def story(commits: Commits) -> None:
        task = asyncio.ensure_future(_wait(commits))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await commits.keep(ENTRY)
        assert log.read(0, 10).num_rows == 2

    with_commits(log, story)


def test_who_comes_too_late_to_wait_is_not_kept_waiting(log) -> None:
    async def story(commits: Commits) -> None:
        batch = commits.keep(ENTRY)
        await batch
        await batch
        assert batch.get_loop() is asyncio.get_running_loop()

    with_commits(log, story)


def test_more_than_may_wait_is_refused_at_once(log) -> None:
    async def story(commits: Commits) -> None:
        for _ in range(WAITING_MAX):
            batch = commits.keep(ENTRY)
        with pytest.raises(Unavailable, match="Nothing was kept") as caught:
            commits.keep(ENTRY)
        assert caught.value.code == "busy"
        await batch
        await commits.keep(ENTRY)
        assert log.read(0, 10_000).num_rows == WAITING_MAX + 1

    with_commits(log, story)
