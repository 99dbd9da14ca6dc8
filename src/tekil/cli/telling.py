"""How commands speak: sentences to standard error, answers to standard output, JSON where a script asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

as_json = click.option("--json", "json", is_flag=True, help="Print JSON, for scripts.")


def say(text: str) -> None:
    """Tell people something, on standard error."""
    click.echo(text, err=True)


def complain(text: str) -> None:
    """Tell people what went wrong."""
    click.echo(f"{click.style('tekil:', fg='red')} {text}", err=True)


def print_json(told: Any) -> None:
    """Print a value as one line of JSON."""
    click.echo(msgspec.json.Encoder(enc_hook=str, decimal_format="number").encode(told).decode())


def existing(context: click.Context) -> Path:
    """Return the installation's folder as `--dir` names it. A folder that is not there is a mistyped one."""
    folder: Path = context.obj
    if not folder.exists():
        raise click.BadParameter(f"There is no folder {folder}.", param_hint="--dir")
    return folder


def print_rows(rows: list[dict[str, Any]], json: bool) -> None:
    """Print rows as a table, or as a list of objects."""
    if json:
        print_json(rows)
        return
    if not rows:
        say("No rows.")
        return
    texts = [["" if value is None else _cell(value) for value in row.values()] for row in rows]
    print_table(list(rows[0]), texts)


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Print texts in columns as wide as their widest."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, ["─" * width for width in widths], *rows]:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    """Write a value on one line; what comes from data must not command a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))
