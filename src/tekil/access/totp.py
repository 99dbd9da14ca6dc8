"""Second factors by RFC 6238: six digits that change every 30 seconds, and recovery codes beside them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1
"""How many steps a telephone's clock may be behind or ahead."""

SECRET_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters that nobody mistakes for others when copying by hand."""


def new_secret() -> str:
    """Return a new secret in base32, as authenticators take it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of a secret for one step of time (RFC 4226's HOTP with the step as its counter)."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: str, code: str, seconds: float, after: int) -> int | None:
    """Return the step whose code this is, at an instant in seconds since the epoch; nothing where none is.

    `after` is the last step that was used: a code works once, and so none of its step or an earlier one.
    """
    now = int(seconds) // STEP_SECONDS
    tidy = "".join(code.split())
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        # Every step is compared, so that the time taken tells nothing.
        if hmac.compare_digest(code_at(secret, step).encode(), tidy.encode()) and step > after:
            found = step
    return found


def enrolment_uri(secret: str, name: str, workspace: str) -> str:
    """Return the address that an authenticator reads from a QR code."""
    label = quote(f"{workspace}:{name}", safe="")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(workspace, safe='')}"


def recovery_codes() -> list[str]:
    """Return new recovery codes, for when the telephone is gone. Each has 49 random bits."""
    letters = ["".join(secrets.choice(RECOVERY_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    return [f"{code[:5]}-{code[5:]}" for code in letters]


def tidy_recovery_code(text: str) -> str:
    """Return a recovery code as it was written, however it was typed."""
    bare = "".join(letter for letter in text.lower() if letter.isalnum())
    return f"{bare[:5]}-{bare[5:]}"
