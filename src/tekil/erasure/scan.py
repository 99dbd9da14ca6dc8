"""Reading every byte that is kept: the log opened, the tables' texts, and all files as they lie."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from tekil.dictionary.sql import quoted
from tekil.engine import Engine
from tekil.erasure.model import Checked
from tekil.load import texts_of
from tekil.warehouse import Table

LEAST = 6
"""Characters of a value that is looked for as bytes: a shorter one lies in every large file by chance."""


def needles(values: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what to look for: values long enough to be found as bytes, and the others.

    >>> needles(["u1", "a@b.example"])
    (['a%40b.example', 'a@b.example'], ['u1'])
    """
    long = {value for value in values if len(value) >= LEAST}
    spelled = {*long, *(quote(value, safe="") for value in long)}
    spelled |= {msgspec.json.encode(value).decode()[1:-1] for value in long}
    return sorted(spelled), sorted(set(values) - long)


def scan(engine: Engine, values: Sequence[str], folders: Iterable[Path]) -> Iterator[Checked]:
    """Yield, place by place, how often values are found. Reads everything: minutes where there is much.

    `values` are identifiers in the clear, and tokens. Values too short to be told from chance are looked for
    in the log and the tables as whole JSON texts.
    """
    wanted, short = needles(values)
    texts = [*wanted, *(f'"{value}"' for value in short)]
    yield Checked("log", "every body, opened", _in_log(engine, texts))
    for table in engine.tables:
        yield Checked(f"warehouse.{table.name}", "every text", _in_table(engine, table, wanted))
    for path in sorted({file for folder in folders for file in folder.rglob("*") if file.is_file()}):
        yield Checked(f"file {path.name}", "every byte", _in_file(path, wanted))


def _in_log(engine: Engine, texts: Sequence[str]) -> int:
    found = 0
    for bodies in engine.log.replay():
        for body in bodies["body"].to_pylist():
            small = body.lower()
            found += sum(text.lower() in small for text in texts)
    return found


def _in_table(engine: Engine, table: Table, wanted: Sequence[str]) -> int:
    if not wanted or not any(column.type in ("text", "variant") for column in table.columns):
        return 0
    text = texts_of(table)
    holds = " OR ".join(f"strpos(lowered(whole), {quoted(value.lower())}) > 0" for value in wanted)
    select = f"SELECT count(*) AS n FROM (SELECT {text} AS whole FROM {table.name}) AS texts WHERE {holds}"
    return int(engine.warehouse.query(select)["n"][0].as_py())


def _in_file(path: Path, wanted: Sequence[str]) -> int:
    if path.stat().st_size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return sum(
            content.find(value.encode(encoding)) >= 0
            for value in wanted
            for encoding in ("utf-8", "utf-16-le")
        )
