"""`tekil consent`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tekil import config
from tekil.api.consents import link_view, microseconds, split
from tekil.api.model import from_us
from tekil.cli.opening import opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.config import Config
from tekil.errors import BadRequest
from tekil.privacy import open_keys, open_vault
from tekil.privacy.consents import state
from tekil.privacy.ledger import ConsentLedger, open_ledger
from tekil.store.consent_entries import Entry

YES = {"1", "true", "yes", "evet", "onay", "given"}
NO = {"0", "false", "no", "hayır", "hayir", "ret", "withdrawn"}


@contextmanager
def opened_ledger(context: click.Context) -> Iterator[tuple[ConsentLedger, Config]]:
    """Open the installation's ledger; close its store at the end of the block."""
    folder = existing(context)
    settings = config.load(folder)
    with opened_store(folder) as store:
        vault = open_vault(store, open_keys(settings, store))
        yield open_ledger(store, vault, settings.consent), settings


@click.group()
def consent() -> None:
    """Look at consents, record them, link to the page where people choose."""


@consent.command("get")
@click.argument("identifier")
@click.option("--history", is_flag=True, help="Everything that was ever chosen, not only what holds.")
@as_json
@click.pass_context
def show(context: click.Context, identifier: str, history: bool, json: bool) -> None:
    """Show what IDENTIFIER (such as email:ayse@example.com) allows."""
    with opened_ledger(context) as (ledger, _):
        entries = ledger.entries([split(identifier)])
    shown = entries if history else list(state(entries).values())
    print_rows([_row(entry) for entry in shown], json)


_purpose = click.option("--purpose", required=True, help="What for: marketing, analytics, …")
_channel = click.option("--channel", required=True, help="How: email, sms, call, whatsapp, push, web.")
_source = click.option("--source", default="cli", show_default=True, help="Where the choice was made.")
_at = click.option("--at", type=click.DateTime(), help="When it was made, UTC; now otherwise.")


@consent.command()
@click.argument("identifier")
@_purpose
@_channel
@_source
@_at
@click.pass_context
def give(
    context: click.Context, identifier: str, purpose: str, channel: str, source: str, at: datetime | None
) -> None:
    """Record that IDENTIFIER gave a consent."""
    _record(context, identifier, purpose, channel, True, source, at)


@consent.command()
@click.argument("identifier")
@_purpose
@_channel
@_source
@_at
@click.pass_context
def withdraw(
    context: click.Context, identifier: str, purpose: str, channel: str, source: str, at: datetime | None
) -> None:
    """Record that IDENTIFIER withdrew a consent."""
    _record(context, identifier, purpose, channel, False, source, at)


def _record(
    context: click.Context,
    identifier: str,
    purpose: str,
    channel: str,
    given: bool,
    source: str,
    at: datetime | None,
) -> None:
    with opened_ledger(context) as (ledger, _):
        ledger.record(
            *split(identifier),
            purpose,
            channel,
            given,
            source=source,
            recorded_by="command line",
            at=None if at is None else microseconds(at),
        )
    click.echo("Recorded.")


@consent.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", default="import", show_default=True, help="Where the choices were made.")
@click.pass_context
def import_file(context: click.Context, file: Path, source: str) -> None:
    """Record the rows of a CSV file: identifier, purpose, channel, given, at; others are kept as proof.

    `identifier` is kind:value, `given` yes or no, `at` ISO 8601. It can be run again: a choice that is there
    is not recorded twice.
    """
    recorded = 0
    wrong = 0
    with opened_ledger(context) as (ledger, _), file.open(encoding="utf-8-sig", newline="") as rows:
        for number, row in enumerate(csv.DictReader(rows), 2):
            try:
                _record_row(ledger, {k: v for k, v in row.items() if k is not None}, source)
                recorded += 1
            except BadRequest as error:
                wrong += 1
                say(f"row {number}: {error.message}")
    click.echo(f"{recorded + wrong} rows: {recorded} recorded, {wrong} refused.")
    if wrong:
        context.exit(1)


def _record_row(ledger: ConsentLedger, row: dict[str, Any], source: str) -> None:
    told = {name: (row.pop(name, None) or "").strip() for name in ("identifier", "purpose", "channel")}
    given = (row.pop("given", None) or "").strip().lower()
    if given not in YES | NO:
        raise BadRequest(f"given is {given!r}; write yes or no.", code="given_unknown")
    try:
        at = microseconds(datetime.fromisoformat((row.pop("at", None) or "").strip()))
    except ValueError as error:
        text = "at is no instant; write one like 2026-01-31T12:00:00Z."
        raise BadRequest(text, code="instant_invalid") from error
    ledger.record(
        *split(told["identifier"]),
        told["purpose"],
        told["channel"],
        given in YES,
        source=source,
        recorded_by="command line",
        at=at,
        text_version=row.pop("text_version", None) or "",
        proof={name: value for name, value in row.items() if value},
    )


@consent.command()
@click.argument("identifier")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it opens; as tekil.toml says otherwise.")
@click.option("--purpose", default="", help="With --channel: what one click in a mail program ends.")
@click.option("--channel", default="", help="See --purpose.")
@as_json
@click.pass_context
def link(
    context: click.Context, identifier: str, days: int | None, purpose: str, channel: str, json: bool
) -> None:
    """Make a link to the page where IDENTIFIER's owner sees and changes their consents."""
    with opened_ledger(context) as (ledger, settings):
        text = ledger.link(*split(identifier), days or settings.consent.link_days, purpose, channel)
        made = link_view(settings, text, one_click=bool(purpose and channel))
    if json:
        print_json({"url": made.url, "headers": made.headers})
        return
    click.echo(made.url)
    for name, value in made.headers.items():
        say(f"{name}: {value}")


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "purpose": entry.purpose,
        "channel": entry.channel,
        "state": "given" if entry.given else "withdrawn",
        "at": from_us(entry.at).isoformat(timespec="seconds"),
        "source": entry.source,
        "recorded_by": entry.recorded_by,
    }
