"""`tekil dictionary`: a draft from live traffic, and JSON Schema in and out."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from tekil import config
from tekil.cli.opening import opened_store
from tekil.cli.telling import existing, say
from tekil.definitions import Written, apply, dump, stored
from tekil.dictionary import Dictionary
from tekil.dictionary.inference import draft, event_names, look
from tekil.dictionary.json_schema import from_json_schema, to_json_schema
from tekil.errors import BadRequest, NotFound
from tekil.kinds import KINDS
from tekil.library import Tekil


@click.group()
def dictionary() -> None:
    """Draft, import and export the event dictionary."""


@dictionary.command("infer")
@click.argument("events", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Those that are defined already, too.")
@click.pass_context
def infer(context: click.Context, events: Sequence[str], everything: bool) -> None:
    """Print a draft, as YAML, of EVENTS (all that nobody defined, otherwise) from what was loaded."""
    folder, today = existing(context), datetime.now(UTC).date()
    with opened_store(folder) as store:
        known = {v.name for v in store.definitions.current("event")}
    with Tekil(config.load(folder)) as tekil:
        names = list(events) or [n for n in event_names(tekil.sql) if everything or n not in known]
        drafts = [draft(look(tekil.sql, name), today) for name in names]
    if not drafts:
        say("Every event that was loaded is defined.")
        return
    click.echo(dump(drafts), nl=False)
    say("Save it to a file, say what each event means, and `tekil apply` it.")


@dictionary.command("export")
@click.argument("event")
@click.pass_context
def export(context: click.Context, event: str) -> None:
    """Print EVENT as JSON Schema (draft 2020-12)."""
    with opened_store(existing(context)) as store:
        found = Dictionary.of([stored(v) for v in store.definitions.current("event")]).find(event)
    if found is None:
        raise NotFound(f"The dictionary has no event {event!r}.", code="event_unknown")
    click.echo(msgspec.json.format(msgspec.json.encode(to_json_schema(found)), indent=2).decode())


@dictionary.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--event", default="", help="The event's name, where a schema does not say it.")
@click.pass_context
def import_schemas(context: click.Context, files: Sequence[Path], event: str) -> None:
    """Define events from JSON Schemas."""
    wanted = []
    for file in files:
        try:
            schema = msgspec.json.decode(file.read_bytes())
        except msgspec.DecodeError as error:
            raise BadRequest(f"{file} is no JSON: {error}", code="schema_invalid") from error
        wanted.append(Written(from_json_schema(schema, event), str(file)))
    with opened_store(existing(context)) as store:
        changes = apply(store, KINDS, wanted, author=getpass.getuser(), note="imported from JSON Schema")
    click.echo(f"{len(changes)} of {len(wanted)} events changed.")
