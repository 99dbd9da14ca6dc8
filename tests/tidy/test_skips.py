"""In CI nothing is skipped: what is missing there is a failure, whichever way a test says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest
from tests.conftest import missing
def test_missing(): missing("a browser")
@pytest.mark.skip(reason="no")
def test_marked(): pass
@pytest.mark.xfail(reason="known")
def test_expected(): assert False
def test_passes(): pass
"""


@pytest.mark.parametrize(
    ("require_all", "closing"),
    [("", "1 passed, 3 skipped, 1 xfailed"), ("1", "1 failed, 1 passed, 1 xfailed, 2 errors")],
)
@pytest.mark.slow
def test_a_skip_is_a_failure_where_all_is_required(tmp_path: Path, require_all: str, closing: str) -> None:
    (tmp_path / "test_a.py").write_text(TESTS)
    (tmp_path / "test_b.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    run = subprocess.run(
        [
            sys.executable,
            *(
                "-m",
                "pytest",
                "-q",
                "-p",
                "tests.conftest",
                "-p",
                "no:cacheprovider",
                "--continue-on-collection-errors",
            ),
            *("--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)),
        ],
        cwd=ROOT,
        env={**os.environ, "TEKIL_REQUIRE_ALL": require_all},
        capture_output=True,
        text=True,
        check=False,
    )
    assert closing in run.stdout.splitlines()[-1], run.stdout
