"""The look-up of known vulnerabilities tells what it knows, and does not call silence a clean bill."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from typing import Any

import pytest

PLACE = Path(__file__).resolve().parents[2] / ".ci" / "audit"


@pytest.fixture(scope="module")
def audit() -> Any:
    loader = importlib.machinery.SourceFileLoader("audit", str(PLACE))
    spec = importlib.util.spec_from_loader("audit", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


CLEAN = {"name": "httpx", "version": "1", "vulns": []}
SILENT = {"name": "jinja2", "skip_reason": "not found"}
BAD = {"name": "old", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}


@pytest.mark.parametrize(
    ("found", "code", "text"),
    [
        ([CLEAN], 0, "1 packages, no known"),
        ([CLEAN, SILENT], 3, "NOT AUDITED: of 1 of 2"),
        ([SILENT], 3, "NOT AUDITED: of 1 of 1"),
        ([], 3, "NOT AUDITED"),
        ([BAD, SILENT], 1, "VULNERABLE: old: CVE-1, mended in 2"),
        ([BAD], 1, "VULNERABLE"),
    ],
)
def test_only_an_answer_is_an_answer(audit: Any, found: list[dict[str, Any]], code: int, text: str) -> None:
    told, lines = audit.judge({package["name"]: package for package in found})
    assert told == code
    assert text in lines[0]
    assert code != 3 or "NOT AUDITED" in lines[-1]


def test_a_look_up_that_does_not_run_is_none(
    audit: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "AUDIT", ["false"])
    assert audit.main() == 3
    assert "NOT AUDITED" in capsys.readouterr().out
