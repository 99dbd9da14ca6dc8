"""The board of a chain: who is where, how they went on, whether goals are met, and who is stuck."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tekil.audience_reads import AudienceReads
from tekil.errors import NotFound
from tekil.stage_reads import StageReads, Step
from tests.installation import Installation
from tests.models.test_audiences import models_of
from tests.models.test_features import order
from tests.models.test_stages import CHAIN, chain, define

GOAL = {"goal": {"percent": 50, "within": "3 day"}, "stuck_after": "10 day", "title": {"tr": "Haberdar"}}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Four come; one buys twice on the next day, another on the fifth; two go on looking."""
    made = Installation(tmp_path_factory.mktemp("board"), defined=models_of)
    define(made, chain(CHAIN, aware=GOAL))
    made.say(*({"type": "page", "userId": f"u{n}"} for n in range(4)))
    made.run()
    made.pass_time(days=1)
    made.say(order("u0", 5), order("u0", 5))
    made.run()
    made.pass_time(days=4)
    made.say(order("u1", 5))
    made.run()
    made.pass_time(days=2)
    made.run()
    made.pass_time(days=4)
    made.say({"type": "page", "userId": "u2"}, {"type": "page", "userId": "u9"})
    made.run()
    yield made
    made.close()


@pytest.fixture
def stages(shop: Installation) -> StageReads:
    return StageReads(shop.reads, shop.store, AudienceReads(shop.reads, shop.store))


def test_the_board_counts_people_and_their_steps(stages: StageReads) -> None:
    (told,) = stages.all()
    assert (told.name, told.stages, told.people) == ("stage", list(CHAIN), 5)
    board = stages.board("stage")
    assert [(one.name, one.people, one.entered, one.left) for one in board.stages] == [
        ("aware", 3, 5, 2),
        ("buyer", 2, 2, 0),
        ("loyal", 0, 1, 1),
    ]
    assert set(map(tuple, ((s.origin, s.target, s.people) for s in board.steps))) == {
        ("", "aware", 5),
        ("aware", "loyal", 1),
        ("aware", "buyer", 1),
        ("loyal", "buyer", 1),
    }
    assert board.steps[0] == Step("", "aware", 5)
    assert board.stages[1].days_in == pytest.approx((6 + 3) / 2)


def test_a_goal_counts_those_whose_time_has_run_out(stages: StageReads) -> None:
    goal = stages.board("stage").stages[0].goal
    assert goal is not None
    # Of the four whose three days are over one went on in time; the fifth has just come.
    assert (goal.entered, goal.reached, goal.share, goal.is_met) == (4, 1, 25.0, False)


def test_stuck_people_are_counted_and_can_be_seen(stages: StageReads) -> None:
    aware = stages.board("stage").stages[0]
    assert (aware.stuck, aware.stuck_after) == (2, "10 day")
    assert len(stages.people("stage", "aware").people) == 3
    stuck = stages.people("stage", "aware", stuck=True)
    names = {identifier.value for one in stuck.people for identifier in one.card.identifiers}
    assert names == {"u2", "u3"}
    for name, stage in (("stage", "nowhere"), ("journey", "aware")):
        with pytest.raises(NotFound):
            stages.people(name, stage)
    with pytest.raises(NotFound):
        stages.board("journey")
