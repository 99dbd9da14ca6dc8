"""`tekil` itself. A command's module is loaded when the command is asked for, so that help is quick."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from tekil import __version__
from tekil.cli.telling import complain
from tekil.errors import TekilError

COMMANDS = {
    "init": ("tekil.cli.init:init", "Write a tekil.toml into FOLDER."),
    "up": ("tekil.cli.up:up", "Run Tekil until stopped."),
    "demo": ("tekil.cli.demo:demo", "Start Tekil, and a simulated shop that talks to it."),
    "vault": ("tekil.cli.vault:vault", "Look after the keys that personal values are sealed by."),
    "key": ("tekil.cli.keys:key", "Make, list, renew and revoke keys."),
    "import": ("tekil.cli.imports:import_file", "Send the rows of a file through the door."),
    "acquisition": ("tekil.cli.acquisition:acquisition", "See what advertising cost and brought."),
    "profile": ("tekil.cli.looking:profile", "Show a person."),
    "sql": ("tekil.cli.looking:sql", "Run one SELECT over the warehouse."),
    "readiness": ("tekil.cli.readiness:readiness", "Show what is ready, and what asks for somebody."),
    "status": ("tekil.cli.looking:status", "Show the ledger: what was accepted, what became of it."),
    "user": ("tekil.cli.users:user", "Make, list and change the users of the console."),
    "audit": ("tekil.cli.audit:audit", "Look through the audit trail, and verify it."),
    "plan": ("tekil.cli.definitions:plan_command", "Show what applying definitions would change."),
    "diff": ("tekil.cli.definitions:diff", "Compare definitions with those in force, line by line."),
    "apply": ("tekil.cli.definitions:apply_command", "Put definitions in force."),
    "export": ("tekil.cli.definitions:export", "Write the definitions in force into a folder."),
    "definitions": ("tekil.cli.definitions:definitions", "List, export and look back at definitions."),
    "starters": ("tekil.cli.starters:starters", "Features and audiences of the trade, to begin with."),
    "dictionary": ("tekil.cli.dictionary:dictionary", "Draft, import and export the event dictionary."),
    "quarantine": ("tekil.cli.quarantine:quarantine", "Look at what could not be loaded; replay it."),
    "identity": ("tekil.cli.identity:identity", "Explain who is who, merge and split people."),
    "rebuild": ("tekil.cli.deriving:rebuild", "Derive everything anew from the events."),
    "verify": ("tekil.cli.deriving:verify_command", "Compare a fresh rebuild with what is live."),
    "leads": ("tekil.cli.leads:leads", "Who wants to be called, and what becomes of them."),
    "retention": ("tekil.cli.retention:retention", "How long things are kept, and what went."),
    "consent": ("tekil.cli.consents:consent", "Look at consents, record them, link to the page for them."),
    "request": ("tekil.cli.requests:request", "Take in what people ask for by right, and answer it."),
    "erase": ("tekil.cli.erasing:erase", "Erase a person from everything that is kept, and prove it."),
    "export-person": ("tekil.cli.requests:export_person", "Print everything that is held about a person."),
}
"""Name → where the command is, and what it does in a line."""


class LazyGroup(click.Group):
    """A group whose commands are loaded one by one, on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands' names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command; return nothing where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="tekil")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The installation's folder; the current one otherwise.",
)
@click.pass_context
def cli(context: click.Context, folder: Path) -> None:
    """Tekil: collect what customers do, work out who is who, act on it."""
    context.obj = folder


def main() -> None:
    """Run the command line; an error that a person can mend is told in a sentence, not in a traceback."""
    try:
        sys.exit(cli(standalone_mode=False))
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TekilError as error:
        complain(error.message)
        sys.exit(1)
