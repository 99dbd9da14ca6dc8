"""One Tekil for all stories: each is about people of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running_tekil import Running, running


@pytest.fixture(scope="package")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("stories")) as started:
        yield started
