"""What SDKs ask for before they send their first message."""

from __future__ import annotations

import re
from typing import Any

import msgspec

HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def segment_settings(write_key: str, *, scheme: str, host: str | None) -> bytes:
    """Return the settings with which analytics.js starts.

    `apiHost` sends its messages back to where the settings came from, so that a site names Tekil's
    address once, as `cdnURL`; a `host` that is none is left out.
    """
    integration: dict[str, Any] = {
        "apiKey": write_key,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    if host is not None and HOST.fullmatch(host):
        integration |= {"apiHost": f"{host}/v1", "protocol": scheme}
    return msgspec.json.encode(
        {
            "integrations": {"Segment.io": integration},
            "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            # Self-metrics are of no use to anybody here, so clients are told to send none.
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        }
    )


def rudder_source_config(write_key: str, *, source: str) -> bytes:
    """Return the source configuration with which RudderStack's SDKs start: no destinations of their own."""
    return msgspec.json.encode(
        {
            "source": {
                "id": source,
                "name": source,
                "writeKey": write_key,
                "enabled": True,
                "workspaceId": "tekil",
                "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
                "destinations": [],
                "connections": [],
                "dataplanes": {},
            },
            "isHosted": False,
        }
    )
