"""`tekil key`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from tekil.cli.opening import here, opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, say


@click.group()
def key() -> None:
    """Make, list and revoke keys."""


@key.command("create")
@click.option("--source", help="A write key for this source, which is made if it is new.")
@click.option("--api", is_flag=True, help="An API key instead, to read with.")
@click.option("--scope", "scopes", multiple=True, help="What an API key may do; may be given many times.")
@click.option("--name", default="", help="What an API key is for.")
@as_json
@click.pass_context
def create(
    context: click.Context, source: str | None, api: bool, scopes: Sequence[str], name: str, json: bool
) -> None:
    """Make a write key (--source NAME) or an API key (--api --scope SCOPE)."""
    if api == bool(source):
        raise click.UsageError("Give either --source NAME, or --api with at least one --scope.")
    if api and not scopes:
        raise click.UsageError("An API key needs at least one --scope, for example --scope profiles:read.")
    if scopes and not api:
        raise click.UsageError("A write key has no scopes: it can send, and nothing else. Leave --scope out.")
    with opened_store(existing(context)) as store:
        if source:
            made = store.keys.create_write_key(source, here())
            told: dict[str, Any] = {"key": made.key, "source": source}
        else:
            api_key, secret = store.keys.create_api_key(name or "from the command line", list(scopes), here())
            told = {"key": secret, "id": api_key.id, "scopes": sorted(api_key.scopes)}
    if json:
        print_json(told)
    else:
        click.echo(told["key"])
        if api:
            say("It is shown this once; only its hash is kept.")


@key.command("list")
@as_json
@click.pass_context
def list_keys(context: click.Context, json: bool) -> None:
    """List write keys and API keys."""
    with opened_store(existing(context)) as store:
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
    print_rows(rows, json)


@key.command("revoke")
@click.argument("key_or_id")
@click.pass_context
def revoke(context: click.Context, key_or_id: str) -> None:
    """Make a write key, or the API key with this id, worthless from now on."""
    with opened_store(existing(context)) as store:
        if any(key_or_id == known.id for known in store.keys.api_keys()):
            store.keys.revoke_api_key(key_or_id, here())
        else:
            store.keys.revoke_write_key(key_or_id, here())
    click.echo("Revoked.")
