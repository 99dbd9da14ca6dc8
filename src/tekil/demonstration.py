"""`tekil demo`: the real thing, and a simulated company that talks to it over HTTP."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx

from tekil import config
from tekil.app.supervisor import Supervisor
from tekil.config import FILE_NAME, Config
from tekil.definitions import apply, read
from tekil.demo import ACQUISITION, DICTIONARY, SALES, SOURCES, Company, play
from tekil.errors import TekilError, Unavailable
from tekil.kinds import KINDS
from tekil.store import open_store

START_SECONDS = 60.0
"""How long the door may take to open."""

PACE = 1.0


def run_demo(
    folder: Path,
    *,
    people: int,
    days: int,
    seed: int,
    until: datetime,
    ports: tuple[int, int],
    keep: bool,
    live: bool,
    say: Callable[[str], None],
) -> None:
    """Start Tekil in `folder` and play the company to it, until stopped.

    `people` customers with `days` of history that ends at `until` (which has a zone); `ports` are the
    door's and the console's. What an earlier demo left in `folder` is removed unless `keep` says otherwise.
    """
    settings = _prepare(folder, ports, keep)
    keys = _furnish(settings)
    company = Company(seed=seed, people=people, days=days, until=until)
    stop = threading.Event()
    supervisor = Supervisor(settings, say)
    player = threading.Thread(
        target=_play, args=(company, settings, keys, live, stop, say), name="company", daemon=True
    )
    say("Minder Evi opens its doors: a home-textiles shop with a past, played to a real Tekil.")
    say(f"The console: http://{settings.console.host}:{settings.console.port}")
    player.start()
    try:
        supervisor.run()
    finally:
        stop.set()
        player.join(timeout=10)


def _prepare(folder: Path, ports: tuple[int, int], keep: bool) -> Config:
    if (folder / FILE_NAME).exists() and not keep:
        # Only what an installation itself made is removed, whatever else lies in the folder.
        shutil.rmtree(folder / "data", ignore_errors=True)
        (folder / FILE_NAME).unlink()
    if not (folder / FILE_NAME).exists():
        config.write_template(folder, name="Minder Evi", collect_port=ports[0], console_port=ports[1])
    return config.load(folder)


def _furnish(settings: Config) -> dict[str, str]:
    """Put the company's dictionary in force; return a write key for each of its sources."""
    store = open_store(settings.resolve(settings.store))
    try:
        if not store.definitions.revision():
            # Once: who keeps the demonstration's data may have changed the dictionary since.
            written = read([DICTIONARY, ACQUISITION, SALES])
            apply(store, KINDS, written, author="Minder Evi", note="the demonstration's beginning")
        known = {k.source: k.key for k in store.keys.write_keys() if k.enabled}
        return {name: known.get(name) or store.keys.create_write_key(name).key for name in SOURCES}
    finally:
        store.close()


def _play(
    company: Company,
    settings: Config,
    keys: dict[str, str],
    live: bool,
    stop: threading.Event,
    say: Callable[[str], None],
) -> None:
    door = f"http://{settings.collect.host}:{settings.collect.port}"
    told = 0.0

    def progress(sent: int, everything: int | None) -> None:
        nonlocal told
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"{sent:,} messages sent" + (f" of about {everything:,}" if everything else ""))

    try:
        _wait_for(door, stop)
        played = play(
            company,
            door=door,
            write_keys=keys,
            truth_path=settings.data / "truth.json",
            live=live,
            stop=stop,
            progress=progress,
            pace=PACE,
        )
        say(f"Sent {played.sent:,} messages in all.")
    except TekilError as error:
        say(f"The company fell silent: {error}")


def _wait_for(door: str, stop: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stop.is_set():
        try:
            if httpx.get(f"{door}/healthz", trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise Unavailable(f"The door at {door} did not open in {START_SECONDS:.0f} s.")
        stop.wait(0.2)
