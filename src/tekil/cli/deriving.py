"""`tekil rebuild` and `tekil verify`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec

from tekil import config
from tekil.access.audit import Act
from tekil.app.engine import open_engine
from tekil.cli.bars import bar
from tekil.cli.opening import here
from tekil.cli.telling import as_json, existing, print_json, say
from tekil.errors import TekilError
from tekil.library import Tekil
from tekil.verification import verify

LOOK_SECONDS = 0.2
"""How often to ask the engine how far it has come."""


@click.command()
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Derive everything anew from the events, by the same queries."""
    settings = config.load(existing(context))
    with Tekil(settings) as tekil:
        if tekil.is_running:
            with _progress(settings):
                told = tekil.json("POST", "/v1/engine/rebuild")
            click.echo(f"Rebuilt {told['persons']} persons in {told['seconds']:.1f} s.")
            return
    with open_engine(settings) as engine, bar() as show:
        engine.recover(show)
        engine.store.audit.append(here(), Act.ENGINE_REBUILT, "engine")
        engine.rebuild(show)
        click.echo(f"Rebuilt {engine.store.cards.count()} persons.")


@click.command("verify")
@as_json
@click.pass_context
def verify_command(context: click.Context, json: bool) -> None:
    """Compare a fresh rebuild with the live tables, row by row, and check the ledger.

    Exits with 1, and shows the rows, where they differ.
    """
    settings = config.load(existing(context))
    with Tekil(settings) as tekil:
        is_running = tekil.is_running
        if is_running:
            say("The engine compares a fresh rebuild with what is live.")
            told = tekil.json("POST", "/v1/engine/verify")
    if not is_running:
        with open_engine(settings) as engine:
            engine.recover()
            engine.store.audit.append(here(), Act.ENGINE_VERIFIED, "engine")
            outcome = verify(engine)
            told = {"holds": outcome.holds, **msgspec.to_builtins(outcome)}
    if json:
        print_json(told)
    else:
        _print_verification(told)
    sys.exit(0 if told["holds"] else 1)


@contextmanager
def _progress(settings: config.Config) -> Iterator[None]:
    """Show how far the running engine's task has come, until the end of the block."""
    done = threading.Event()

    def look() -> None:
        with bar() as show, Tekil(settings) as other:
            while not done.wait(LOOK_SECONDS):
                try:
                    told = other.json("GET", "/v1/engine/progress")
                except TekilError:
                    return
                if told["what"]:
                    show(told["what"], told["done"], told["all"])

    thread = threading.Thread(target=look, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=2)


def _print_verification(told: dict[str, Any]) -> None:
    for name, count in told["rows"].items():
        click.echo(f"{name}: {count} rows compared")
    for difference in told["differences"]:
        click.echo(f"{difference['kind']} in {difference['table']}: {difference['row']}")
    for problem in told["ledger"]:
        click.echo(f"ledger: {problem}")
    if told["holds"]:
        click.echo("Everything follows from what was kept, and the ledger balances.")
