"""Tables as answers: rows of JSON for people and scripts, an Arrow stream for programs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pyarrow as pa

from tekil.api.model import Column, Rows

ARROW_STREAM = "application/vnd.apache.arrow.stream"


def rows(table: pa.Table) -> Rows:
    """Return a table as JSON can hold it. Names that occur twice get a number, so none hides another."""
    names: list[str] = []
    for name in table.column_names:
        number = 2
        unique = name
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    columns = [Column(name, str(field.type)) for name, field in zip(names, table.schema, strict=True)]
    return Rows(columns, table.rename_columns(names).to_pylist())


def encode(answer: Rows) -> bytes:
    """Return an answer's JSON. Decimals are numbers, bytes are base64, durations are seconds."""
    return ENCODER.encode(answer)


def arrow_stream(table: pa.Table) -> Iterator[bytes]:
    """Yield a table in Arrow's streaming format, a batch at a time."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch)
            yield _drain(sink)
    yield _drain(sink)


def _drain(sink: io.BytesIO) -> bytes:
    chunk = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return chunk


def _plain(value: Any) -> Any:
    """Give the types that only Arrow has a form in JSON."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


ENCODER = msgspec.json.Encoder(enc_hook=_plain, decimal_format="number")
