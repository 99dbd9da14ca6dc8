"""`tekil user`: who may sign in, from the machine itself, where no second factor is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tekil.access.policy import ROLES
from tekil.cli.opening import here, opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.config import load
from tekil.errors import NotFound
from tekil.privacy.typed import typed_condition

ONCE = "It is shown this once, and is changed at the first sign-in."


@click.group()
def user() -> None:
    """Make, list and change the users of the console."""


@user.command("create")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help=f"One of {', '.join(ROLES)}; may be given many times.")
@click.option("--only", default="", metavar="TRAIT=VALUE,…", help="Narrow whom they see: city=İzmir,Manisa.")
@as_json
@click.pass_context
def create(context: click.Context, name: str, roles: Sequence[str], only: str, json: bool) -> None:
    """Make a user and print the password for their first sign-in."""
    with opened_store(existing(context)) as store:
        password = store.users.create(name, roles, typed_condition(only), here())
    _print_password(name, password, json)


@user.command("list")
@as_json
@click.pass_context
def list_users(context: click.Context, json: bool) -> None:
    """List the users with their roles."""
    with opened_store(existing(context)) as store:
        rows = [
            {
                "name": known.name,
                "roles": " ".join(known.roles),
                "only": str(known.condition or ""),
                "enabled": not known.disabled,
                "second_factor": known.has_second_factor,
            }
            for known in store.users.all()
        ]
    print_rows(rows, json)


@user.command("role")
@click.argument("name")
@click.argument("roles", nargs=-1, required=True)
@click.option("--only", default="", metavar="TRAIT=VALUE,…", help="Narrow whom they see; everybody without.")
@click.pass_context
def set_roles(context: click.Context, name: str, roles: Sequence[str], only: str) -> None:
    """Give a user these roles and no others."""
    with opened_store(existing(context)) as store:
        store.users.set_roles(name, roles, typed_condition(only), here())
    click.echo(f"{name}: {' '.join(roles)}")


@user.command("disable")
@click.argument("name")
@click.pass_context
def disable(context: click.Context, name: str) -> None:
    """Let a user sign in no longer, and end their sessions."""
    with opened_store(existing(context)) as store:
        store.users.set_enabled(name, False, here())
    click.echo("Disabled.")


@user.command("enable")
@click.argument("name")
@click.pass_context
def enable(context: click.Context, name: str) -> None:
    """Let a user sign in again; one who is locked out by wrong passwords is let out."""
    with opened_store(existing(context)) as store:
        store.users.set_enabled(name, True, here())
    click.echo("Enabled.")


@user.command("password")
@click.argument("name")
@click.option("--forget-second-factor", is_flag=True, help="Also take away a second factor that was lost.")
@as_json
@click.pass_context
def reset_password(context: click.Context, name: str, forget_second_factor: bool, json: bool) -> None:
    """Give a user a new password for one sign-in, and print it."""
    with opened_store(existing(context)) as store:
        password = store.users.reset_password(name, here())
        if forget_second_factor:
            store.second_factors.remove(name, here())
            store.passkeys.remove_all(name, here())
    _print_password(name, password, json)


@user.command("link")
@click.argument("name")
@click.option("--provider", required=True, help="The provider's name in tekil.toml.")
@click.option("--subject", required=True, help="Who they are there: the claim `sub`.")
@click.pass_context
def link(context: click.Context, name: str, provider: str, subject: str) -> None:
    """Say that somebody at a sign-in provider is a user who is here already."""
    folder = existing(context)
    config = load(folder)
    issuers = [known.issuer for known in config.access.providers if known.name == provider]
    if not issuers:
        raise NotFound(f"tekil.toml has no provider named {provider!r}.", code="provider_unknown")
    with opened_store(folder) as store:
        store.identities.link(name, issuers[0], subject, here())


def _print_password(name: str, password: str, json: bool) -> None:
    if json:
        print_json({"name": name, "password": password})
        return
    click.echo(password)
    say(ONCE)
