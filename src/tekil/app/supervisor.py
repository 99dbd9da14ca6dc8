"""What watches over the parts of `tekil up`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tekil.app import PARTS
from tekil.app.signals import on_ending
from tekil.config import Config
from tekil.ports import check_port

STOP_SECONDS = 20.0
"""How long a part may take to end in good order before it is killed."""

RESTART_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""How long to wait before a part that died is started again; it grows while it keeps dying."""

STEADY_SECONDS = 30.0
"""A part that lived this long has recovered; its next death is a first one."""

LOOK_SECONDS = 0.1
"""How often to look whether the parts live."""


@dataclass
class _Part:
    """A process of ours, and how it fared."""

    name: str
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    is_missed: bool = False
    restart_at: float | None = None


class Supervisor:
    """Starts the collector and the engine, starts either again when it dies, and stops both in good order."""

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        """Take the configuration, and where to tell people what happens."""
        self._config, self._say = config, say
        self._stopping = threading.Event()

    def run(self) -> None:
        """Run until SIGTERM, SIGINT or `stop`. Raises `Misconfigured` where a port is taken."""
        for place, name in ((self._config.collect, "collect"), (self._config.console, "console")):
            check_port(place.host, place.port, f"{name}.port")
        on_ending(self.stop)
        parts = [self._start(name) for name in PARTS]
        try:
            while not self._stopping.wait(LOOK_SECONDS):
                for part in parts:
                    self._watch(part)
        finally:
            self._end(parts)

    def stop(self) -> None:
        """End `run` from another thread."""
        self._stopping.set()

    def _start(self, name: str) -> _Part:
        command = [sys.executable, "-m", "tekil", "--dir", str(self._config.root), "up"]
        # A session of its own: Ctrl-C reaches only us, and we end the parts one after the other. The pipe
        # tells a part that we are gone, however we went; nothing is ever written to it.
        process = subprocess.Popen(
            [*command, "--only", name, "--watched"], start_new_session=True, stdin=subprocess.PIPE
        )
        return _Part(name, process, time.monotonic())

    def _watch(self, part: _Part) -> None:
        now = time.monotonic()
        if part.restart_at is not None:
            if now >= part.restart_at:
                fresh = self._start(part.name)
                part.process, part.started, part.restart_at = fresh.process, fresh.started, None
        elif part.process.poll() is None:
            part.is_missed = False
        elif not part.is_missed:
            # Whoever stops all of us at once may have reached the part before us: look once more.
            part.is_missed = True
        else:
            self._mourn(part, now)

    def _mourn(self, part: _Part, now: float) -> None:
        """Say that a part died, and settle when it is started again."""
        part.is_missed = False
        part.deaths = 1 if now - part.started > STEADY_SECONDS else part.deaths + 1
        wait = RESTART_SECONDS[min(part.deaths, len(RESTART_SECONDS)) - 1]
        part.restart_at = now + wait
        code = part.process.returncode
        self._say(f"The {part.name} ended (exit code {code}); starting it again in {wait} s")

    def _end(self, parts: list[_Part]) -> None:
        for part in parts:
            with contextlib.suppress(ProcessLookupError):
                part.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for part in parts:
            try:
                part.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"The {part.name} did not end in {STOP_SECONDS:.0f} s and was killed")
                part.process.kill()
                part.process.wait()


def end_with_the_supervisor() -> None:
    """Have this process, a part, end in good order when its supervisor is gone, even by `kill -9`.

    Otherwise the part would live on, hold its port and its files, and nobody would know whose it is.
    """

    def wait() -> None:
        # Not through sys.stdin: a thread that holds its lock would make the interpreter's end a crash.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="supervisor-watch", daemon=True).start()
