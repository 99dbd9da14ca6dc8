"""`tekil erase`: a person goes, and that is proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec

from tekil import config
from tekil.app.engine import open_engine
from tekil.cli.opening import here
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.erasure import Eraser
from tekil.library import Tekil

scanning = click.option("--scan", is_flag=True, help="Read every byte that is kept, too: this takes minutes.")


@click.group()
def erase() -> None:
    """Erase a person from everything that is kept: look at the plan, apply it, prove it."""


@erase.command("plan")
@click.argument("identifier")
@as_json
@click.pass_context
def plan(context: click.Context, identifier: str, json: bool) -> None:
    """Show what erasing IDENTIFIER (email:…, user_id:…, or a person id) would do. Changes nothing."""
    told = _ask(context, "plan", {"reference": identifier}, lambda eraser: eraser.plan(identifier, here()))
    if json:
        print_json(told)
        return
    click.echo(f"{len(told['persons'])} person, known by {len(told['identifiers'])} identifiers:")
    print_rows([{"kind": kind, "value": value} for kind, value in told["identifiers"]], False)
    click.echo("")
    print_rows([trace for trace in told["traces"] if trace["rows"] or trace["what"] == "keep"], False)


@erase.command("apply")
@click.argument("identifier")
@click.option("--reason", default="", help="The request's id, or why; it stands in the destruction log.")
@click.option("--yes", is_flag=True, help="Do not ask; it cannot be undone.")
@scanning
@as_json
@click.pass_context
def apply(context: click.Context, identifier: str, reason: str, yes: bool, scan: bool, json: bool) -> None:
    """Erase whoever IDENTIFIER names, for ever."""
    if not yes:
        click.confirm("This cannot be undone. Erase them?", abort=True, err=True)
    asked = {"reference": identifier, "reason": reason, "scan": scan}
    folders = [config.load(existing(context)).data] if scan else []
    told = _ask(context, "apply", asked, lambda eraser: eraser.apply(identifier, here(), reason, folders))
    _print_proof(told, json)


@erase.command("prove")
@click.argument("identifier")
@scanning
@as_json
@click.pass_context
def prove(context: click.Context, identifier: str, scan: bool, json: bool) -> None:
    """Look once more for IDENTIFIER, who was erased. Exits with 1 where something is found."""
    folders = [config.load(existing(context)).data] if scan else []
    asked = {"reference": identifier, "scan": scan}
    told = _ask(context, "prove", asked, lambda eraser: eraser.prove(identifier, here(), folders))
    _print_proof(told, json)


@erase.command("sweep")
@click.pass_context
def sweep(context: click.Context) -> None:
    """Write the warehouse's file anew, so that it holds no bytes of deleted rows."""
    told = _ask(context, "sweep", None, _swept)
    click.echo("Swept." if told["swept"] else "This warehouse's files are looked after by its own engine.")


def _swept(eraser: Eraser) -> dict[str, Any]:
    return {"swept": eraser.sweep()}


def _ask(
    context: click.Context, verb: str, asked: dict[str, Any] | None, task: Callable[[Eraser], Any]
) -> dict[str, Any]:
    """Have the running engine do it, or do it here where none runs."""
    settings = config.load(existing(context))
    with Tekil(settings) as tekil:
        if tekil.is_running:
            return tekil.json("POST", f"/v1/erasure/{verb}", json=asked)
    with open_engine(settings) as engine:
        engine.recover()
        told: dict[str, Any] = msgspec.to_builtins(task(Eraser(engine)))
        return told


def _print_proof(told: dict[str, Any], json: bool) -> None:
    found = [one for one in told["checked"] if one["found"]]
    if json:
        print_json(told)
    else:
        print_rows([{"place": place, "rows": rows} for place, rows in told["removed"].items()], False)
        click.echo(f"\nLooked through {len(told['checked'])} places; proof {told['destruction']}.")
        if told["swept_at"] is None:
            say("The bytes of deleted rows leave the warehouse's file when it is next swept.")
        for one in found:
            click.echo(f"found {one['found']} in {one['place']} ({one['how']})")
        if not found:
            click.echo("Nothing of them was found.")
    if found:
        raise click.exceptions.Exit(1)
