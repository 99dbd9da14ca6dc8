"""A running Tekil keeps its secrets out of its log, its answers, its processes' arguments and its files."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import httpx
import pytest

from tests.running_tekil import running, tekil

pytestmark = pytest.mark.slow

PASSWORDS = {
    "TEKIL_IYS_PASSWORD": "an-iys-password-of-ours",
    "TEKIL_OIDC_COMPANY_SECRET": "a-providers-secret",
}


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(inner for child in children for inner in family(int(child)))]


def test_no_secret_is_found_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PASSWORDS.items():
        monkeypatch.setenv(name, value)
    with running(tmp_path) as started:
        made = tekil(tmp_path, "key", "create", "--api", "--scope", "profiles:read", "--json")
        secret = str(json.loads(made.stdout)["key"])
        local = (tmp_path / "data" / "local.key").read_text()
        token = httpx.post(
            f"{started.console}/v1/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": json.loads(made.stdout)["id"],
                "client_secret": secret,
            },
        ).json()["access_token"]
        secrets = [secret, local, token, (tmp_path / "data" / "master.key").read_text().strip()]
        secrets += PASSWORDS.values()
        answers = []
        for path in ("/healthz", "/readyz", "/metrics", "/v1/profiles/x", "/v1/sql", "/nothing", "/v1/audit"):
            for key in (secret, token, f"{secret}x"):
                headers = {"Authorization": f"Bearer {key}"}
                answers.append(httpx.get(f"{started.console}{path}", headers=headers).text)
                answers.append(httpx.post(f"{started.door}/v1/track", json={}, headers=headers).text)
        arguments = b" ".join(
            Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family(started.process.pid)
        ).decode()
        assert "tekil" in arguments
        said = started.said
    for value in secrets:
        assert value not in arguments
        assert value not in said
        assert not any(value in answer for answer in answers if "access_token" not in answer)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        if path.name in ("local.key", "master.key"):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
            continue
        content = path.read_bytes()
        assert not any(value.encode() in content for value in secrets), path
