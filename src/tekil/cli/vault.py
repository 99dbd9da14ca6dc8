"""`tekil vault`."""

from __future__ import annotations

import click

from tekil import config
from tekil.cli.opening import opened_store
from tekil.cli.telling import as_json, existing, print_json, print_rows, say
from tekil.errors import Refused
from tekil.library import Tekil
from tekil.privacy import KeyRing, Vault, open_keys, open_vault, read_master_key


@click.group()
def vault() -> None:
    """Look after the keys that personal values are sealed by."""


@vault.command("status")
@as_json
@click.pass_context
def status(context: click.Context, json: bool) -> None:
    """Show how many values are sealed, and by which keys. Shows no key and no value."""
    with opened_store(existing(context)) as store:
        values = store.sealed_values.count()
        keys = [
            {"id": k.id, "purpose": k.purpose, "master": k.master, "created_at": k.created_at}
            for k in store.data_keys.all()
        ]
    if json:
        print_json({"values": values, "keys": keys})
        return
    click.echo(f"{values:,} values are sealed.")
    print_rows(keys, False)


@vault.command("rotate")
@click.pass_context
def rotate(context: click.Context) -> None:
    """Seal all values anew with a new key, and destroy the old one. Tekil may run meanwhile."""
    settings = config.load(existing(context))
    with Tekil(settings) as tekil:
        if tekil.is_running:
            told = tekil.json("POST", "/v1/engine/vault/rotate")
            click.echo(f"Sealed {told['values']:,} values anew.")
            return
    with opened_store(existing(context)) as store:
        sealed = open_vault(store, open_keys(settings, store)).rekey()
        click.echo(f"Sealed {sealed:,} values anew.")


@vault.command("rewrap")
@click.argument("source", metavar="SOURCE")
@click.pass_context
def rewrap(context: click.Context, source: str) -> None:
    """Wrap all keys by the master key at SOURCE (file:…, env:NAME or command:…). Tekil must be stopped."""
    settings = config.load(existing(context))
    with Tekil(settings) as tekil:
        if tekil.is_running:
            raise Refused(
                "Tekil is running, and would go on wrapping new keys by the old master key. Stop it first.",
                code="running",
            )
    master = read_master_key(source, settings.root)
    with opened_store(existing(context)) as store:
        count = open_keys(settings, store).rewrap(master)
        # Said only after a look: a key that cannot be read back would be found when it is needed most.
        Vault(store.sealed_values, KeyRing(store.data_keys, master)).token("name", "")
    click.echo(f"{count} keys are wrapped by the master key {master.name}.")
    say(f'Now set keys.master = "{source}" in tekil.toml, and keep a copy of the key elsewhere.')
