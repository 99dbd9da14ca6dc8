"""The command line: everything one person needs to run Tekil."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Sheet

from tekil import __version__, app, config, pull
from tekil.config import Config
from tekil.demonstration import run_demo
from tekil.errors import TekilError
from tekil.library import Tekil
from tekil.store import Store, open_store
from tekil.verification import verify

out = Terminal(soft_wrap=True)
err = Terminal(stderr=True, soft_wrap=True, highlight=False)

as_json = click.option("--json", "json", is_flag=True, help="Print JSON, for scripts.")


def main() -> None:
    """Run the command line; an error that a person can mend is told in a sentence, not in a traceback."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TekilError as error:
        err.print(f"[red]tekil:[/] {_plain(error.message)}", highlight=False)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tekil")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The installation's folder; the current one otherwise.",
)
@click.pass_context
def cli(context: click.Context, folder: Path) -> None:
    """Tekil: collect what customers do, work out who is who, act on it."""
    context.obj = folder


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--collect-port", default=8000, show_default=True, help="Where SDKs send.")
@click.option("--console-port", default=8001, show_default=True, help="Where the console and the API are.")
@click.option("--name", default="Tekil", show_default=True, help="What the installation is called.")
@click.pass_obj
def init(obj: Path, folder: Path | None, collect_port: int, console_port: int, name: str) -> None:
    """Write a tekil.toml into FOLDER (the current one otherwise)."""
    path = config.write_template(
        folder or obj, name=name, collect_port=collect_port, console_port=console_port
    )
    out.print(f"Wrote {path}")
    out.print("Next: [bold]tekil up[/], then [bold]tekil key create --source web[/]", highlight=False)


@cli.command()
@click.option("--only", type=click.Choice(app.PARTS), help="Be one part only: for systemd or containers.")
@click.pass_obj
def up(obj: Path, only: str | None) -> None:
    """Run Tekil until stopped: the collector, the engine, the console and the API."""
    settings = config.load(obj)
    if only:
        app.run_part(settings, only, _say)
        return
    _say(f"The door: http://{settings.collect.host}:{settings.collect.port}")
    _say(f"The console: http://{settings.console.host}:{settings.console.port}")
    app.Supervisor(settings, _say).run()


@cli.command()
@click.option("--people", default=3000, show_default=True, help="How many customers the company has.")
@click.option("--days", default=120, show_default=True, help="How many days of history it has.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same company.")
@click.option("--collect-port", default=8000, show_default=True)
@click.option("--console-port", default=8001, show_default=True)
@click.option("--into", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True)
@click.option("--keep", is_flag=True, help="Go on with what an earlier run left; start afresh otherwise.")
@click.option("--history-only", is_flag=True, help="Send the history, then only listen.")
def demo(
    people: int,
    days: int,
    seed: int,
    collect_port: int,
    console_port: int,
    into: Path,
    keep: bool,
    history_only: bool,
) -> None:
    """Start Tekil and Minder Evi, a simulated home-textiles shop that talks to it over HTTP."""
    run_demo(
        into,
        people=people,
        days=days,
        seed=seed,
        ports=(collect_port, console_port),
        keep=keep,
        live=not history_only,
        say=_say,
    )


@cli.group()
def key() -> None:
    """Make, list and revoke keys."""


