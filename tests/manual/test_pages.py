"""The manual does what it says: its commands run, in order, against a real Tekil."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.manual.pages import matches, outputs, script, steps

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual"
PAGE_SECONDS = 180
RUN = [page for page in sorted(MANUAL.glob("*.md")) if "```sh" in page.read_text(encoding="utf-8")]


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def test_there_is_a_page_to_start_with() -> None:
    assert "start.md" in [page.name for page in RUN]


def test_a_page_is_read_as_steps_with_what_they_print() -> None:
    page = "a\n```sh background\nserve\n```\n```sh\necho 1\n```\nso:\n\n```text\n1\n```\n"
    server, echo = steps(page)
    assert (server.background, server.printed) == (True, None)
    assert (echo.commands, echo.printed) == ("echo 1\n", "1\n")
    with pytest.raises(ValueError, match="follows no command"):
        steps("```text\n1\n```\n")


def test_what_a_page_expects_is_found_or_missed() -> None:
    assert matches("a…c\nd\n", "x\nabc\nd\ny")
    assert not matches("a…c\nd\n", "abc\nx\nd")
    assert not matches("abc\n", "abcd")


def test_a_script_tells_the_steps_apart_and_stops_at_the_first_failure(tmp_path: Path) -> None:
    text = script(steps("```sh\necho one\n```\n```sh\nprintf two\n```\n"), collect_port=1, console_port=2)
    run = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
    assert outputs(run.stdout) == ["one\n", "two"]
    text = script(steps("```sh\nfalse\n```\n```sh\necho two\n```\n"), collect_port=1, console_port=2)
    assert subprocess.run(["bash", "-c", text], capture_output=True, check=False).returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_every_command_of_a_page_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing("curl, which the manual's pages use")
    asked = steps(page.read_text(encoding="utf-8"))
    collect_port, console_port = free_ports()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with (tmp_path / "errors").open("w+") as errors:
        process = subprocess.Popen(
            ["bash", "-c", script(asked, collect_port=collect_port, console_port=console_port)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            # The background step holds standard error only, so this ends when the page does.
            printed, _ = process.communicate(timeout=PAGE_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        errors.seek(0)
        said = errors.read()
    found = outputs(printed)
    assert process.returncode == 0, f"step {len(found) + 1} failed:\n{printed}\n{said}"
    for step, output in zip(asked, found, strict=True):
        if step.printed is not None:
            assert matches(step.printed, output), f"{step.commands}\nprinted:\n{output}\n{said}"
