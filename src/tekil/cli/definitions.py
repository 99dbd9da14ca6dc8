"""`tekil plan`, `tekil apply` and `tekil definitions`."""

from __future__ import annotations

import getpass
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from tekil.cli.opening import opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.definitions import Change, Written, apply, check, dump, plan, read, stored
from tekil.errors import BadRequest
from tekil.kinds import KINDS
from tekil.models import AUDIENCE_KIND, FEATURE_KIND
from tekil.privacy.typed import check_typed

SIGNS = {"new": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}

paths = click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path, exists=True), required=True, metavar="FILES|FOLDERS"
)
prune = click.option("--prune", is_flag=True, help="Remove what is in force and not in the files.")


@click.command("plan")
@paths
@prune
@as_json
@click.pass_context
def plan_command(context: click.Context, files: Sequence[Path], prune: bool, json: bool) -> None:
    """Show what applying the definitions in FILES would change, field by field. Changes nothing."""
    wanted = _read(files)
    with opened_store(existing(context)) as store:
        staying = [] if prune else [stored(version) for version in store.definitions.current()]
        check(KINDS, wanted, staying)
        changes = plan(store, [one.definition for one in wanted], prune=prune)
    _tell(changes, json)


@click.command("apply")
@paths
@prune
@click.option("--note", default="", help="Why; it stays with the version.")
@as_json
@click.pass_context
def apply_command(context: click.Context, files: Sequence[Path], prune: bool, note: str, json: bool) -> None:
    """Put the definitions in FILES in force. Every version is kept, with your name."""
    wanted = _read(files)
    with opened_store(existing(context)) as store:
        changes = apply(
            store, KINDS, wanted, author=getpass.getuser(), note=check_typed(note, "The note"), prune=prune
        )
    _tell(changes, json)
    if changes and not json:
        say("In force, for what is loaded from now on.")
    if any(change.kind in (FEATURE_KIND.name, AUDIENCE_KIND.name) for change in changes) and not json:
        say("Features and audiences are worked out for everybody, from what happened, as soon as Tekil runs.")


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


def _tell(changes: Sequence[Change], json: bool) -> None:
    if json:
        print_json(msgspec.to_builtins(changes))
        return
    if not changes:
        click.echo("Everything is in force as it is written.")
    for change in changes:
        sign, colour = SIGNS[change.action]
        click.echo(click.style(f"{sign} {change.kind} {change.name}  (version {change.version})", fg=colour))
        for field in change.fields if change.action != "removed" else []:
            before = "" if field.before is None else f"{_shown(field.before)} → "
            click.echo(f"    {field.path}: {before}{_shown(field.after)}")


def _shown(value: Any) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _instant(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
