"""`tekil leads`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from tekil import config
from tekil.cli.opening import here, opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows
from tekil.leads import LeadDesk, Reader, Shown, open_desk
from tekil.leads.life import read_act
from tekil.privacy import open_keys, open_vault
from tekil.store.leads import OPEN


@click.group()
def leads() -> None:
    """Leads: who wants to be called, who has them, and what becomes of them."""


@leads.command("list")
@click.option("--pipeline", default="", help="Of one pipeline only.")
@click.option("--owner", default=None, help="Of one owner only.")
@click.option("--state", default="open", show_default=True, help="open, won, lost, duplicate, waiting, …")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@click.pass_context
def list_leads(
    context: click.Context, pipeline: str, owner: str | None, state: str, limit: int, json: bool
) -> None:
    """List leads, the newest first; addresses are masked."""
    states = OPEN if state == "open" else (state,)
    with opened_desk(existing(context)) as desk:
        found = desk.find(reader(), pipeline=pipeline, states=states, owner=owner, limit=limit)
    print_rows([_row(shown) for shown in found], json)


@leads.command("show")
@click.argument("lead")
@as_json
@click.pass_context
def show(context: click.Context, lead: str, json: bool) -> None:
    """Show what happened to a LEAD."""
    with opened_desk(existing(context)) as desk:
        told = desk.one(lead, reader())
    if json:
        print_json(msgspec.to_builtins(told))
        return
    rows = [
        {"at": _instant(e.at), "who": e.actor, "act": e.act, "details": _details(e.told())}
        for e in told.entries
    ]
    print_rows(rows, json=False)


@leads.command("act")
@click.argument("lead")
@click.argument("act")
@click.argument("what", default="")
@click.pass_context
def act_on(context: click.Context, lead: str, act: str, what: str) -> None:
    """Do something with a LEAD: accept, pass, contacted, reopen; or, with WHAT, move, won, lost, assign,
    worth, note, judge.
    """
    with opened_desk(existing(context)) as desk:
        after = desk.act(lead, read_act(act, what), reader())
    click.echo(f"{after.id}: {after.state}, {after.stage}, {after.owner or 'nobody'}")


@contextmanager
def opened_desk(folder: Path) -> Iterator[LeadDesk]:
    """Open the desk of the installation that governs a folder, until the end of the block."""
    settings = config.load(folder)
    with opened_store(folder) as store:
        yield open_desk(store, open_vault(store, open_keys(settings, store)), settings.workspace.timezone)


def reader() -> Reader:
    """Return who looks by the command line: this machine's user, who oversees everything."""
    return Reader(here().name, oversees=True)


def _row(shown: Shown) -> dict[str, Any]:
    lead = shown.lead
    return {
        "lead": lead.id,
        "who": shown.called,
        "state": lead.state,
        "stage": lead.stage,
        "owner": lead.owner,
        "source": lead.source,
        "channel": lead.channel,
        "value": None if lead.value is None else f"{lead.value / 100:.2f} {lead.currency}",
        "received": _instant(lead.received_at),
        "due": "" if lead.due_at is None or lead.contacted_at else _instant(lead.due_at),
    }


def _details(details: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in details.items())


def _instant(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
