"""`tekil plan`, `tekil apply` and `tekil definitions`."""

from __future__ import annotations

import getpass
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from tekil import config
from tekil.cli.bars import bar
from tekil.cli.opening import opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.config import Config
from tekil.definitions import Change, Key, Written, apply, difference, dump, read, renames, stored
from tekil.errors import BadRequest, NotFound, Unavailable
from tekil.kinds import KINDS
from tekil.library import Tekil
from tekil.models import FEATURE_KIND
from tekil.planning import BACKFILLED, Effect, Plan, Planning
from tekil.privacy.typed import check_typed

LOOK_SECONDS = 0.2
"""How often to ask the engine how far it has come."""

SIGNS = {
    "new": ("+", "green"),
    "changed": ("~", "yellow"),
    "renamed": ("→", "yellow"),
    "removed": ("-", "red"),
}

paths = click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path, exists=True), required=True, metavar="FILES|FOLDERS"
)
COLOURS = {"+": "green", "-": "red", "@": "cyan"}
"""How a line of a comparison is shown, by its first letter."""

prune = click.option("--prune", is_flag=True, help="Remove what is in force and not in the files.")


@click.command("plan")
@paths
@prune
@as_json
@click.pass_context
def plan_command(context: click.Context, files: Sequence[Path], prune: bool, json: bool) -> None:
    """Show what applying the definitions in FILES would change, and whom it would move. Changes nothing."""
    wanted, settings = _read(files), config.load(existing(context))
    with opened_store(settings.root) as store:
        # Here, where the file and the line of each mistake are known.
        told = Planning(store, None, settings.workspace.timezone).plan(wanted, prune=prune)
    if told.changes:
        told = _counted(settings, dump([one.definition for one in wanted]), prune) or told
    if json:
        print_json(msgspec.to_builtins(told))
        return
    _tell(told.changes, {(effect.kind, effect.name): effect for effect in told.effects})
    _tell_consequences(told)


def _counted(settings: Config, text: str, prune: bool) -> Plan | None:
    """Return the plan with whom it moves; nothing where Tekil has never run, so that there is nobody."""
    try:
        with Tekil(settings) as tekil:
            return msgspec.convert(tekil.plan(text, prune=prune), Plan, strict=False)
    except Unavailable as error:
        if error.code != "never_started":
            raise
        return None


@click.command("apply")
@paths
@prune
@click.option("--note", default="", help="Why; it stays with the version.")
@click.option("--wait/--no-wait", default=True, help="Stay until everybody's answers follow.")
@as_json
@click.pass_context
def apply_command(
    context: click.Context, files: Sequence[Path], prune: bool, note: str, wait: bool, json: bool
) -> None:
    """Put the definitions in FILES in force. Every version is kept, with your name."""
    wanted, settings = _read(files), config.load(existing(context))
    with opened_store(settings.root) as store:
        changes = apply(
            store, KINDS, wanted, author=getpass.getuser(), note=check_typed(note, "The note"), prune=prune
        )
        revision = store.definitions.revision()
    is_there = any(change.kind in BACKFILLED for change in changes) and wait and _followed(settings, revision)
    if json:
        print_json(msgspec.to_builtins(changes))
        return
    _tell(changes, {})
    if changes:
        say("In force, for what is loaded from now on.")
    if is_there:
        say("Everybody's features and audiences follow.")
    elif any(change.kind in BACKFILLED for change in changes):
        say("Features and audiences are worked out for everybody, from what happened, as soon as Tekil runs.")


def _followed(settings: Config, revision: int) -> bool:
    """Show how far the engine has come, until all answers follow a revision; False where none runs."""
    try:
        with Tekil(settings) as tekil, bar() as show:
            while tekil.is_running:
                told = tekil.doing()
                if told["what"]:
                    show(told["what"], told["done"], told["all"])
                elif told["definitions"] >= revision:
                    return True
                time.sleep(LOOK_SECONDS)
    except Unavailable:
        # Never started, or stopped meanwhile: whenever it runs, it follows.
        return False
    return False


@click.command()
@paths
@prune
@click.pass_context
def diff(context: click.Context, files: Sequence[Path], prune: bool) -> None:
    """Compare the definitions in FILES with those in force, line by line.

    Exits with 1 where anything differs, so that a script can tell.
    """
    wanted = {(one.definition.kind, one.definition.name): one.definition for one in _read(files)}
    with opened_store(existing(context)) as store:
        current = {(v.kind, v.name): stored(v) for v in store.definitions.current()}
    was = {key: current.get(key) for key in wanted}
    was |= {
        (kind, new): current[kind, old]
        for (kind, old), new in renames(list(wanted.values()), current).items()
    }
    gone = {(d.kind, d.name) for d in was.values() if d is not None}
    lines = [line for key, definition in sorted(wanted.items()) for line in difference(was[key], definition)]
    for key, definition in sorted(current.items()) if prune else ():
        lines += [] if key in gone else difference(definition, None)
    for line in lines:
        click.echo(click.style(line, fg=COLOURS.get(line[:1])))
    sys.exit(1 if lines else 0)


