"""What to copy into a site or a program so that it sends to this very installation."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from tekil.config import Config

EVERYWHERE = ("0.0.0.0", "::", "")


def door_url(config: Config, seen_host: str) -> str:
    """Return the door's address as others reach it: what the configuration says, else where it listens.

    A door open everywhere has the name that we were seen by.
    """
    if config.collect.public_url:
        return config.collect.public_url.rstrip("/")
    host = config.collect.host
    if host in EVERYWHERE:
        host = seen_host
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{config.collect.port}"


def site(door: str, key: str) -> str:
    """Return the lines for a web page, with our own script; see docs/manual/site.md."""
    return f"""\
<script>window.tekil = window.tekil || []</script>
<script async src="{door}/tekil.js" data-write-key="{key}"></script>

<script>
tekil.push(["identify", "user-1", {{ email: "ada@example.com" }}])
tekil.push(["track", "Product Viewed", {{ sku: "N-100" }}])
</script>
"""


def browser(door: str, key: str) -> str:
    """Return the lines for a web page, with analytics.js from npm."""
    place = urlsplit(door)
    return f"""\
// npm install @segment/analytics-next
import {{ AnalyticsBrowser }} from "@segment/analytics-next";

export const analytics = AnalyticsBrowser.load(
  {{ writeKey: "{key}", cdnURL: "{door}" }},
  {{ integrations: {{ "Segment.io": {{ apiHost: "{place.netloc}/v1", protocol: "{place.scheme}" }} }} }},
);

analytics.page();
analytics.identify("user-1", {{ email: "ada@example.com" }});
analytics.track("Product Viewed", {{ sku: "N-100" }});
"""


def python(door: str, key: str) -> str:
    """Return the lines for a Python program."""
    return f"""\
# pip install segment-analytics-python
import segment.analytics as analytics

analytics.write_key = "{key}"
analytics.host = "{door}"

analytics.identify("user-1", {{"email": "ada@example.com"}})
analytics.track("user-1", "Order Completed", {{"total": 249.90, "currency": "TRY"}})
analytics.flush()
"""


def node(door: str, key: str) -> str:
    """Return the lines for a Node program."""
    return f"""\
// npm install @segment/analytics-node
import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{ writeKey: "{key}", host: "{door}", path: "/v1/batch" }});

analytics.identify({{ userId: "user-1", traits: {{ email: "ada@example.com" }} }});
analytics.track({{ userId: "user-1", event: "Order Completed", properties: {{ total: 249.9 }} }});
await analytics.closeAndFlush();
"""


def curl(door: str, key: str) -> str:
    """Return the line for a shell."""
    body = json.dumps({"userId": "user-1", "event": "Order Completed", "properties": {"total": 249.9}})
    return f"""\
curl -u "{key}:" "{door}/v1/track" \\
  -H "Content-Type: application/json" \\
  -d '{body}'
"""


def pixel(door: str, key: str) -> str:
    """Return the image for where no script runs, such as an e-mail."""
    message = {"writeKey": key, "anonymousId": "newsletter-1", "event": "E-mail Opened"}
    data = base64.b64encode(json.dumps(message).encode()).decode()
    return f"""\
<img src="{door}/pixel/v1/track?data={quote(data)}" width="1" height="1" alt="">
"""


SNIPPETS: dict[str, Callable[[str, str], str]] = {
    "site": site,
    "browser": browser,
    "python": python,
    "node": node,
    "curl": curl,
    "pixel": pixel,
}
"""The snippets by the name that the page's tabs have."""
