"""Searches: one at a time, begun by hand or by the policy's hours, each kept with how it ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tekil.access.audit import SYSTEM, Act, Actor
from tekil.definitions import Definition, InvalidDefinitions, Written, apply
from tekil.errors import Unavailable
from tekil.identifiers import LinksSpec, Policy, PolicySpec
from tekil.identity import IdentityDesk
from tekil.kinds import KINDS
from tekil.links import LinkDesk, LinkSearch
from tekil.links.search import HOUR_US, LOOK_US
from tekil.store.links import RUNS_KEPT, LinkRun
from tests.installation import Installation


class Clock:
    """Says what the test says."""

    now = 1_000 * HOUR_US

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.close()
    made.store.close()


def search_of(town: Installation, clock: Clock) -> LinkSearch:
    identity = IdentityDesk(town.log, town.warehouse, town.store, town.vault)
    desk = LinkDesk(town.log, town.warehouse, town.store, town.vault, identity)
    return LinkSearch(desk, town.store, clock)


def let_search(town: Installation, every_hours: int) -> None:
    spec = {"links": {"every_hours": every_hours}}
    apply(town.store, KINDS, [Written(Definition("identity", "identity", spec=spec))], author="test")


def wait_for_it() -> None:
    for thread in threading.enumerate():
        if thread.name == "links":
            thread.join()


def starts(town: Installation) -> list[int]:
    wait_for_it()
    last = town.store.link_runs.last()
    return [] if last is None else [last.started_at]


def test_searches_begin_by_themselves_as_often_as_the_policy_says(town: Installation) -> None:
    clock = Clock()
    search, begun = search_of(town, clock), clock.now
    assert not search.step()
    assert starts(town) == []
    let_search(town, every_hours=2)
    assert not search.step()
    assert starts(town) == [], "it is looked once a minute"
    clock.now += LOOK_US
    search.step()
    assert starts(town) == [begun + LOOK_US]
    clock.now += 2 * HOUR_US - LOOK_US
    search.step()
    assert starts(town) == [begun + LOOK_US]
    clock.now += LOOK_US
    search.step()
    assert starts(town) == [begun + LOOK_US + 2 * HOUR_US]
    assert [entry.actor for entry in town.store.audit.entries() if entry.act == Act.IDENTITY_SAID] == [
        SYSTEM.name
    ] * 2


def test_a_search_that_is_told_to_stop_ends_and_says_so(town: Installation) -> None:
    let_search(town, every_hours=2)
    search = search_of(town, Clock())
    search.close()
    with pytest.raises(Unavailable):
        search.run(Actor("user", "ayse"))
    last = town.store.link_runs.last()
    assert last is not None
    assert last.started_by == "ayse"
    assert last.ended_at is not None
    assert "stopping" in last.error
    assert search.progress().step == ""
    # Begun aside, nobody hears it fail; the next one may begin.
    search.start(SYSTEM)
    wait_for_it()
    search.start(SYSTEM)
    wait_for_it()


def test_only_the_newest_searches_are_kept(town: Installation) -> None:
    runs = town.store.link_runs
    numbers = [runs.add(LinkRun(at, "x")) for at in range(RUNS_KEPT + 3)]
    runs.end(numbers[-1], LinkRun(7, "x", ended_at=9, people=4))
    assert runs.last() == LinkRun(7, "x", ended_at=9, people=4)
    with runs._begin() as connection:
        count = connection.exec_driver_sql("select count(*) from link_runs").scalar_one()
    assert count == RUNS_KEPT


def test_how_often_it_is_searched_changes_nobody(town: Installation) -> None:
    often = Policy(PolicySpec(links=LinksSpec(every_hours=1, review=2.0)))
    seldom = Policy(PolicySpec(links=LinksSpec(every_hours=48)))
    assert often.digest == seldom.digest
    assert often.digest != Policy(PolicySpec(links=LinksSpec(accept=9.0))).digest
    assert often.digest != Policy().digest
    with pytest.raises(InvalidDefinitions):
        let_search(town, every_hours=0)
