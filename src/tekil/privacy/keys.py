"""Keys that wrap keys: one master key, kept outside; data keys, kept in the store, wrapped by it.

A data key has a purpose: `tokens` makes tokens and is the same for ever; `vault` seals values and is changed
now and then; `log 2026-11-22` encrypts what arrived on a day, and is destroyed when that day's time is over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import shlex
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tekil.errors import Misconfigured
from tekil.store import DataKey, DataKeys

KEY_BYTES = 32
NONCE_BYTES = 12
"""AES-256-GCM with a random nonce: NIST SP 800-38D allows 2^32 of them with one key."""

COMMAND_SECONDS = 30


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key that wraps all others. Its `name` tells two apart and gives nothing away."""

    key: bytes

    @property
    def name(self) -> str:
        """A short name of the key: part of a hash of it."""
        return hashlib.sha256(b"tekil master key\0" + self.key).hexdigest()[:16]

    def wrap(self, key: bytes, purpose: str) -> bytes:
        """Return a data key as it may be kept. It can be unwrapped for that purpose alone."""
        return encrypt(AESGCM(self.key), key, purpose.encode())

    def unwrap(self, wrapped: bytes, purpose: str) -> bytes:
        """Return a data key. Raises `InvalidTag` for one that another master key wrapped."""
        return decrypt(AESGCM(self.key), wrapped, purpose.encode())


def encrypt(cipher: AESGCM, plain: bytes, bound_to: bytes | None = None) -> bytes:
    """Return the nonce and what AES-GCM made of `plain`."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound_to)


def decrypt(cipher: AESGCM, sealed: bytes, bound_to: bytes | None = None) -> bytes:
    """Return what `encrypt` was given. Raises `InvalidTag` where a bit of it differs."""
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)


def read_master_key(source: str, root: Path) -> MasterKey:
    """Return the master key from where `keys.master` says: `file:…`, `env:NAME` or `command:…`.

    A file that is not there yet is made, readable by its owner alone; paths start at `root`. A key is 32
    bytes in base64. Raises `Misconfigured` where none can be had.
    """
    kind, _, rest = source.partition(":")
    match kind:
        case "file":
            return _decoded(_read_or_make(root / rest), source)
        case "env":
            return _decoded(os.environ.get(rest, ""), source)
        case "command":
            return _decoded(_run(rest, source), source)
    raise Misconfigured(
        f"keys.master {source!r} says not where the key is: write file:…, env:NAME or command:….",
        code="master_key_invalid",
    )


def new_master_key() -> str:
    """Return a new master key as text."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _decoded(text: str, source: str) -> MasterKey:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            f"keys.master ({source}) holds no key: {KEY_BYTES} bytes in base64 are wanted, as "
            "`openssl rand -base64 32` writes them.",
            code="master_key_invalid",
        )
    return MasterKey(key)


