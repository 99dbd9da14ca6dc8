"""`tekil key`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click

from tekil.cli.opening import here, opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.privacy.typed import check_typed, typed_condition
from tekil.store.keys import DAY_US, HOUR_US


class Span(click.ParamType[int]):
    """A span of days or hours, such as 90d; in microseconds."""

    name = "span"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the span, or say how one is written."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9]\d{0,4})([dh])", value)
        if found is None:
            self.fail(f"{value!r} is no span; write one like 90d or 12h.", param, ctx)
        return int(found.group(1)) * (DAY_US if found.group(2) == "d" else HOUR_US)


@click.group()
def key() -> None:
    """Make, list, renew and revoke keys."""


@key.command("create")
@click.option("--source", help="A write key for this source, which is made if it is new.")
@click.option("--api", is_flag=True, help="An API key instead, to read with.")
@click.option("--scope", "scopes", multiple=True, help="What an API key may do; may be given many times.")
@click.option("--name", default="", help="What an API key is for.")
@click.option("--expires", type=Span(), help="How long an API key works: 90d or 12h. For ever otherwise.")
@click.option("--only", default="", metavar="TRAIT=VALUE,…", help="Whose profiles an API key reads.")
@as_json
@click.pass_context
def create(
    context: click.Context,
    source: str | None,
    api: bool,
    scopes: Sequence[str],
    name: str,
    expires: int | None,
    only: str,
    json: bool,
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
            made = store.keys.create_write_key(check_typed(source, "The source's name"), here())
            told: dict[str, Any] = {"key": made.key, "source": source}
        else:
            api_key, secret = store.keys.create_api_key(
                check_typed(name, "The key's name") or "from the command line",
                list(scopes),
                here(),
                lasts_us=expires,
                condition=typed_condition(only),
            )
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
                "enabled": not k.revoked and not k.expired,
            }
            for k in store.keys.api_keys()
        ]
    print_rows(rows, json)


@key.command("rotate")
@click.argument("key_id")
@click.option("--overlap", type=Span(), default="24h", show_default=True, help="How long the old one works.")
@as_json
@click.pass_context
def rotate(context: click.Context, key_id: str, overlap: int, json: bool) -> None:
    """Give an API key a new secret; programs have a while to change over."""
    with opened_store(existing(context)) as store:
        secret = store.keys.rotate_api_key(key_id, overlap, here())
    if json:
        print_json({"key": secret, "id": key_id})
    else:
        click.echo(secret)
        say("It is shown this once; only its hash is kept.")


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
