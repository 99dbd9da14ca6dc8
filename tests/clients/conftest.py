"""Where the real clients send: a running Tekil, and what is needed to run clients written for Node."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tekil.config import load
from tekil.log import open_log
from tekil.privacy import DayKeys, open_keys
from tekil.store import open_store
from tests.conftest import missing
from tests.running_tekil import Running, running

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / ".make" / "npm"


@dataclass
class Target:
    """A whole Tekil, from when the test began: what clients send to, and what became of it."""

    tekil: Running
    after: int
    before: dict[str, int]

    @property
    def url(self) -> str:
        return self.tekil.door

    @property
    def key(self) -> str:
        return self.tekil.key

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Return the messages that came in, once `count` are loaded, or those there are after a while.

        What the clients sent is what the ledger counts: each message of the log is loaded, none is left out.
        """
        end = time.monotonic() + 20
        while (counted := self.counted())["accepted"] < count or counted["waiting"]:
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        # A client that sends again what was acknowledged would do so about now.
        time.sleep(0.5)
        messages = self._logged()
        counted = self.counted()
        assert counted["accepted"] == counted["loaded"] == len(messages)
        return messages

    def counted(self) -> dict[str, int]:
        """Return the ledger's total, as the API tells it, less what was there before the test."""
        total = self.tekil.ledger()["total"]
        return {name: total[name] - self.before[name] for name in total}

    def _logged(self) -> list[dict[str, Any]]:
        config = load(self.tekil.folder)
        store = open_store(config.resolve(config.store))
        log = open_log(config.resolve(config.log), DayKeys(open_keys(config, store)))
        try:
            bodies = [body for table in log.replay(self.after) for body in table["body"].to_pylist()]
        finally:
            log.close()
            store.close()
        return [message for body in bodies for message in json.loads(body)["batch"]]


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("clients")) as started:
        yield started


@pytest.fixture
def target(up: Running) -> Target:
    """Where to send, and what came in since the test began."""
    log = open_log(f"sqlite:///{up.folder}/data/log.db")
    after = log.head()
    log.close()
    return Target(up, after, up.ledger()["total"])


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
