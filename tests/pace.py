"""Keeps the fast lane fast: what every test takes of a processor, and names for those that take too much.

CPU seconds of the process and of the children it waited for, never wall time: a machine that is busy with
other things makes a test late, not expensive.
"""

from __future__ import annotations

import resource
from collections.abc import Generator, Mapping
from typing import Any

import pytest

LANE_SECONDS = 120.0
"""A minute of two cores, for everything: start, collection, all fixtures."""
NAMED_SECONDS = 3.0
"""A test of the fast lane that takes more is named at the end."""
REFUSED_SECONDS = 8.0
"""One that takes more fails. So far above that an old or throttled processor does not decide on it."""

_CPU = "cpu_seconds"


def cpu_seconds() -> float:
    """Return what this process and its ended children took until now."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def is_fast_lane(config: pytest.Config) -> bool:
    """Return whether these are the tests that nobody should wait for: no slow ones, and no laws at length."""
    asked = str(config.option.markexpr)
    return "not slow" in asked and "law" not in asked


def told(tests: Mapping[str, float], total: float) -> list[str]:
    """Return the lines that close a run: the total, and the tests that should be made cheaper."""
    lines = [f"{total:.0f} CPU seconds, of which {sum(tests.values()):.0f} in {len(tests)} tests"]
    if total > LANE_SECONDS:
        lines.append(f"The fast lane may take {LANE_SECONDS:.0f}: see docs/decisions/0060-the-fast-lane.md.")
    dear = sorted(((taken, test) for test, taken in tests.items() if taken > NAMED_SECONDS), reverse=True)
    if dear:
        lines.append(f"Over {NAMED_SECONDS:.0f} s each; make them smaller, or mark them slow:")
    return lines + [f"  {taken:5.1f} s  {test}" for taken, test in dear]


class Pace:
    """The plugin. Each worker of xdist measures; the process that prints adds up."""

    def __init__(self) -> None:
        self._tests: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Measure a test. Not its fixtures: what many share would be the first one's."""
        before = cpu_seconds()
        result = yield
        taken = cpu_seconds() - before
        item.user_properties.append((_CPU, taken))
        if taken > REFUSED_SECONDS:
            pytest.fail(
                f"It took {taken:.1f} CPU seconds; a test of the fast lane may take {NAMED_SECONDS:.0f}. "
                "Make it smaller, share what it sets up, or mark it slow and leave a small one behind.",
                pytrace=False,
            )
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, taken in report.user_properties if report.when == "call" else ():
            if name == _CPU:
                self._tests[report.nodeid] = float(str(taken))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._tests:
            # The workers of xdist are this process's children, and it has waited for them.
            terminalreporter.write_line("\n".join(told(self._tests, cpu_seconds())))
