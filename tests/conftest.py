"""What every test may lean on: how to say that something is missing, and Hypothesis's pace."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator
from typing import NoReturn, TypeVar

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tekil.store import Users
from tests.laws.conftest import found, store
from tests.pace import Pace, is_fast_lane

# The installations of the laws are what many other tests begin with, too.
__all__ = ["found", "missing", "store"]

# Tests start Tekil again and again; without kept bytecode, every start takes a second more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Dozens sign in here; a hash that takes a quarter of a second proves nothing more about who may.
PRODUCTS_HASHER = Users.hasher
Users.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

MEMORY = "/dev/shm"
MEMORY_NEEDED = 2 << 30
"""Bytes; a run leaves about a tenth of it behind."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# Two cores are shared by all lanes, so a slow example says nothing about the code.
settings.register_profile(
    "fast",
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    # What decides on a landing gives the same answer twice; new examples are looked for everywhere else.
    derandomize=bool(os.environ.get("CI")),
)
settings.register_profile("thorough", settings.get_profile("fast"), max_examples=500)
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


def pytest_configure(config: pytest.Config) -> None:
    """Watch the fast lane's pace, and keep its files in memory: it waits for the disk thousands of times.

    What is tried on a full disk, or killed by the hundred, is in the slow lane, on a disk.
    """
    config.addinivalue_line("markers", "law: a property, tried on more examples in the slow lane")
    if not is_fast_lane(config):
        return
    config.pluginmanager.register(Pace())
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what Hypothesis runs, so that the slow lane finds it."""
    for item in items:
        if is_hypothesis_test(getattr(item, "function", None)):
            item.add_marker(pytest.mark.law)
