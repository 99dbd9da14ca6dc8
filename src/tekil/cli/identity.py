"""`tekil identity`: why somebody is who they are, saying who is who, and how right it all is."""

from __future__ import annotations

import csv
import json as json_module
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from tekil import config
from tekil.cli.groupings import households, organisations
from tekil.cli.links import links
from tekil.cli.opening import here, opened_store
from tekil.cli.telling import as_json, existing, print_json, print_table, say
from tekil.errors import BadRequest
from tekil.identifiers import Policy
from tekil.identity import Quality, evaluate, identifier_key, resolve_unlinked
from tekil.library import Tekil
from tekil.load import sealed_identifier
from tekil.privacy import open_keys, open_vault


@click.group()
def identity() -> None:
    """Explain who is who, merge and split people, and measure how right it is."""


for command in (links, organisations, households):
    identity.add_command(command)


@identity.command("explain")
@click.argument("identifier")
@click.argument("other", required=False)
@as_json
@click.pass_context
def explain(context: click.Context, identifier: str, other: str | None, json: bool) -> None:
    """Show why IDENTIFIER (such as email:ayse@example.com) is of its person, or of one person with OTHER.

    The chain of evidence is told link by link; then what was refused, and why.
    """
    with Tekil(config.load(existing(context))) as tekil:
        told = tekil.explain(identifier, other)
    if json:
        print_json(told)
        return
    click.echo(f"{identifier} is {told['person_id']}.")
    if told["other_person_id"] not in (None, told["person_id"]):
        click.echo(f"{other} is {told['other_person_id']}: another person.")
    if told["shared"]:
        click.echo(f"It is shared ({told['shared']}), so it joins nobody.")
    _print_links("Evidence", told["chain"], ("how", "sources"))
    _print_links("Refused", told["refused"], ("kind",))
    for turn in told["turns"]:
        click.echo(f"{_day(turn['valid_from'])} to {_day(turn['valid_until'])}: {turn['person_id']}")


def _print_links(title: str, links: list[dict[str, Any]], more: tuple[str, ...]) -> None:
    if not links:
        return
    click.echo(f"\n{title}:")
    rows = [
        [
            f"{link['left']['kind']}:{link['left']['value']}",
            f"{link['right']['kind']}:{link['right']['value']}",
            *(", ".join(link[name]) if isinstance(link[name], list) else link[name] for name in more),
            str(link["messages"]),
            _day(link["last_seen"]),
        ]
        for link in links
    ]
    print_table(["one", "other", *more, "messages", "last seen"], rows)


def _day(instant: str) -> str:
    return str(instant).replace("T", " ")[:16]


def _command(name: str, act: str, text: str, *, pairs: bool) -> None:
    @identity.command(name, help=text)
    @click.argument("one")
    @click.option("--reason", default="", help="Why; it stays with what is said.")
    @click.option("--apply", "applies", is_flag=True, help="Say it. Without this, only the plan is shown.")
    @as_json
    @click.pass_context
    def command(
        context: click.Context, one: str, reason: str, applies: bool, json: bool, other: str | None = None
    ) -> None:
        with Tekil(config.load(existing(context))) as tekil:
            plan = tekil.plan_identity(act, one, other)
            if applies:
                plan = tekil.apply_identity(act, one, other, reason=reason, by=here())
        if json:
            print_json({"applied": applies, "plan": plan})
            return
        for party in plan["people"]:
            click.echo(f"{party['person_id']}: {party['identifiers']} identifiers, {party['events']} events")
        click.echo(plan["effect"])
        say(
            "Said; the engine acts on it in its next cycle."
            if applies
            else "Nothing is done yet: add --apply."
        )

    if pairs:
        command.params.insert(1, click.Argument(["other"]))


_command("merge", "merge", "Say that ONE and OTHER are one person.", pairs=True)
_command("split", "split", "Say that ONE and OTHER are two people.", pairs=True)
_command("unmerge", "withdraw", "Take back what was said of ONE and OTHER.", pairs=True)
_command("share", "share", "Say that many people use ONE, so that it joins nobody.", pairs=False)


@identity.command("evaluate")
@click.option(
    "--truth",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="A CSV with columns kind, value and person; or a truth.json of the demonstration.",
)
@as_json
@click.pass_context
def evaluate_command(context: click.Context, truth: Path, json: bool) -> None:
    """Compare the persons found with who is truly who: precision, recall and F1 of pairs and of clusters."""
    folder = existing(context)
    settings = config.load(folder)
    rows = list(_read_truth(truth))
    if not rows:
        raise BadRequest(f"There is no identifier in {truth}.", code="truth_empty")
    with opened_store(folder) as store:
        vault = open_vault(store, open_keys(settings, store))
        policy = Policy.read(store.definitions)
        true: dict[int, str] = {}
        for kind, value, person in rows:
            sealed = sealed_identifier(kind, value, vault, policy)
            if sealed is not None:
                true.setdefault(identifier_key(kind, sealed), person)
    with Tekil(settings) as tekil:
        quality = judge(tekil, true)
        without = None if policy.spec.links is None else judge_unlinked(tekil, true, policy)
    if json:
        told = msgspec.to_builtins(quality)
        print_json({**told, "without_links": None if without is None else msgspec.to_builtins(without)})
    else:
        _print_quality(quality, without)


def judge(tekil: Tekil, true: dict[int, str]) -> Quality:
    """Compare an installation's persons with the truth: identifier key → person."""
    known = tekil.sql("SELECT identifier_key, person_key FROM identity")
    found = dict(zip(known["identifier_key"].to_pylist(), known["person_key"].to_pylist(), strict=True))
    return evaluate(true, found, _named_together(tekil))


def judge_unlinked(tekil: Tekil, true: dict[int, str], policy: Policy) -> Quality:
    """Compare the persons there would be without any link; a device used in turns is nobody's then."""
    graph, _, persons = resolve_unlinked(tekil.sql, policy)
    found = dict(zip(graph.keys.tolist(), graph.keys[persons.person].tolist(), strict=True))
    return evaluate(true, found, _named_together(tekil))


def _named_together(tekil: Tekil) -> Iterator[tuple[int, int]]:
    pairs = tekil.sql("SELECT DISTINCT left_key, right_key FROM evidence WHERE how IN ('seen', 'alias')")
    return zip(pairs["left_key"].to_pylist(), pairs["right_key"].to_pylist(), strict=True)


def _read_truth(path: Path) -> Iterator[tuple[str, str, str]]:
    if path.suffix == ".json":
        told = json_module.loads(path.read_text(encoding="utf-8"))
        for person in told["persons"]:
            for kind, values in person["identifiers"].items():
                yield from ((kind, value, person["id"]) for value in values)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"kind", "value", "person"} <= set(reader.fieldnames or ()):
            raise BadRequest(f"{path} needs the columns kind, value and person.", code="truth_columns")
        for row in reader:
            yield row["kind"], row["value"], row["person"]


def _print_quality(quality: Quality, without: Quality | None) -> None:
    click.echo(
        f"{quality.identifiers} identifiers of {quality.true_persons} people, {quality.unknown} unknown;"
        f" found as {quality.found_persons} people."
    )
    measures = [
        ("pairs", quality.pairs),
        ("pairs that evidence connects", quality.connected_pairs),
        ("clusters", quality.clusters),
    ]
    if without is not None:
        measures += [("pairs without links", without.pairs), ("clusters without links", without.clusters)]
    rows = [
        [name, *(f"{value:.4f}" for value in (measure.precision, measure.recall, measure.f1))]
        for name, measure in measures
    ]
    print_table(["", "precision", "recall", "F1"], rows)
