"""CSV as it is found in the world: which characters, which delimiter, which quotes."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tekil.errors import BadRequest

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARACTERS = 64 * 1024
SAMPLE_ROWS = 50
TITLES_MAX = 3
CHUNK = 1 << 20
FIELD_CHARACTERS_MAX = 1 << 24

# The module's own limit, 128 KB, is under what a description with an embedded picture holds.
csv.field_size_limit(FIELD_CHARACTERS_MAX)


def read_records(path: Path) -> Iterator[list[str]]:
    """Yield the records of a delimited file as lists of text; blank lines are empty lists.

    UTF-8 with or without a mark, UTF-16 with one, else Windows-1254, Excel's for Turkish; the delimiter is
    the one that divides the first rows most evenly, or the one that Excel's `sep=` line names. Raises
    `BadRequest` for a record that does not end, naming the line.
    """
    with path.open(encoding=encoding_of(path), newline="") as file:
        sample = file.read(SAMPLE_CHARACTERS)
        file.seek(0)
        first = sample.partition("\n")[0].strip()
        named = first.lower().startswith("sep=") and len(first) == len("sep=") + 1
        if named:
            yield []
            file.readline()
        reader = csv.reader(file, delimiter=first[-1] if named else delimiter_of(sample))
        try:
            yield from reader
        except csv.Error as error:
            raise BadRequest(
                f"{path.name} cannot be read past line {reader.line_num}: {error}. "
                "A quotation mark that is never closed is the usual reason.",
                code="file_unreadable",
            ) from error


def encoding_of(path: Path) -> str:
    """Return the encoding that every byte of the file fits, the likeliest first."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1254"):
        if _fits(path, encoding):
            return encoding
    return "iso8859-9"  # cp1254 leaves a few bytes without a meaning; this one leaves none.


def _fits(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def delimiter_of(sample: str) -> str:
    """Return the delimiter that divides the sample's rows most evenly, a comma where none does."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            rows = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), SAMPLE_ROWS))
        except csv.Error:
            continue
        widths = [len(row) for row in rows if row]
        # Reports have a title, and perhaps a range of dates, above the row that names the columns.
        titles = next((i for i, width in enumerate(widths[: TITLES_MAX + 1]) if width > 1), 0)
        widths = widths[titles:]
        if not widths or widths[0] < 2:
            continue
        score = (widths.count(widths[0]) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best