@key.command("create")
@click.option("--source", help="A write key for this source, which is made if it is new.")
@click.option("--api", is_flag=True, help="An API key instead, to read with.")
@click.option("--scope", "scopes", multiple=True, help="What an API key may do; may be given many times.")
@click.option("--name", default="", help="What an API key is for.")
@as_json
@click.pass_obj
def create_key(
    obj: Path, source: str | None, api: bool, scopes: Sequence[str], name: str, json: bool
) -> None:
    """Make a write key (--source NAME) or an API key (--api --scope SCOPE)."""
    if api == bool(source):
        raise click.UsageError("Give either --source NAME, or --api with at least one --scope.")
    if api and not scopes:
        raise click.UsageError("An API key needs at least one --scope, for example --scope profiles:read.")
    with _store(obj) as store:
        if source:
            made = store.keys.create_write_key(source)
            told: dict[str, Any] = {"key": made.key, "source": source}
        else:
            api_key, secret = store.keys.create_api_key(name or "from the command line", list(scopes))
            told = {"key": secret, "id": api_key.id, "scopes": sorted(api_key.scopes)}
    if json:
        _print_json(told)
    else:
        out.print(told["key"], highlight=False)
        if api:
            err.print("It is shown this once; only its hash is kept.")


@key.command("list")
@as_json
@click.pass_obj
def list_keys(obj: Path, json: bool) -> None:
    """List write keys and API keys."""
    with _store(obj) as store:
        rows = [
            {"kind": "write", "id": k.key, "for": k.source, "enabled": k.enabled}
            for k in store.keys.write_keys()
        ] + [
            {
                "kind": "api",
                "id": k.id,
                "for": f"{k.name}: {' '.join(sorted(k.scopes))}",
                "enabled": not k.revoked,
            }
            for k in store.keys.api_keys()
        ]
    _print_rows(rows, json)


@key.command("revoke")
@click.argument("key_or_id")
@click.pass_obj
def revoke_key(obj: Path, key_or_id: str) -> None:
    """Make a write key, or the API key with this id, worthless from now on."""
    with _store(obj) as store:
        if any(key_or_id == known.id for known in store.keys.api_keys()):
            store.keys.revoke_api_key(key_or_id)
        else:
            store.keys.revoke_write_key(key_or_id)
    out.print("Revoked.")


