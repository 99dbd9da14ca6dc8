"""`tekil starters`."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import click

from tekil.cli.opening import opened_store
from tekil.cli.telling import as_json, existing, print_rows, say
from tekil.definitions import apply, dump
from tekil.kinds import KINDS
from tekil.starters import chosen, library


@click.group()
def starters() -> None:
    """Features and audiences of the trade, ready to be put in force."""


@starters.command("list")
@as_json
def list_starters(json: bool) -> None:
    """List the starters."""
    rows = [
        {"kind": one.definition.kind, "name": one.definition.name, "title": one.definition.title_in("en")}
        for one in library()
    ]
    print_rows(rows, json)


@starters.command()
@click.argument("names", nargs=-1, required=True)
def show(names: Sequence[str]) -> None:
    """Print starters as YAML, with all that they are made of: to be changed, and applied."""
    click.echo(dump([one.definition for one in chosen(names)]), nl=False)


@starters.command("apply")
@click.argument("names", nargs=-1)
@click.pass_context
def apply_starters(context: click.Context, names: Sequence[str]) -> None:
    """Put starters in force, with all that they are made of; all of them where no NAMES are given.

    What is defined by the same name already stays as it is.
    """
    wanted = chosen(names) if names else library()
    with opened_store(existing(context)) as store:
        known = {(version.kind, version.name) for version in store.definitions.current()}
        new = [one for one in wanted if (one.definition.kind, one.definition.name) not in known]
        changes = apply(store, KINDS, new, author=getpass.getuser(), note="A starter")
    for change in changes:
        click.echo(f"+ {change.kind} {change.name}")
    if len(new) < len(wanted):
        say(f"{len(wanted) - len(new)} are defined already, and stay as they are.")