@click.group()
def definitions() -> None:
    """List, export and look back at definitions."""


@definitions.command("list")
@as_json
@click.pass_context
def list_definitions(context: click.Context, json: bool) -> None:
    """List the definitions in force."""
    with opened_store(existing(context)) as store:
        rows = [
            {
                "kind": v.kind,
                "name": v.name,
                "version": v.version,
                "author": v.author,
                "at": _instant(v.applied_at),
            }
            for v in store.definitions.current()
        ]
    print_rows(rows, json)


@definitions.command("history")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@click.pass_context
def history(context: click.Context, limit: int, json: bool) -> None:
    """List the last changes: what, by whom, when and why."""
    with opened_store(existing(context)) as store:
        rows = [
            {
                "at": _instant(v.applied_at),
                "author": v.author,
                "kind": v.kind,
                "name": v.name,
                "version": v.version,
                "what": "removed" if v.body is None else "set",
                "note": v.note,
            }
            for v in store.definitions.changes(limit)
        ]
    print_rows(rows, json)


@definitions.command("show")
@click.argument("kind")
@click.argument("name")
@click.option(
    "--version", "number", type=click.IntRange(1), help="A former version; otherwise that in force."
)
@click.pass_context
def show(context: click.Context, kind: str, name: str, number: int | None) -> None:
    """Print a definition as YAML; `tekil apply` takes it as it is, so that a former one is restored."""
    with opened_store(existing(context)) as store:
        versions = store.definitions.history(kind, name)
    found = [v for v in versions if number in (None, v.version)][:1]
    if not found or found[0].body is None:
        raise NotFound(
            f"There is no {kind} {name!r}{f' of version {number}' if number else ''} in force; "
            "see `tekil definitions history`.",
            code="definition_unknown",
        )
    click.echo(dump([stored(found[0])]), nl=False)


@definitions.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def export(context: click.Context, folder: Path) -> None:
    """Write what is in force into FOLDER, a file for each definition. `tekil apply` reads it back."""
    with opened_store(existing(context)) as store:
        current = [stored(version) for version in store.definitions.current()]
    taken: set[Path] = set()
    for definition in current:
        stem = re.sub(r"[^\w-]+", "_", definition.name.lower()).strip("_") or "definition"
        path = folder / definition.kind / f"{stem}.yaml"
        # Names that differ only in what a file's name cannot hold go side by side.
        number = 1
        while path in taken:
            number += 1
            path = folder / definition.kind / f"{stem}-{number}.yaml"
        taken.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dump([definition]), encoding="utf-8")
    click.echo(f"Wrote {len(current)} definitions into {folder}.")


def _read(files: Sequence[Path]) -> list[Written]:
    wanted = read(files)
    if not wanted:
        raise BadRequest(
            f"There is no definition in {', '.join(map(str, files))}: files end in .yaml or .yml.",
            code="definitions_missing",
        )
    return wanted


def _tell(changes: Sequence[Change], effects: Mapping[Key, Effect]) -> None:
    if not changes:
        click.echo("Everything is in force as it is written.")
    for change in changes:
        sign, colour = SIGNS[change.action]
        renamed = f" (was {change.renamed_from})" if change.renamed_from else ""
        head = f"{sign} {change.kind} {change.name}{renamed}  (version {change.version})"
        click.echo(click.style(head, fg=colour))
        for field in change.fields if change.action != "removed" else []:
            before = "" if field.before is None else f"{_shown(field.before)} → "
            click.echo(f"    {field.path}: {before}{_shown(field.after)}")
        if (change.kind, change.name) in effects:
            click.echo(f"    {_moved(effects[change.kind, change.name])}")


def _tell_consequences(told: Plan) -> None:
    """Tell what else would mean something else, what it costs, and how the people were counted."""
    effects = {(effect.kind, effect.name): effect for effect in told.effects}
    if told.dependents:
        click.echo("These follow:")
    for one in told.dependents:
        effect = effects.get((one.kind, one.name))
        moved = f": {_moved(effect)}" if effect else ""
        click.echo(f"  {one.kind} {one.name} (through {', '.join(one.through)}){moved}")
    if told.backfill:
        click.echo("It takes one pass over everything that happened (a backfill).")
    if told.counted_at:
        click.echo(f"People are counted as of {told.counted_at:%Y-%m-%d %H:%M:%SZ}.")
    elif told.uncounted:
        click.echo(f"Nobody could be counted. {told.uncounted}")


def _moved(effect: Effect) -> str:
    """Return in words whom a definition would move."""
    if effect.kind == FEATURE_KIND.name:
        return f"{_people(effect.people)} with an answer; another one than now for {effect.other:,}"
    return f"{_people(effect.people)} in; {effect.entering:,} come, {effect.leaving:,} go"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _shown(value: Any) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _instant(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
