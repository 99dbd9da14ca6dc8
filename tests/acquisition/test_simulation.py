"""Where the truth is known, every model is judged by it."""

from __future__ import annotations

import pytest

from tekil.acquisition.simulation import CHANNELS, judge
from tekil.acquisition.tables import MODELS


def test_every_model_is_judged_and_none_is_the_truth() -> None:
    verdict = judge(20_000)
    assert verdict.shares.keys() == set(MODELS)
    for shares in (verdict.truth, *verdict.shares.values()):
        assert shares.sum() == pytest.approx(1)
    assert verdict.truth[CHANNELS.index("direct")] == 0
    assert all(0 < distance < 0.6 for distance in verdict.distance.values())


def test_models_that_look_at_whole_paths_are_nearer_than_those_that_look_at_one_end() -> None:
    off = judge(40_000, seed=2).distance
    assert off["shapley"] < off["linear"] < max(off["first"], off["last"])
