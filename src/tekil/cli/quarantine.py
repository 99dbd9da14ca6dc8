"""`tekil quarantine`: what could not be loaded, and saying it again."""

from __future__ import annotations

import click

from tekil import config
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.library import Tekil

GROUPS = """
SELECT source, reasons, count(*) AS messages, min(received_at) AS first_received,
  max(received_at) AS last_received
FROM quarantine GROUP BY source, reasons ORDER BY messages DESC, source, reasons
"""


@click.group()
def quarantine() -> None:
    """Look at what could not be loaded, and replay it once the dictionary or the sender is mended."""


@quarantine.command("list")
@as_json
@click.pass_context
def list_quarantine(context: click.Context, json: bool) -> None:
    """List what waits in quarantine, by source and reasons."""
    with Tekil(config.load(existing(context))) as tekil:
        rows = tekil.sql(GROUPS).to_pylist()
    print_rows(rows, json)


@quarantine.command("replay")
@click.option("--source", help="Only what this source sent.")
@click.option("--reason", help="Only messages with this reason, as `list` shows it.")
@click.option("--event", help="Only messages that name this event.")
@click.option("--all", "everything", is_flag=True, help="All of it; needed where nothing else is said.")
@as_json
@click.pass_context
def replay(
    context: click.Context,
    source: str | None,
    reason: str | None,
    event: str | None,
    everything: bool,
    json: bool,
) -> None:
    """Say quarantined messages again, through the log. What is good now is loaded; the rest comes back."""
    if not everything and source is None and reason is None and event is None:
        raise click.UsageError("Say which: --source, --reason, --event, or --all.")
    chosen = {"source": source, "reason": reason, "event": event}
    with Tekil(config.load(existing(context))) as tekil:
        told = tekil.json("POST", "/v1/quarantine/replay", json=chosen)
    if json:
        print_json(told)
    else:
        click.echo(f"{told['replayed']} messages were said again.")
        say("`tekil quarantine list` shows what came back.")
