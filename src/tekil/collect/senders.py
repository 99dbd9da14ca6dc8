"""Who may send: the write keys, in memory, so that no request ever waits for a query of its own."""

from __future__ import annotations

import base64
import binascii
import logging
import threading
import time
from asyncio import AbstractEventLoop, Future, wait_for
from collections.abc import Sequence

import msgspec

from tekil.errors import Forbidden, TekilError, Unauthorised, Unavailable
from tekil.store import Keys

REFRESH_SECONDS = 1.0
"""How long a disabled source or a revoked key may still be let in."""

MISS_SECONDS = 0.1
"""Least time between two looks into the store, however many unknown keys come."""

PATIENCE_SECONDS = 5.0
"""How long a request with an unknown key waits for a look into the store before it gets a 503."""

logger = logging.getLogger("tekil.collect")


class Sender(msgspec.Struct, frozen=True):
    """What a write key stands for."""

    source: str
    enabled: bool


class Senders:
    """The table of write keys. A thread keeps it fresh: every second, and soon after an unknown key.

    While the store is away, known keys go on working; of an unknown one nobody can say that it is
    wrong, so it is answered 503 and not 401, on which a client would throw its data away.
    """

    def __init__(self, keys: Keys, loop: AbstractEventLoop) -> None:
        """Read the keys once, and start the thread. A store that is away is no error."""
        self._keys = keys
        self._loop = loop
        self._by_key: dict[str, Sender] = {}
        self._by_header: dict[str, Sender] = {}
        self._waiting: list[Future[bool]] = []
        self._waiting_lock = threading.Lock()
        self._missed = threading.Event()
        self._ended = False
        self._away = False
        self._refresh()
        self._thread = threading.Thread(target=self._run, name="tekil-write-keys", daemon=True)
        self._thread.start()

    def known(self, authorization: str) -> Sender | None:
        """Return who an `Authorization` header, in the form that clients write it, stands for."""
        return self._by_header.get(authorization)

    async def find(self, keys: Sequence[str]) -> Sender:
        """Return the sender that one of `keys` stands for, tried in order.

        Raises `Unauthorised` where none is a write key, after a look into the store that began after
        this call; `Unavailable` where the store could not be read.
        """
        sender = self._look_up(keys)
        if sender is not None:
            return sender
        if not keys:
            raise Unauthorised(
                "There is no write key. Send it as the user name of Basic authorisation, as a Bearer "
                'token, or as "writeKey" in the body.',
                code="write_key_missing",
            )
        if not await self._look_again():
            raise Unavailable(
                "The write key could not be checked just now. Nothing was kept; send this again.",
                code="store_unavailable",
            )
        sender = self._look_up(keys)
        if sender is None:
            raise Unauthorised(
                "No source has this write key. Copy the key from the console's Sources page, or make "
                "one with `tekil key create --source NAME`.",
                code="write_key_unknown",
            )
        return sender

    def enabled_source(self, source: str) -> str:
        """Return a source of our own making, such as a form's, which needs no key.

        Raises `Forbidden` where there is one of its name, and it was disabled.
        """
        found = [sender for sender in self._by_key.values() if sender.source == source]
        return check_enabled(found[0]) if found else source

    def _look_up(self, keys: Sequence[str]) -> Sender | None:
        return next((sender for key in keys if (sender := self._by_key.get(key)) is not None), None)

    async def _look_again(self) -> bool:
        """Wait for a look into the store that begins after now; return whether it succeeded."""
        future: Future[bool] = self._loop.create_future()
        with self._waiting_lock:
            self._waiting.append(future)
        self._missed.set()
        try:
            return await wait_for(future, PATIENCE_SECONDS)
        except TimeoutError:
            return False

    def _run(self) -> None:
        while not self._ended:
            missed = self._missed.wait(REFRESH_SECONDS)
            if missed:
                time.sleep(MISS_SECONDS)
            self._missed.clear()
            with self._waiting_lock:
                waiting, self._waiting = self._waiting, []
            fresh = self._refresh()
            if not self._ended:
                self._loop.call_soon_threadsafe(_settle, waiting, fresh)

    def _refresh(self) -> bool:
        """Read all keys. Return whether the store answered."""
        try:
            keys = self._keys.write_keys()
        except TekilError as error:
            if not self._away:
                logger.warning("Write keys are as they were last seen, until the store is back. %s", error)
            self._away = True
            return False
        except Exception:
            logger.exception("The write keys could not be read.")
            return False
        self._away = False
        by_key = {key.key: Sender(key.source, key.enabled) for key in keys}
        by_header: dict[str, Sender] = {}
        for key, sender in by_key.items():
            for form in (f"{key}:", key):
                by_header[f"Basic {base64.b64encode(form.encode()).decode()}"] = sender
            by_header[f"Bearer {key}"] = sender
        self._by_key, self._by_header = by_key, by_header
        return True

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._missed.set()


def _settle(waiting: list[Future[bool]], fresh: bool) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(fresh)


def check_enabled(sender: Sender) -> str:
    """Return the sender's source. Raises `Forbidden` where it was disabled."""
    if not sender.enabled:
        raise Forbidden(
            f"The source {sender.source} was disabled. Enable it on the console's Sources page.",
            code="source_disabled",
        )
    return sender.source


def key_of(authorization: str) -> str | None:
    """Return the write key in an `Authorization` header: Basic's user name, or the Bearer token."""
    scheme, _, rest = authorization.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest or None
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return decoded.partition(":")[0] or None
