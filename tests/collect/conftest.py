from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collect.running import Collector, running


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """One collector for all tests that only talk to it."""
    with running(tmp_path_factory.mktemp("collector")) as collector:
        yield collector


@pytest.fixture
def after(collector: Collector) -> int:
    """Where the log stood when the test began."""
    return collector.log.head()
