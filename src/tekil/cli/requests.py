"""`tekil request` and `tekil export-person`: what people ask for by right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
import httpx

from tekil import config
from tekil.access.audit import Act
from tekil.api.consents import microseconds, split
from tekil.api.model import from_us
from tekil.cli.consents import opened_ledger
from tekil.cli.opening import here
from tekil.cli.telling import as_json, existing, print_json, print_rows
from tekil.library import Tekil
from tekil.log import open_log
from tekil.privacy import DayKeys, open_keys
from tekil.privacy.desk import CHANNELS, DECISIONS, IDENTITY, KINDS, Desk, urgency
from tekil.privacy.rectification import Rectification
from tekil.store.clock import now_us
from tekil.store.requests import CLOSED, OPEN, SubjectRequest

COMMAND_LINE = "command line"


@contextmanager
def opened_desk(context: click.Context) -> Iterator[Desk]:
    """Open the installation's request desk; close its places at the end of the block."""
    with opened_ledger(context) as (ledger, settings):
        log = open_log(settings.resolve(settings.log), DayKeys(open_keys(settings, ledger.store)))
        try:
            yield Desk(ledger, settings.workspace.timezone, rectification=Rectification(log))
        finally:
            log.close()


@click.group()
def request() -> None:
    """Take in what people ask for by right, and answer it in time."""


@request.command()
@click.argument("identifier")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What is asked for.")
@click.option("--channel", type=click.Choice(CHANNELS), default="email", show_default=True)
@click.option("--received", type=click.DateTime(), help="When it came in, UTC; now otherwise.")
@click.option("--notes", default="", help="What the person wrote, or where it is filed.")
@as_json
@click.pass_context
def create(
    context: click.Context,
    identifier: str,
    kind: str,
    channel: str,
    received: datetime | None,
    notes: str,
    json: bool,
) -> None:
    """Take in a request about IDENTIFIER (such as email:ayse@example.com)."""
    with opened_desk(context) as desk:
        made = desk.create(
            kind,
            split(identifier),
            channel=channel,
            created_by=COMMAND_LINE,
            received_at=None if received is None else microseconds(received),
            notes=notes,
        )
    if json:
        print_json(_row(made))
    else:
        click.echo(f"{made.id}  due {from_us(made.due_at):%Y-%m-%d}")


@request.command("list")
@click.option("--closed", is_flag=True, help="The answered ones instead.")
@as_json
@click.pass_context
def list_requests(context: click.Context, closed: bool, json: bool) -> None:
    """List open requests, the most urgent first."""
    with opened_desk(context) as desk:
        found = desk.requests.of_status(CLOSED if closed else OPEN)
    print_rows([_row(one) for one in found], json)


@request.command()
@click.argument("request_id")
@click.argument("identity", type=click.Choice(IDENTITY))
@click.pass_context
def identity(context: click.Context, request_id: str, identity: str) -> None:
    """Note whether the person behind REQUEST_ID is who they say."""
    with opened_desk(context) as desk:
        desk.set_identity(request_id, identity)
    click.echo("Noted.")


@request.command()
@click.argument("request_id")
@click.argument("trait")
@click.argument("value")
@click.pass_context
def correct(context: click.Context, request_id: str, trait: str, value: str) -> None:
    """Say for REQUEST_ID what a TRAIT of the person rightly is: through the log, outranking all others."""
    with opened_desk(context) as desk:
        card = desk.correct(request_id, trait, value)
        desk.ledger.store.audit.append(
            here(), Act.RECTIFIED, "person", card.person_id, trait=trait, request=request_id
        )
    click.echo("Said; it is loaded in a moment.")


@request.command()
@click.argument("request_id")
@click.option("--decision", type=click.Choice(DECISIONS), required=True)
@click.option("--notes", default="", help="The reason, or what was done.")
@click.pass_context
def close(context: click.Context, request_id: str, decision: str, notes: str) -> None:
    """Answer REQUEST_ID, and do what the answer says."""
    with opened_desk(context) as desk:
        desk.close(request_id, decision, notes, COMMAND_LINE)
    click.echo("Closed.")


@click.command("export-person")
@click.argument("reference")
@click.pass_context
def export_person(context: click.Context, reference: str) -> None:
    """Print everything that is held about REFERENCE (a person id or email:…) as JSON."""
    with Tekil(config.load(existing(context))) as tekil:
        quoted = httpx.URL(path=reference).raw_path.decode()
        print_json(tekil.json("GET", f"/v1/profiles/{quoted}/export"))


def _row(request: SubjectRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": request.kind,
        "received": from_us(request.received_at).isoformat(timespec="seconds"),
        "due": from_us(request.due_at).isoformat(timespec="seconds"),
        "urgency": urgency(request, now_us()),
        "identity": request.identity,
        "status": request.status,
        "decision": request.decision,
    }
