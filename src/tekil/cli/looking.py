"""`tekil profile`, `tekil sql` and `tekil status`: looking at what is known."""

from __future__ import annotations

import click
import msgspec

from tekil import config
from tekil.cli.opening import opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, print_table
from tekil.library import Tekil


@click.command()
@click.argument("reference")
@click.option("--reveal", metavar="PURPOSE", help="Show personal values unmasked, and say what for.")
@as_json
@click.pass_context
def profile(context: click.Context, reference: str, reveal: str | None, json: bool) -> None:
    """Show a person, by id or by an identifier such as email:ayse@example.com."""
    with Tekil(config.load(existing(context))) as tekil:
        told = tekil.profile(reference, reveal=reveal)
    if json:
        print_json(told)
        return
    rows = [
        [name, value if isinstance(value, str) else msgspec.json.encode(value).decode()]
        for name, value in told.items()
    ]
    print_table(["what", "value"], rows)


@click.command()
@click.argument("statement")
@as_json
@click.pass_context
def sql(context: click.Context, statement: str, json: bool) -> None:
    """Run one SELECT over the warehouse."""
    with Tekil(config.load(existing(context))) as tekil:
        rows = tekil.sql(statement).to_pylist()
    print_rows(rows, json)


@click.command()
@as_json
@click.pass_context
def status(context: click.Context, json: bool) -> None:
    """Show the ledger: what was accepted, and what became of it."""
    with Tekil(config.load(existing(context))) as tekil:
        is_running, ledger, doing = tekil.is_running, tekil.ledger(), tekil.doing()
    with opened_store(existing(context)) as store:
        unswept = len(store.destructions.unswept())
    if json:
        print_json({"running": is_running, "doing": doing, **ledger, "unswept_erasures": unswept})
        return
    click.echo("Tekil is running." if is_running else "Tekil is not running; start it with `tekil up`.")
    if doing["what"]:
        click.echo(f"It is busy: {doing['what']}, {doing['done']:,} of {doing['all']:,}.")
    names = ("accepted", "loaded", "quarantined", "duplicate", "waiting")
    total = {"source": "total", **ledger["total"]}
    print_rows([{n: row[n] for n in ("source", *names)} for row in [*ledger["sources"], total]], False)
    if unswept:
        click.echo(
            f"Bytes of {unswept} erased may still lie in the warehouse's file; they are swept by night,"
            " or now by `tekil erase sweep`."
        )
