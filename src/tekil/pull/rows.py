"""Rows out of files, one at a time, whatever the format."""

from __future__ import annotations

import hashlib
import math
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from tekil.errors import BadRequest, NotFound, TekilError
from tekil.pull.delimited import read_records

PARQUET_ROWS = 2_000
CHUNK = 1 << 20
INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"), None)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file. `number` is what its owner sees: in CSV and Excel the header is row 1.

    `cells` holds what is there (an empty cell is absent), `columns` every column's name. `untyped` says
    that the cells are text whose meaning must still be read (CSV). A line that is no row at all
    has no cells, its text in `raw` and the reason in `problem`.
    """

    number: int
    cells: dict[str, Any]
    columns: tuple[str, ...]
    untyped: bool = False
    raw: str | None = None
    problem: str | None = None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, as hex. Raises `NotFound` where there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.", code="file_missing") from error


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a .csv, .tsv, .jsonl, .parquet or .xlsx file, in order, without holding it in memory.

    Raises `NotFound` where there is no such file, and `BadRequest` where its format is not one of these or
    it is damaged; the text names the row where reading stopped.
    """
    reader = _reader(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", code="file_missing")
    number = 0
    try:
        for row in reader(path):
            yield row
            number = row.number
    except TekilError:
        raise
    except Exception as error:
        # Damaged files make the libraries raise nearly anything: zip, XML, Thrift and key errors.
        raise BadRequest(
            f"{path.name} cannot be read past row {number}: {error or type(error).__name__}. "
            "Open it where it was made, save it again, and import that.",
            code="file_unreadable",
        ) from error


def rows_expected(path: Path) -> int | None:
    """Return about how many rows a file has, for a progress bar; nothing where only reading would tell."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    if kind == ".xlsx":
        return None
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))


def _reader(path: Path) -> Callable[[Path], Iterator[Row]]:
    readers = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".jsonl": _jsonl_rows,
        ".ndjson": _jsonl_rows,
        ".parquet": _parquet_rows,
        ".xlsx": _xlsx_rows,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadRequest(
            f"{path.name} is of a kind that cannot be imported. Save it as one of: {', '.join(readers)}.",
            code="file_kind_unknown",
        )
    return reader


def _csv_rows(path: Path) -> Iterator[Row]:
    records = ((number, record) for number, record in enumerate(read_records(path), 1) if any(record))
    for number, columns, values in _under_header(records):
        cells = {
            column: text
            for column, value in zip(columns, values, strict=False)
            if (text := value.replace("\xa0", " ").strip())
        }
        yield Row(number, cells, columns, untyped=True)


def _xlsx_rows(path: Path) -> Iterator[Row]:
    with warnings.catch_warnings():
        # About styles and validations that the rows do not need.
        warnings.simplefilter("ignore", UserWarning)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            # Some programs write a wrong size into the sheet; without it every row is read.
            sheet.reset_dimensions()
            records = (
                (number, record)
                for number, record in enumerate(sheet.iter_rows(values_only=True), 1)
                if any(value is not None and value != "" for value in record)
            )
            for number, columns, values in _under_header(records):
                pairs = zip(columns, map(_excel_value, values), strict=False)
                yield Row(number, {c: v for c, v in pairs if v is not None and v != ""}, columns)
        finally:
            book.close()


def _excel_value(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime):
        # Excel keeps days as floating-point numbers: 14:30 comes back as 14:29:59.999999.
        value = (value + timedelta(microseconds=500)).replace(microsecond=0)
        return value.date() if value.time() == time() else value
    return value


def _parquet_rows(path: Path) -> Iterator[Row]:
    number = 0
    with pq.ParquetFile(path) as file:
        columns = tuple(clean_header(file.schema_arrow.names))
        for batch in file.iter_batches(batch_size=PARQUET_ROWS):
            lists = [_microseconds(column).to_pylist() for column in batch.columns]
            for values in zip(*lists, strict=True):
                number += 1
                pairs = zip(columns, values, strict=True)
                yield Row(number, {c: v for c, v in pairs if not _is_empty(v)}, columns)


def _microseconds(column: pa.Array) -> pa.Array:
    # Python's datetime ends at microseconds, and refuses what has more.
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _jsonl_rows(path: Path) -> Iterator[Row]:
    # Values stay the bytes they are: a number keeps all its digits, whatever a float would make of it.
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                text.decode()
                cells = {name: msgspec.Raw(bytes(raw)) for name, raw in decoder.decode(text).items()}
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                yield Row(
                    number,
                    {},
                    (),
                    raw=text.decode(errors="backslashreplace"),
                    problem=f"is not a JSON object: {error}",
                )
            else:
                yield Row(number, cells, tuple(cells))


def _under_header(
    records: Iterable[tuple[int, Any]],
) -> Iterator[tuple[int, tuple[str, ...], Any]]:
    """Yield (row number, columns, values), having taken the first record for the header."""
    columns: tuple[str, ...] | None = None
    for number, values in records:
        if columns is None:
            columns = tuple(clean_header(values))
        elif len(values) > len(columns) and any(v not in (None, "") for v in values[len(columns) :]):
            # More cells than the header names: they are kept, under a name that says where they stood.
            yield number, tuple(clean_header([*columns, *[""] * (len(values) - len(columns))])), values
        else:
            yield number, columns, values


def clean_header(names: Iterable[Any]) -> list[str]:
    """Return column names without invisible characters and stray spaces, none empty, none twice."""
    cleaned: list[str] = []
    for position, name in enumerate(names, 1):
        text = "" if name is None else unicodedata.normalize("NFC", str(name)).translate(INVISIBLE)
        wanted = " ".join(text.split()) or f"column_{position}"
        unique, count = wanted, 1
        while unique in cleaned:
            count += 1
            unique = f"{wanted}_{count}"
        cleaned.append(unique)
    return cleaned
