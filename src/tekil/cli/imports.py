"""`tekil import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
import msgspec

from tekil import config, pull
from tekil.cli.bars import bar
from tekil.cli.opening import opened_store, write_key_of
from tekil.cli.telling import as_json, existing, print_json, say
from tekil.pull.values import DayOrder, DecimalSign


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--as",
    "kind",
    required=True,
    help="identify, lead, track, track:EVENT, record:OBJECT, list:NAME or unlist:NAME.",
)
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="Where a column goes.")
@click.option("--key", "key_columns", default="", help="For a record: the columns that name one.")
@click.option("--source", default="import", show_default=True, help="Who is said to have sent it.")
@click.option(
    "--decimal",
    type=click.Choice(get_args(DecimalSign)),
    default="auto",
    show_default=True,
    help="What stands before the fraction of a number.",
)
@click.option(
    "--dates",
    type=click.Choice(get_args(DayOrder)),
    default="auto",
    show_default=True,
    help="What comes first in a date like 03.04.2026.",
)
@click.option("--again", is_flag=True, help="Send events once more under another mapping.")
@as_json
@click.pass_context
def import_file(
    context: click.Context,
    file: Path,
    kind: str,
    maps: Sequence[str],
    key_columns: str,
    source: str,
    decimal: DecimalSign,
    dates: DayOrder,
    again: bool,
    json: bool,
) -> None:
    """Send the rows of a .csv, .jsonl, .parquet or .xlsx FILE through the door.

    It can be stopped and run again: what was sent is not sent twice.
    """
    settings = config.load(existing(context))
    timezone = settings.workspace.timezone
    mapping = pull.Mapping.parse(kind, maps, key_columns, timezone=timezone, decimal=decimal, dates=dates)
    with opened_store(settings.root) as store:
        write_key = write_key_of(store, source)
    with bar() as show:
        sent = pull.send(
            file,
            mapping,
            door=f"http://{settings.collect.host}:{settings.collect.port}",
            write_key=write_key,
            progress=lambda done, everything: show("rows", done, everything or done),
            state_path=settings.data / "imports",
            again=again,
        )
    if json:
        print_json(msgspec.to_builtins(sent))
        return
    for problem in sent.problems:
        say(f"row {problem.row}: {problem.text}")
    click.echo(f"{sent.rows} rows: {sent.sent} sent, {sent.skipped} sent before, {sent.refused} refused.")