def _read_or_make(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Made whole under another name first: of two processes that start at once, both read the same key.
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        if not path.exists():
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(new_master_key() + "\n")
            try:
                os.link(made, path)
            except FileExistsError:
                pass
            finally:
                made.unlink()
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise Misconfigured(
            f"The master key's file cannot be read: {error}", code="master_key_invalid"
        ) from error


def _run(command: str, source: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        # What the command printed may hold the key, so only its failure is told.
        raise Misconfigured(
            f"keys.master ({source}): the command gave no key ({type(error).__name__}).",
            code="master_key_invalid",
        ) from None
    return done.stdout


class KeyRing:
    """The data keys, unwrapped as they are needed. Safe for many threads."""

    def __init__(self, kept: DataKeys, master: MasterKey) -> None:
        """Take where the wrapped keys are kept, and what unwraps them."""
        self._kept, self._master = kept, master
        self._lock = threading.Lock()
        self._by_id: dict[int, bytes] = {}
        self._ciphers: dict[int, AESGCM] = {}
        self._current: dict[str, int] = {}

    def current(self, purpose: str) -> int:
        """Return the id of the newest key of a purpose; the first is made when it is first asked for."""
        with self._lock:
            if purpose not in self._current:
                key = self._kept.newest(purpose) or self._make(purpose)
                self._by_id[key.id] = self._unwrapped(key)
                self._current[purpose] = key.id
            return self._current[purpose]

    def key(self, key_id: int) -> bytes:
        """Return a data key. Raises `Misconfigured` for one that was destroyed or is of another master."""
        with self._lock:
            if key_id not in self._by_id:
                key = self._kept.get(key_id)
                if key is None:
                    raise Misconfigured(
                        f"The data key {key_id} was destroyed, so what it sealed cannot be read any more.",
                        code="data_key_destroyed",
                    )
                self._by_id[key_id] = self._unwrapped(key)
            return self._by_id[key_id]

    def cipher(self, key_id: int) -> AESGCM:
        """Return what encrypts and decrypts with a data key."""
        found = self._ciphers.get(key_id)
        if found is None:
            found = self._ciphers[key_id] = AESGCM(self.key(key_id))
        return found

    def rotate(self, purpose: str) -> int:
        """Make a new key of a purpose and return its id; what the older ones sealed can still be read."""
        with self._lock:
            key = self._make(purpose, anew=True)
            self._by_id[key.id] = self._unwrapped(key)
            self._current[purpose] = key.id
            return key.id

    def rewrap(self, master: MasterKey) -> int:
        """Wrap all data keys by another master key, in one transaction; return how many there are."""
        with self._lock:
            count = self._kept.rewrap(lambda key: master.wrap(self._unwrapped(key), key.purpose), master.name)
            self._master = master
            return count

    def destroy(self, key_id: int) -> None:
        """Destroy a data key: what it sealed is as good as erased, wherever copies of it lie."""
        with self._lock:
            self._kept.destroy(key_id)
            self._by_id.pop(key_id, None)
            self._ciphers.pop(key_id, None)
            self._current = {name: of for name, of in self._current.items() if of != key_id}

    def destroy_older(self, key_id: int) -> None:
        """Destroy the keys that a newer one of the same purpose has replaced."""
        keys = self._kept.all()
        purpose = next(key.purpose for key in keys if key.id == key_id)
        for key in keys:
            if key.purpose == purpose and key.id != key_id:
                self.destroy(key.id)

    def _make(self, purpose: str, *, anew: bool = False) -> DataKey:
        wrapped = self._master.wrap(secrets.token_bytes(KEY_BYTES), purpose)
        return self._kept.add(purpose, wrapped, self._master.name, anew=anew)

    def _unwrapped(self, key: DataKey) -> bytes:
        try:
            return self._master.unwrap(key.wrapped, key.purpose)
        except InvalidTag:
            raise Misconfigured(
                f"The data key {key.id} ({key.purpose}) was wrapped by the master key {key.master}, and "
                f"keys.master gives {self._master.name}. Give the right one back; nothing is lost.",
                code="master_key_wrong",
            ) from None


class Texts:
    """Seals whole texts for one purpose; what comes out is a text too."""

    def __init__(self, ring: KeyRing, purpose: str) -> None:
        """Take the keys, and which of them."""
        self._ring, self._purpose = ring, purpose

    def seal(self, text: str) -> str:
        """Return a text, sealed: the key's number, a colon, and base64."""
        key_id = self._ring.current(self._purpose)
        return f"{key_id}:{base64.b64encode(encrypt(self._ring.cipher(key_id), text.encode())).decode()}"

    def open(self, sealed: str) -> str:
        """Return a text that `seal` sealed."""
        key_id, _, text = sealed.partition(":")
        return decrypt(self._ring.cipher(int(key_id)), base64.b64decode(text)).decode()


def utc_today() -> date:
    """Return which day it is, UTC."""
    return datetime.now(UTC).date()


class DayKeys:
    """A key for each day that messages arrive on: the log's cipher."""

    def __init__(self, ring: KeyRing, today: Callable[[], date] | None = None) -> None:
        """Take the ring; `today` says which day it is (UTC)."""
        self._ring = ring
        self._today = today or utc_today
        self._known: date | None = None
        self._key_id = 0

    def seal(self, plain: bytes) -> tuple[int, bytes]:
        """Return the id of today's key and what it made of some bytes."""
        today = self._today()
        if today != self._known:
            self._know(today)
        return self._key_id, self.reseal(self._key_id, plain)

    def reseal(self, key_id: int, plain: bytes) -> bytes:
        """Return what a day's key makes of some bytes. Raises `Misconfigured` where it was destroyed."""
        return encrypt(self._ring.cipher(key_id), plain)

    def _know(self, today: date) -> None:
        self._key_id = self._ring.current(f"log {today}")
        # At midnight the store may be away, and the door must go on.
        self._ring.current(f"log {today + timedelta(days=1)}")
        self._known = today

    def open(self, key_id: int, sealed: bytes) -> bytes:
        """Return the bytes. Raises `Misconfigured` where their day's key was destroyed."""
        return decrypt(self._ring.cipher(key_id), sealed)
