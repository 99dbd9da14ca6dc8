"""What every test may lean on: how to say that something is missing, and Hypothesis's pace."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import NoReturn, TypeVar

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from tekil.store import Users
from tests.laws.conftest import found, store

# The installations of the laws are what many other tests begin with, too.
__all__ = ["found", "missing", "store"]

# Dozens sign in here; a hash that takes a quarter of a second proves nothing more about who may.
PRODUCTS_HASHER = Users.hasher
Users.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# Two cores are shared by all lanes, so a slow example says nothing about the code.
settings.register_profile(
    "fast",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    # What decides on a landing gives the same answer twice; new examples are looked for everywhere else.
    derandomize=bool(os.environ.get("CI")),
)
settings.register_profile("thorough", settings.get_profile("fast"), max_examples=1000)
settings.load_profile(os.environ.get("TEKIL_HYPOTHESIS", "fast"))


def missing(what: str) -> NoReturn:
    """Skip the test because `what` is not on this machine; say in `what` how to get it."""
    pytest.skip(f"missing: {what}")


def _nothing_skipped(report: Report) -> Report:
    """Make a skip a failure under `TEKIL_REQUIRE_ALL=1`, which `.ci/run` sets: there, nothing is skipped."""
    if (
        report.outcome == "skipped"
        and not hasattr(report, "wasxfail")
        and os.environ.get("TEKIL_REQUIRE_ALL")
    ):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"Skipped where nothing may be. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at every test's outcome."""
    return _nothing_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at modules that skip themselves, too."""
    return _nothing_skipped((yield))
