"""The stylesheet, the scripts and the chart library: our own files, cached for good by their digest."""

from __future__ import annotations

import gzip
import hashlib
import logging
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import vl_convert

from tekil.errors import NotFound

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
SNIPPET = "window.vegaEmbed = vegaEmbed;"
"""What of it our own scripts see."""

CHARTS = "vega.js"
"""Vega, Vega-Lite and Vega-Embed in one file, out of vl-convert: no CDN is asked."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    media_type: str
    digest: str
    plain: bytes
    zipped: bytes


def _asset(name: str, content: bytes) -> Asset:
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(TYPES[Path(name).suffix], digest, content, gzip.compress(content, 9, mtime=0))


class Assets:
    """Reads the files once. The chart library takes seconds to put together, so it is kept in `cache`."""

    def __init__(self, cache: Path) -> None:
        """Take a folder of this installation's own, made when it is first needed."""
        self._cache = cache
        self._lock = Lock()
        files = sorted(FOLDER.iterdir())
        self._assets = {p.name: _asset(p.name, p.read_bytes()) for p in files if p.suffix in TYPES}
        self._charts_version = version("vl-convert-python")

    def url(self, name: str) -> str:
        """Return where a file is served; the address changes when the file does."""
        digest = self._charts_version if name == CHARTS else self._assets[name].digest
        return f"/static/{digest}/{name}"

    def get(self, name: str) -> Asset:
        """Return a file. Raises `NotFound` where there is none of that name."""
        if name == CHARTS:
            with self._lock:
                if CHARTS not in self._assets:
                    self._assets[CHARTS] = _asset(CHARTS, self._charts())
        if name not in self._assets:
            raise NotFound(f"There is no file {name!r} here.", code="path_unknown")
        return self._assets[name]

    def _charts(self) -> bytes:
        kept = self._cache / f"vega-{self._charts_version}.js"
        try:
            return kept.read_bytes()
        except OSError:
            content = str(vl_convert.javascript_bundle(SNIPPET)).encode()
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            unfinished = kept.with_suffix(".part")
            unfinished.write_bytes(content)
            unfinished.replace(kept)
        except OSError as error:
            logger.warning("The chart library could not be kept in %s (%s).", kept, error)
        return content
