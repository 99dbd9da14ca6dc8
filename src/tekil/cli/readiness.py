"""`tekil readiness`."""

from __future__ import annotations

import click

from tekil import config
from tekil.cli.telling import as_json, existing, print_json
from tekil.library import Tekil

SIGNS = {"ready": ("✓", "green"), "attention": ("!", "yellow"), "missing": ("·", "bright_black")}


@click.command()
@as_json
@click.pass_context
def readiness(context: click.Context, json: bool) -> None:
    """Show the acquisition checklist, answered by what the running system measures about itself."""
    with Tekil(config.load(existing(context))) as tekil:
        told = tekil.json("GET", "/v1/readiness", params={"anew": True})
    if json:
        print_json(told)
        return
    for check in told["checks"]:
        sign, colour = SIGNS[check["state"]]
        click.echo(click.style(f"{sign} {check['title']}", fg=colour, bold=True))
        for point in check["points"]:
            mark, shade = SIGNS[point["state"]]
            figure = f"{point['figure']}  " if point["figure"] else ""
            click.echo(f"    {click.style(mark, fg=shade)} {figure}{point['reason']}")
            if point["fix"]:
                click.echo(f"      → {point['fix']}")
    counts = told["counts"]
    click.echo(
        f"{counts['ready']} ready, {counts['attention']} asking for attention,"
        f" {counts['missing']} not there yet."
    )
