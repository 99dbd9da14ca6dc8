"""`tekil up`."""

from __future__ import annotations

import importlib

import click

from tekil import config
from tekil.app import PARTS
from tekil.app.supervisor import Supervisor, end_with_the_supervisor
from tekil.cli.telling import existing, say


@click.command()
@click.option("--only", type=click.Choice(list(PARTS)), help="Be one part only: for systemd or containers.")
@click.option("--watched", is_flag=True, hidden=True, help="End when standard input does.")
@click.pass_context
def up(context: click.Context, only: str | None, watched: bool) -> None:
    """Run Tekil until stopped: the collector, the engine, the console and the API."""
    settings = config.load(existing(context))
    if only:
        if watched:
            end_with_the_supervisor()
        importlib.import_module(PARTS[only]).run(settings, say)
        return
    say(f"The door: http://{settings.collect.host}:{settings.collect.port}")
    say(f"The console: http://{settings.console.host}:{settings.console.port}")
    Supervisor(settings, say).run()
    say("Tekil has stopped.")