@cli.command()
@click.argument("reference")
@as_json
@click.pass_obj
def profile(obj: Path, reference: str, json: bool) -> None:
    """Show a person, by id or by an identifier such as email:ayse@example.com."""
    with Tekil(config.load(obj)) as tekil:
        told = tekil.profile(reference)
    if json:
        _print_json(told)
        return
    sheet = Sheet(show_header=False, box=None)
    for name, value in told.items():
        sheet.add_row(name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
    out.print(sheet)


@cli.command()
@click.argument("statement")
@as_json
@click.pass_obj
def sql(obj: Path, statement: str, json: bool) -> None:
    """Run one SELECT over the warehouse."""
    with Tekil(config.load(obj)) as tekil:
        rows = tekil.sql(statement).to_pylist()
    _print_rows(rows, json)


@cli.command()
@as_json
@click.pass_obj
def status(obj: Path, json: bool) -> None:
    """Show the ledger: what was accepted, and what became of it."""
    with Tekil(config.load(obj)) as tekil:
        told: dict[str, Any] = {"running": tekil.is_running, "ledger": tekil.ledger()}
    if json:
        _print_json(told)
        return
    out.print("Tekil is running." if told["running"] else "Tekil is not running; start it with `tekil up`.")
    names = ("accepted", "loaded", "quarantined", "duplicate", "waiting")
    total = {"source": "total", **told["ledger"]["total"]}
    rows = [{n: row[n] for n in ("source", *names)} for row in [*told["ledger"]["sources"], total]]
    _print_rows(rows, False)


@cli.command()
@click.pass_obj
def rebuild(obj: Path) -> None:
    """Derive everything anew from the events, by the same queries."""
    settings = config.load(obj)
    with Tekil(settings) as tekil:
        if tekil.is_running:
            with err.status("The engine rebuilds"):
                told = tekil.json("POST", "/v1/engine/rebuild")
            out.print(f"Rebuilt {told['persons']} persons in {told['seconds']:.1f} s.")
            return
    with app.open_engine(settings) as engine, _bar() as show:
        engine.recover(show)
        engine.rebuild(show)
        out.print(f"Rebuilt {engine.store.cards.count()} persons.")


@cli.command("verify")
@as_json
@click.pass_obj
def verify_command(obj: Path, json: bool) -> None:
    """Compare a fresh rebuild with the live tables, row by row, and check the ledger.

    Exits with 1, and shows the rows, where they differ.
    """
    settings = config.load(obj)
    with Tekil(settings) as tekil:
        running = tekil.is_running
        if running:
            with err.status("The engine compares a fresh rebuild with what is live"):
                told = tekil.json("POST", "/v1/engine/verify")
    if not running:
        with app.open_engine(settings) as engine:
            engine.recover()
            outcome = verify(engine)
            told = {"holds": outcome.holds, **msgspec.to_builtins(outcome)}
    if json:
        _print_json(told)
    else:
        _print_verification(told)
    sys.exit(0 if told["holds"] else 1)


@cli.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--as", "kind", required=True, help="identify, track, track:EVENT or record:OBJECT.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="Where a column goes.")
@click.option("--key", "key_columns", default="", help="For a record: the columns that name one.")
@click.option("--source", default="import", show_default=True, help="Who is said to have sent it.")
@click.option("--again", is_flag=True, help="Send events once more under another mapping.")
@as_json
@click.pass_obj
def import_file(
    obj: Path,
    file: Path,
    kind: str,
    maps: Sequence[str],
    key_columns: str,
    source: str,
    again: bool,
    json: bool,
) -> None:
    """Send the rows of a .csv, .jsonl, .parquet or .xlsx FILE through the door.

    It can be stopped and run again: what was sent is not sent twice.
    """
    settings = config.load(obj)
    mapping = pull.Mapping.parse(kind, maps, key_columns, timezone=settings.workspace.timezone)
    with _store(obj) as store, _bar() as show:
        sent = pull.send(
            file,
            mapping,
            door=f"http://{settings.collect.host}:{settings.collect.port}",
            write_key=_write_key(store, source),
            progress=lambda done, everything: show("rows", done, everything or done),
            state_path=settings.data / "imports",
            again=again,
        )
    if json:
        _print_json(msgspec.to_builtins(sent))
        return
    for problem in sent.problems:
        err.print(f"row {problem.row}: {_plain(problem.text)}", highlight=False)
    out.print(f"{sent.rows} rows: {sent.sent} sent, {sent.skipped} sent before, {sent.refused} refused.")


def _write_key(store: Store, source: str) -> str:
    known = [k.key for k in store.keys.write_keys() if k.source == source and k.enabled]
    return known[0] if known else store.keys.create_write_key(source).key


@contextmanager
def _store(folder: Path) -> Iterator[Store]:
    settings: Config = config.load(folder)
    store = open_store(settings.resolve(settings.store))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, everything: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=everything)

        yield show


def _print_json(told: Any) -> None:
    click.echo(msgspec.json.Encoder(enc_hook=str, decimal_format="number").encode(told).decode())


def _print_rows(rows: list[dict[str, Any]], json: bool) -> None:
    if json:
        _print_json(rows)
        return
    sheet = Sheet(*(rows[0] if rows else ("nothing",)))
    for row in rows:
        sheet.add_row(*("" if value is None else _plain(str(value)) for value in row.values()))
    out.print(sheet)


def _print_verification(told: dict[str, Any]) -> None:
    for name, count in told["rows"].items():
        out.print(f"{name}: {count} rows compared")
    for difference in told["differences"]:
        err.print(f"[red]{difference['kind']}[/] in {difference['table']}: {_plain(str(difference['row']))}")
    for problem in told["ledger"]:
        err.print(f"[red]ledger[/] {_plain(problem)}")
    if told["holds"]:
        out.print("[green]Everything follows from what was kept, and the ledger balances.[/]")


def _plain(text: str) -> str:
    """Keep what comes from data from being read as markup."""
    return text.replace("[", r"\[")


def _say(text: str) -> None:
    err.print(_plain(text), highlight=False)
