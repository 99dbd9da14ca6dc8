"""`tekil identity organisations` and `tekil identity households`: who belongs together."""

from __future__ import annotations

from typing import Any

import click

from tekil import config
from tekil.cli.telling import as_json, existing, print_json, print_table
from tekil.library import Tekil


@click.command("organisations")
@click.argument("which", default="")
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="How many.")
@as_json
@click.pass_context
def organisations(context: click.Context, which: str, limit: int, json: bool) -> None:
    """List organisations; or show WHICH (group:… or domain:…), or those whose id holds it."""
    with Tekil(config.load(existing(context))) as tekil:
        if which.partition(":")[0] in ("group", "domain"):
            _show_organisation(tekil.organisation(which), json)
            return
        found = tekil.organisations(which, limit)
    if json:
        print_json(found)
    elif not found:
        click.echo("There is no organisation.")
    else:
        rows = [[one["id"], one["name"], str(one["people"]), _day(one["last_seen"])] for one in found]
        print_table(["organisation", "name", "people", "last seen"], rows)


def _show_organisation(told: dict[str, Any], json: bool) -> None:
    if json:
        print_json(told)
        return
    one = told["organisation"]
    click.echo(f"{one['name']} ({one['id']}): {one['people']} people, {told['events']} events.")
    for name, value in told["traits"].items():
        click.echo(f"  {name}: {value}")
    for account in told["accounts"]:
        click.echo(f"  used by {account['people']}: {account['kind']}:{account['value']}")
    _print_people(told["people"])


@click.command("households")
@click.argument("which", required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="How many.")
@as_json
@click.pass_context
def households(context: click.Context, which: str | None, limit: int, json: bool) -> None:
    """List households with what their people have in common; or show WHICH, and its people."""
    with Tekil(config.load(existing(context))) as tekil:
        if which is not None:
            told = tekil.household(which)
            if json:
                print_json(told)
                return
            click.echo(_common(told["household"]))
            _print_people(told["people"])
            return
        found = tekil.households(limit)
    if json:
        print_json(found)
    elif not found:
        click.echo("There is no household.")
    else:
        rows = [[one["id"], str(one["people"]), _common(one), _day(one["last_seen"])] for one in found]
        print_table(["household", "people", "in common", "last seen"], rows)


def _common(household: dict[str, Any]) -> str:
    return ", ".join(f"{one['how']} {one['value']}" for one in household["common"])


def _print_people(people: list[dict[str, Any]]) -> None:
    rows = [
        [one["person_id"], ", ".join(f"{i['kind']}:{i['value']}" for i in one["identifiers"][:3])]
        for one in people
    ]
    print_table(["person", "known as"], rows)


def _day(instant: str) -> str:
    return str(instant).replace("T", " ")[:16]
