"""A Spark Connect server in this process, started once and only where a test wants it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest


@cache
def _server() -> Any:
    pysail = pytest.importorskip("pysail.spark", reason="missing: pysail; pip install the dev group")
    server = pysail.SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    # It stops when nobody holds it.
    return server


def spark_url(location: Path) -> str:
    """The URL of a warehouse with its tables under `location`, which need not exist."""
    return f"sc://127.0.0.1:{_server().listening_address[1]}/;tekil_location={location}"
