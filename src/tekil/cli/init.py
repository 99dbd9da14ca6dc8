"""`tekil init`."""

from __future__ import annotations

from pathlib import Path

import click

from tekil import config

PORT = click.IntRange(1, 65535)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--collect-port", type=PORT, default=8000, show_default=True, help="Where SDKs send.")
@click.option(
    "--console-port", type=PORT, default=8001, show_default=True, help="Where the console and the API are."
)
@click.option("--name", default="Tekil", show_default=True, help="What the installation is called.")
@click.pass_obj
def init(obj: Path, folder: Path | None, collect_port: int, console_port: int, name: str) -> None:
    """Write a tekil.toml into FOLDER (the current one otherwise)."""
    path = config.write_template(
        folder or obj, name=name, collect_port=collect_port, console_port=console_port
    )
    click.echo(f"Wrote {path}")
    where = f" --dir {folder}" if folder else ""
    click.echo(f"Next: tekil{where} up, then tekil{where} key create --source web")
