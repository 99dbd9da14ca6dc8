"""The OpenAPI 3.1 document at /openapi.json."""

from __future__ import annotations

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

import tekil


def document() -> OpenAPIConfig:
    """Return how the API describes itself. It is JSON only: rendered pages would need a CDN."""
    bearer = SecurityScheme(
        type="http", scheme="bearer", description="An API key, `tk_…`, holding the scope that is asked for."
    )
    return OpenAPIConfig(
        title="Tekil",
        version=tekil.__version__,
        description="People, their events, the ledger, sources and SQL. Errors are RFC 9457 documents.",
        path="/openapi.json",
        render_plugins=[JsonRenderPlugin(path="/")],
        components=Components(security_schemes={"bearer": bearer}),
        use_handler_docstrings=True,
    )
