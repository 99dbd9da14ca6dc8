"""Where the real clients send: a running collector, and what is needed to run clients written for Node."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.collect.running import HOST, Collector, running
from tests.conftest import missing

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / ".make" / "npm"


class Target(Protocol):
    """What clients send to, and what it holds: a collector and its log, or a whole Tekil and its ledger."""

    url: str
    key: str

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Return the messages that came in, once there are `count`, or those there are after a while."""
        ...


@dataclass
class CollectorTarget:
    """A collector, from when the test began."""

    collector: Collector
    after: int
    url: str
    key: str

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            counted = sum(one.waiting for one in self.collector.log.counts(self.after))
            if counted >= count:
                break
            time.sleep(0.1)
        # A client that sends again what was acknowledged would do so about now.
        time.sleep(0.5)
        messages: list[dict[str, Any]] = self.collector.messages(self.after)
        assert sum(one.waiting for one in self.collector.log.counts(self.after)) == len(messages)
        return messages


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with running(tmp_path_factory.mktemp("clients")) as collector:
        yield collector


@pytest.fixture
def target(collector: Collector) -> Target:
    """Where to send, and what came in since the test began."""
    url = f"http://{HOST}:{collector.port}"
    return CollectorTarget(collector, collector.log.head(), url, collector.key)


@pytest.fixture(scope="session")
def modules() -> Path:
    """The folder of the installed npm packages, exactly those of the lock file."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        missing("Node and npm; on Debian: apt-get install nodejs npm")
    lock = HERE / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = MODULES / "stamp"
    if not stamp.exists() or stamp.read_text() != digest:
        MODULES.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, MODULES / name)
        # Not `npm ci`: that wants addresses in the lock for what only other systems need; ours holds none.
        command = [npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=MODULES, capture_output=True, text=True, check=False)
        if done.returncode:
            missing(f"the npm packages of tests/clients/package.json: {done.stderr[:800]}")
        stamp.write_text(digest)
    return MODULES / "node_modules"


@pytest.fixture
def node(modules: Path, target: Target) -> Callable[[str], None]:
    """Run a Node program of this folder; it is told where to send by `URL` and `KEY`."""

    def run(program: str) -> None:
        environment = {**os.environ, "NODE_PATH": str(modules), "URL": target.url, "KEY": target.key}
        done = subprocess.run(
            ["node", str(HERE / program)],
            env=environment,
            timeout=60,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def assert_sent(messages: list[dict[str, Any]], kinds: list[str]) -> None:
    """Check that exactly these types of messages came in, each with an id of its own."""
    assert sorted(message["type"] for message in messages) == sorted(kinds)
    ids = {message["messageId"] for message in messages}
    assert len(ids) == len(messages)
    assert all(message.get("userId") or message.get("anonymousId") for message in messages)
