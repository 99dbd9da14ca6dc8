"""Manual pages as programs: ```sh blocks are run in order, a ```text block is what the one before prints."""

from __future__ import annotations

import re
from dataclasses import dataclass

BLOCK = re.compile(r"^```(sh|sh background|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
READY_SECONDS = 30


@dataclass(frozen=True)
class Step:
    """Some lines of shell and what they should print; nothing where the page does not say."""

    commands: str
    printed: str | None
    background: bool


def steps(page: str) -> list[Step]:
    """Return a page's steps, in order. Raises `ValueError` for output that follows no command."""
    found: list[Step] = []
    for kind, content in BLOCK.findall(page):
        if kind != "text":
            found.append(Step(content, None, kind.endswith("background")))
        elif not found or found[-1].printed is not None:
            raise ValueError(f"a text block follows no command: {content[:60]!r}")
        else:
            found[-1] = Step(found[-1].commands, content, found[-1].background)
    return found


def matches(expected: str, output: str) -> bool:
    """Return whether the expected lines are in the output, next to each other; … stands for anything."""
    lines = (r".*".join(map(re.escape, line.split("…"))) for line in expected.strip("\n").split("\n"))
    return re.search(r"^" + r"\n".join(lines) + r"$", output.strip("\n"), re.MULTILINE) is not None


def script(page: list[Step], *, collect_port: int, console_port: int) -> str:
    """Return the page as one bash script that marks where each step's output begins.

    The page's ports become free ones. What runs in the background is waited for until it is ready.
    """
    parts = [
        "set -euo pipefail",
        f'tekil() {{ if [ "$1" = init ]; then command tekil "$@" --collect-port {collect_port} '
        f'--console-port {console_port}; else command tekil "$@"; fi; }}',
    ]
    for number, step in enumerate(page):
        commands = step.commands.replace(":8000", f":{collect_port}").replace(":8001", f":{console_port}")
        parts.append(f"printf '\\n@@ {number}\\n'")
        if step.background:
            parts.append(f"{{ {commands.strip()}; }} >&2 &")
            parts.append(
                f"timeout {READY_SECONDS} sh -c "
                f"'until curl -sf http://127.0.0.1:{console_port}/readyz >/dev/null; do sleep 0.2; done'"
            )
        else:
            parts.append(commands.strip())
    return "\n".join([*parts, "printf '\\n@@ end\\n'", ""])


def outputs(printed: str) -> list[str]:
    """Return what each step of a script printed, in order; the last marker's is left out."""
    return re.split(r"\n@@ \w+\n", printed)[1:-1]
