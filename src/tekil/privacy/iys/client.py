"""İYS's API as its documentation at dev.iys.org.tr has it: tokens, consents alone and in bulk, changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx
import msgspec

from tekil.errors import Refused, TekilError, Unavailable
from tekil.outgoing import Connection, Outgoing
from tekil.privacy.iys.calendar import TURKEY

FORMAT = "%Y-%m-%d %H:%M:%S"
"""How İYS writes instants: Turkey's wall clock."""

ATTEMPTS = 5
BACKOFF_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 60.0

CONNECTION = "iys"
"""The name that İYS's tokens are kept under."""


class IysRefused(Refused):
    """İYS will not take what was sent. `code` is its own, such as H155."""

    code = "iys_refused"


class Consent(msgspec.Struct, frozen=True):
    """A consent as it travels. `consent_at` has a zone."""

    recipient: str
    recipient_type: str
    type: str
    status: str
    source: str
    consent_at: datetime

    def as_json(self) -> dict[str, str]:
        """Return the consent in İYS's names."""
        return {
            "recipient": self.recipient,
            "recipientType": self.recipient_type,
            "type": self.type,
            "status": self.status,
            "source": self.source,
            "consentDate": written(self.consent_at),
        }


class Outcome(msgspec.Struct, frozen=True):
    """What became of one of a bulk; `status` is success, failure or enqueue, `place` counts from 0."""

    place: int
    status: str
    code: str = ""
    message: str = ""


class Held(msgspec.Struct, frozen=True):
    """A consent as İYS holds it, or as it changed there."""

    recipient: str
    recipient_type: str
    type: str
    status: str
    source: str
    consent_at: datetime
    transaction: str


class Changes(msgspec.Struct, frozen=True):
    """Some changes at İYS, oldest first, and the cursor that asks for the next."""

    after: str
    changes: list[Held]


def written(at: datetime) -> str:
    """Return an instant as İYS writes it."""
    return at.astimezone(TURKEY).strftime(FORMAT)


def read_instant(text: str) -> datetime:
    """Return the instant (UTC) that İYS wrote."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=TURKEY).astimezone(UTC)


class Tokens(Protocol):
    """Where access tokens come from."""

    def token(self) -> str:
        """Return one that is good for a while yet."""
        ...

    def spoiled(self, token: str) -> None:
        """Note that one was refused before its time."""
        ...


def connection(base_url: str, username: str, password: str) -> Connection:
    """Return how İYS gives tokens: for a user's password, in JSON."""
    return Connection(
        CONNECTION,
        f"{base_url.rstrip('/')}/oauth2/token",
        "password",
        username=username,
        password=password,
        body="json",
    )


class IysClient:
    """Asks İYS on behalf of one brand. Not for several threads at once."""

    def __init__(
        self,
        base_url: str,
        iys_code: int,
        brand_code: int,
        tokens: Tokens,
        outgoing: Outgoing,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Take where İYS is, whose consents these are, where tokens come from, and the way out."""
        self._brand = f"/sps/{iys_code}/brands/{brand_code}"
        self._tokens, self._sleep = tokens, sleep
        self._http = outgoing.client(base_url)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def push(self, consent: Consent) -> str:
        """Tell one consent; return İYS's transaction id. Raises `IysRefused` where a rule is broken."""
        told = self._ask("POST", f"{self._brand}/consents", json=consent.as_json())
        return str(told["transactionId"])

    def push_many(self, consents: Sequence[Consent]) -> str:
        """Hand in many consents; return the request id to ask for their outcomes."""
        path = f"{self._brand}/consents/request"
        told = self._ask("POST", path, json=[consent.as_json() for consent in consents])
        return str(told["requestId"])

    def outcomes(self, request_id: str) -> list[Outcome]:
        """Return what became of each consent of a bulk so far."""
        told = self._ask("GET", f"{self._brand}/consents/request/{request_id}")
        return [
            Outcome(
                int(one["index"]) - 1,
                str(one["status"]),
                str((one.get("error") or {}).get("code", "")),
                str((one.get("error") or {}).get("message", "")),
            )
            for one in told
        ]

    def status(self, recipient: str, recipient_type: str, type: str) -> Held | None:
        """Return what İYS holds for an address, or nothing where it knows none."""
        asked = {"recipient": recipient, "recipientType": recipient_type, "type": type}
        try:
            return _held(self._ask("POST", f"{self._brand}/consents/status", json=asked))
        except IysRefused as refused:
            if refused.http_status == 404:
                return None
            raise

    def changes(self, after: str = "", limit: int = 500) -> Changes:
        """Return what recipients changed at İYS itself since a cursor."""
        asked: dict[str, Any] = {"source": "IYS", "limit": limit}
        if after:
            asked["after"] = after
        told = self._ask("GET", f"{self._brand}/consents/changes", params=asked)
        return Changes(str(told.get("after") or after), [_held(one) for one in told.get("list") or []])

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        """Ask once with a good token; once more with a new one where İYS forgot the token before its time."""
        for renewed in (False, True):
            token = self._tokens.token()
            headers = {"Authorization": f"Bearer {token}"}
            answer = self._patiently(method, path, headers=headers, **content)
            if answer.status_code != httpx.codes.UNAUTHORIZED or renewed:
                return _told(answer)
            self._tokens.spoiled(token)
        raise AssertionError("one of the two rounds returns")

    def _patiently(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask, and again where İYS is busy or away; raise `Unavailable` when that takes too long."""
        why = ""
        for attempt in range(ATTEMPTS):
            pause = min(BACKOFF_SECONDS * 2**attempt, BACKOFF_MAX_SECONDS)
            try:
                answer = self._http.request(method, path, **content)
            except httpx.HTTPError as error:
                why = str(error) or type(error).__name__
            else:
                if answer.status_code != httpx.codes.TOO_MANY_REQUESTS and answer.status_code < 500:
                    return answer
                why = f"it answered {answer.status_code}"
                pause = _asked_pause(answer, pause)
            if attempt + 1 < ATTEMPTS:
                self._sleep(pause)
        raise Unavailable(
            f"İYS could not be reached ({why}). What waits for it is kept and sent later.",
            code="iys_unavailable",
        )


def _asked_pause(answer: httpx.Response, otherwise: float) -> float:
    """Return how long İYS asks to wait, in seconds."""
    asked = answer.headers.get("retry-after", "")
    return min(float(asked), BACKOFF_MAX_SECONDS) if asked.isdigit() else otherwise


def _told(answer: httpx.Response) -> Any:
    """Return an answer's JSON. Raises `IysRefused` with İYS's own code and words."""
    try:
        told = answer.json()
    except ValueError as error:
        raise Unavailable(
            f"İYS answered {answer.status_code} with no JSON. Check iys.base_url.", code="iys_unavailable"
        ) from error
    if not answer.is_error:
        return told
    errors = told.get("errors") if isinstance(told, dict) else None
    first = errors[0] if errors else told if isinstance(told, dict) else {}
    refused = IysRefused(
        str(first.get("message") or f"İYS answered {answer.status_code}."),
        code=str(first.get("code") or answer.status_code),
    )
    refused.http_status = answer.status_code
    raise refused


def _held(told: Any) -> Held:
    try:
        return Held(
            str(told["recipient"]),
            str(told["recipientType"]),
            str(told["type"]),
            str(told["status"]),
            str(told.get("source") or ""),
            read_instant(str(told["consentDate"])),
            str(told.get("transactionId") or ""),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise TekilError(f"İYS told a consent that cannot be read: {error}", code="iys_unreadable") from error
