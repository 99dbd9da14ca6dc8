"""`tekil audit`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
import msgspec

from tekil.access.audit import Entry, parse_head, verify
from tekil.cli.opening import opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows
from tekil.store.audit import Wanted


@click.group()
def audit() -> None:
    """Look through the audit trail, and verify it."""


@audit.command("list")
@click.option("--actor", default="", help="Only what this user, or the API key with this id, did.")
@click.option("--act", default="", help="Only acts of this kind, such as key.created.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@as_json
@click.pass_context
def list_entries(context: click.Context, actor: str, act: str, limit: int, json: bool) -> None:
    """List who did what, newest first."""
    with opened_store(existing(context)) as store:
        entries = store.audit.page(Wanted(actor, act), limit)
    print_rows([_row(entry, json) for entry in entries], json)


@audit.command("verify")
@click.option("--noted", metavar="HEAD", help="A head that an earlier run printed, kept outside.")
@as_json
@click.pass_context
def verify_trail(context: click.Context, noted: str | None, json: bool) -> None:
    """Walk the whole trail. Exits with 1, and names the first entry that does not fit, where one does not.

    Note the head it prints somewhere else: held against the trail later, it shows that nothing up to there
    was rewritten, not even by somebody who could write to the whole database.
    """
    expected = parse_head(noted) if noted else None
    with opened_store(existing(context)) as store:
        head = store.audit.head()
        # What is appended while we walk is not ours to judge: the walk ends at the head.
        entries = (entry for entry in store.audit.entries() if entry.number <= head.number)
        misfit = verify(entries, head, expected)
    if json:
        print_json({"holds": misfit is None, "head": str(head), "misfit": misfit})
    elif misfit is None:
        click.echo(f"{head.number} entries, each as it was written. The head is {head}")
    else:
        click.echo(f"Entry {misfit.number} does not fit: {misfit.reason}.")
    sys.exit(0 if misfit is None else 1)


def _row(entry: Entry, json: bool) -> dict[str, object]:
    at = datetime.fromtimestamp(entry.at / 1_000_000, UTC).isoformat(timespec="seconds")
    row: dict[str, object] = {"number": entry.number, "at": at, "actor": entry.actor, "act": entry.act}
    row["object"] = f"{entry.object_kind} {entry.object_id}".strip()
    if not json:
        return {**row, "from": entry.origin, "details": entry.details}
    told: dict[str, object] = msgspec.structs.asdict(entry)
    return {**told, "at": at, "details": msgspec.json.decode(entry.details)}
