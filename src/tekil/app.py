"""Where things are wired together: the two processes of `tekil up`, and what watches over them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

import uvicorn

from tekil.api.control import control_routes
from tekil.collect import serve
from tekil.config import FILE_NAME, Config
from tekil.console import create_app
from tekil.engine import Engine, Progress
from tekil.errors import Misconfigured, TekilError
from tekil.library import LOCAL_KEY
from tekil.live_reads import LiveReads
from tekil.log import open_log
from tekil.models import ACTIVITY, attributes
from tekil.store import Store, open_store
from tekil.warehouse import open_warehouse

PARTS = ("collector", "engine")
STOP_SECONDS = 20.0
"""How long a part may take to end in good order before it is killed."""
RESTART_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""How long to wait before a part that died is started again; it grows while it keeps dying."""
STEADY_SECONDS = 30.0
"""A part that lived this long has recovered; its next death is a first one."""


def run_collector(config: Config) -> None:
    """Be the collector until told to stop."""
    log = open_log(config.resolve(config.log))
    store = open_store(config.resolve(config.store))
    try:
        serve(log, store.keys, host=config.collect.host, port=config.collect.port)
    finally:
        log.close()
        store.close()


@contextlib.contextmanager
def open_engine(config: Config) -> Iterator[Engine]:
    """Open the three places and the engine over them; close them at the end of the block.

    Raises `Unavailable` while another process owns the warehouse.
    """
    log = open_log(config.resolve(config.log))
    store = open_store(config.resolve(config.store))
    warehouse = open_warehouse(config.resolve(config.warehouse))
    try:
        yield Engine(log, warehouse, store, [ACTIVITY, attributes(config.profile.trusted_sources)])
    finally:
        for place in (warehouse, store, log):
            place.close()


def run_engine(config: Config, *, say: Callable[[str], None], progress: Progress | None = None) -> None:
    """Be the engine, with console and API, until told to stop."""
    with open_engine(config) as engine:
        engine.recover(progress)
        keep_local_key(config, engine.store)
        password = engine.store.users.create_first()
        if password:
            say(f"Sign in to the console as admin with the password {password}  (shown this once)")
        stop = threading.Event()
        loop = threading.Thread(target=_loop, args=(engine, stop, say), name="engine")
        app = create_app(
            LiveReads(engine.log, engine.warehouse, engine.store, engine),
            engine.store,
            config,
            [control_routes(engine)],
        )
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=config.console.host,
                port=config.console.port,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=5,
            )
        )
        loop.start()
        try:
            server.run()
        finally:
            stop.set()
            loop.join()


def _loop(engine: Engine, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Run cycles; a fault that is no passing one ends the process, and the supervisor starts it anew."""
    try:
        engine.run(stop, lambda error: say(f"waiting: {error}"))
    except BaseException:
        os.kill(os.getpid(), signal.SIGTERM)
        raise


def keep_local_key(config: Config, store: Store) -> None:
    """Make sure that this machine's user can ask the engine: an API key in a file only they can read."""
    path = config.data / LOCAL_KEY
    if path.is_file() and store.keys.find_api_key(path.read_text(encoding="utf-8").strip()):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _, secret = store.keys.create_api_key("this machine", ["*"])
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secret)


@dataclass
class _Part:
    """A process of ours, and how it fared."""

    name: str
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
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
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        parts = [self._start(name) for name in PARTS]
        try:
            while not self._stopping.wait(0.1):
                for part in parts:
                    self._watch(part)
        finally:
            self._end(parts)

    def stop(self) -> None:
        """End `run` from another thread."""
        self._stopping.set()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _start(self, name: str) -> _Part:
        command = [sys.executable, "-m", "tekil", "--dir", str(self._config.root), "up", "--only", name]
        # A group of its own: Ctrl-C reaches only us, and we end the parts one after the other.
        process = subprocess.Popen(command, start_new_session=True)
        return _Part(name, process, time.monotonic())

    def _watch(self, part: _Part) -> None:
        now = time.monotonic()
        if part.restart_at is None and part.process.poll() is not None:
            part.deaths = 1 if now - part.started > STEADY_SECONDS else part.deaths + 1
            wait = RESTART_SECONDS[min(part.deaths, len(RESTART_SECONDS)) - 1]
            part.restart_at = now + wait
            self._say(
                f"The {part.name} ended (exit code {part.process.returncode}); starting it again in {wait} s"
            )
        elif part.restart_at is not None and now >= part.restart_at:
            fresh = self._start(part.name)
            part.process, part.started, part.restart_at = fresh.process, fresh.started, None

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


def check_port(host: str, port: int, setting: str) -> None:
    """Raise `Misconfigured` where something else listens on the port already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Misconfigured(
                f"Port {port} on {host} cannot be used ({error.strerror}). Stop what listens there, or change "
                f"{setting} in {FILE_NAME}.",
                code="port_taken",
            ) from error


def run_part(config: Config, name: str, say: Callable[[str], None]) -> None:
    """Be one part: `collector` or `engine`."""
    if name == "collector":
        run_collector(config)
    elif name == "engine":
        run_engine(config, say=say)
    else:
        raise TekilError(f"there is no part named {name}")
