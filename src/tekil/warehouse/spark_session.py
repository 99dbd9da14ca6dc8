"""A session with a Spark Connect server: where it is, how to ask it, what its answers and errors become."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from tekil.errors import BadRequest, Misconfigured, Unavailable
from tekil.warehouse.macros_spark import UNREADABLE

CONNECT_SECONDS = 5.0
"""How long to wait for the server's port to answer."""

RETRIES = 4
"""How often a call is tried again before it counts as failed; the engine's loop tries after that."""

PORT = 15002
"""Spark Connect's usual port."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is (`remote`, a Spark Connect URL) and the tables (`location`, no end slash)."""

    remote: str
    location: str
    host: str
    port: int


def parse_url(url: str) -> Address:
    """Read `sc://host:port/;tekil_location=/path;…`: our parameters, and the rest for Spark Connect.

    Raises `Misconfigured` where the location is missing, or the format is none this version writes.
    """
    base, *parts = url.split(";")
    pairs = [part.partition("=") for part in parts if part]
    ours = {name: unquote(value) for name, _, value in pairs if name.startswith("tekil_")}
    others = [f"{name}={value}" for name, _, value in pairs if not name.startswith("tekil_")]
    location = ours.pop("tekil_location", "").rstrip("/")
    if not location:
        raise Misconfigured(
            f"warehouse.url {base!r} does not say where the tables are; add ;tekil_location= and an absolute "
            "path or object-store URL that the Spark server can write.",
            code="warehouse_location_missing",
        )
    if "`" in location or "'" in location or "\\" in location:
        raise Misconfigured(
            "tekil_location holds a quote or a backslash; choose a plain path.",
            code="warehouse_location_invalid",
        )
    form = ours.pop("tekil_format", "delta")
    if form != "delta":
        raise Misconfigured(
            f"tekil_format {form!r} is not one this version writes; use delta.",
            code="warehouse_format_unknown",
        )
    if ours:
        raise Misconfigured(
            f"warehouse.url has parameters nobody knows: {', '.join(sorted(ours))}.",
            code="warehouse_url_unknown",
        )
    split = urlsplit(base)
    remote = ";".join([base.rstrip("/") + "/", *others])
    return Address(remote, location, split.hostname or "localhost", split.port or PORT)


def open_session(address: Address) -> Any:
    """Return a new session of our own on the server, its time zone UTC.

    Raises `Misconfigured` where Spark's client is not installed, `Unavailable` where nobody answers.
    """
    try:
        # Without a Spark on this machine the client looks for one, and ends the process (not only itself)
        # where the program has no file: under `python -c`, or in a worker of a test run.
        client = importlib.import_module("pyspark")
        os.environ.setdefault("SPARK_HOME", str(Path(str(client.__file__)).parent))
        sessions = importlib.import_module("pyspark.sql.connect.session")
        retries = importlib.import_module("pyspark.sql.connect.client.retries")
    except ImportError as error:
        raise Misconfigured(
            f"warehouse.url names a Spark server, and Spark's client is not installed ({error}). "
            "Run: pip install 'tekil[spark]'",
            code="warehouse_client_missing",
        ) from error
    with answers_expected(f"{address.host}:{address.port}"):
        # Spark's own client would try for ten minutes before it says that nobody is there.
        socket.create_connection((address.host, address.port), CONNECT_SECONDS).close()
        session = sessions.SparkSession(connection=address.remote)
        session.client.set_retry_policies([retries.DefaultPolicy(max_retries=RETRIES)])
        session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


@contextlib.contextmanager
def answers_expected(place: str) -> Iterator[None]:
    """Turn what goes wrong on the way to or in the server into errors of ours.

    A body that cannot be read is a `BadRequest`; everything else an `Unavailable`, because nothing
    may be skipped for it.
    """
    try:
        yield
    except Exception as error:
        if not is_theirs(error):
            raise
        if UNREADABLE in str(error):
            raise BadRequest("A body is no JSON.", code="data_unreadable") from error
        raise Unavailable(
            f"The Spark server at {place} did not do what was asked: {error}", code="warehouse_unavailable"
        ) from error


def is_theirs(error: Exception) -> bool:
    """Say whether an error comes from the server, its client or the network, and not from our own code."""
    return isinstance(error, OSError) or type(error).__module__.split(".")[0] in ("pyspark", "grpc")


def says_wrong(error: Exception) -> bool:
    """Say whether the server understood, and what was asked is not there or not SQL."""
    return is_theirs(error) and any(
        kind.__name__ in ("AnalysisException", "ParseException", "IllegalArgumentException")
        for kind in type(error).__mro__
    )


def to_server(rows: pa.Table) -> pa.Table:
    """Return rows with instants as Spark takes them: UTC with the zone said."""
    return rows.cast(_schema(rows.schema, lambda _: pa.timestamp("us", "UTC")))


def from_server(rows: pa.Table) -> pa.Table:
    """Return rows as every warehouse gives them: instants UTC without a zone, VARIANT as JSON text."""
    for index, field in enumerate(rows.schema):
        if _is_variant(field):
            rows = rows.set_column(index, field.name, _json_texts(rows.column(index)))
    return rows.cast(_schema(rows.schema, lambda _: pa.timestamp("us")))


def parameter(value: Any) -> Any:
    """Return a query's parameter as Spark's client takes it: an instant without a zone is UTC."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _schema(schema: pa.Schema, instant: Any) -> pa.Schema:
    return pa.schema([pa.field(field.name, _type(field.type, instant)) for field in schema])


def _type(kind: pa.DataType, instant: Any) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return instant(kind)
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.struct([pa.field(field.name, _type(field.type, instant)) for field in fields])
    if pa.types.is_list(kind):
        return pa.list_(_type(kind.value_type, instant))
    return kind


def _is_variant(field: pa.Field) -> bool:
    kind = field.type
    return (
        pa.types.is_struct(kind)
        and kind.num_fields == 2
        and (kind.field(0).metadata or kind.field(1).metadata or {}).get(b"variant") == b"true"
    )


def _json_texts(column: pa.ChunkedArray) -> pa.Array:
    variant = importlib.import_module("pyspark.sql.types").VariantVal
    return pa.array(
        [
            None if cell is None else variant(cell["value"], cell["metadata"]).toJson()
            for cell in column.to_pylist()
        ],
        pa.string(),
    )
