"""Carrying bodies to the door: one that is busy is asked again, one that refuses ends the demonstration."""

from __future__ import annotations

import threading

import httpx

from tekil.errors import BadRequest, Refused, Unauthorised

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0


class Post:
    """A connection to a running Tekil's door. Safe to use from several threads."""

    def __init__(self, door: str, stop: threading.Event) -> None:
        """Take the door's base URL, and what ends all waiting."""
        self._client = httpx.Client(base_url=door, timeout=30.0, trust_env=False)
        self._stop = stop

    def __enter__(self) -> Post:
        """Keep the connection open for many bodies."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._client.close()

    def carry(self, path: str, body: bytes, *, key: str | None = None, plain: bool = False) -> bool:
        """Bring a body to the door until it says 200; say whether it did before `stop` was set.

        `key` goes into Basic auth; without it the body holds its own. `plain` sends it the way beacons do,
        as text/plain. Raises `Unauthorised` or `BadRequest` where asking again would change nothing.
        """
        headers = {"Content-Type": "text/plain" if plain else "application/json"}
        auth = httpx.BasicAuth(key, "") if key is not None else httpx.USE_CLIENT_DEFAULT
        wait = FIRST_WAIT
        while True:
            try:
                answer = self._client.post(path, content=body, headers=headers, auth=auth)
            except httpx.TransportError:
                pause = wait
            else:
                if answer.status_code == 200:
                    return True
                if answer.status_code < 500 and answer.status_code != 429:
                    raise _refusal(path, answer)
                pause = _retry_after(answer, wait)
            wait = min(wait * 2, LONGEST_WAIT)
            if self._stop.wait(pause):
                return False


def _retry_after(answer: httpx.Response, otherwise: float) -> float:
    try:
        return max(0.0, float(answer.headers["Retry-After"]))
    except (KeyError, ValueError):
        return otherwise


def _refusal(path: str, answer: httpx.Response) -> Refused:
    said = f"The door answered {answer.status_code} to {path}: {answer.text[:300]}"
    if answer.status_code in (401, 403):
        return Unauthorised(f"{said}. Check the write keys the demo was given.", code="demo_key_refused")
    return BadRequest(
        f"{said}. This is a fault of the demo or of the door; nothing more was sent.", code="demo_refused"
    )
