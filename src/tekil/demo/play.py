"""Playing the company to a running Tekil: the past in fast-forward, then the present as it happens.

The past goes out oldest day first. The order means nothing to Tekil (law 3), and this way the first batch
leaves as soon as the first day has been made up, a moment after the start; the most recent days would first
need every day before them. The Live page counts what arrives, so it fills from the first second either way.

The past is imported with the instants at which things truly happened: a clock's skew can only be put right
against the moment of sending, which is long gone. The present is sent as devices send, by their own clocks.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tekil.demo.company import Company
from tekil.demo.post import Post
from tekil.demo.visits import APP, WEB
from tekil.demo.wire import Nature, Sending, instant
from tekil.errors import BadRequest, TekilError
from tekil.messages import BATCH_MESSAGES_MAX, BATCH_SIZE_MAX

SOURCES = (WEB, APP, "stores", "call-centre", "corporate", "e-mail", "ads")
"""The sources the company sends from; each needs a write key."""

CARRIERS = 2
TICK = 0.25
"""Seconds between two looks at what is due, live."""

PARCEL_MESSAGES = 12
"""Messages of a live batch: even were each the largest a sender makes, the body would not be too large."""

SHORT_DOORS = {"track": "t", "page": "p", "identify": "i", "alias": "a"}
_OPEN, _CLOSE = b'{"batch":[', b"]}"

Progress = Callable[[int, int | None], None]


class Played(msgspec.Struct, frozen=True):
    """What the door acknowledged: all messages, and how many of them were duplicates and malformed."""

    sent: int
    duplicates_sent: int
    malformed_sent: int


class _Tally:
    """What was acknowledged so far; carriers add to it from their threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: dict[Nature, int] = {"message": 0, "duplicate": 0, "malformed": 0}

    def add(self, natures: dict[Nature, int]) -> None:
        with self._lock:
            for nature, count in natures.items():
                self.counts[nature] += count

    @property
    def sent(self) -> int:
        return sum(self.counts.values())


class _Batch:
    """Messages of one source that wait to be imported together."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = len(_OPEN) + len(_CLOSE)
        self.natures: dict[Nature, int] = defaultdict(int)

    def has_room(self, part: bytes) -> bool:
        return len(self.parts) < BATCH_MESSAGES_MAX and self.size + len(part) + 1 <= BATCH_SIZE_MAX

    def add(self, part: bytes, nature: Nature) -> None:
        self.parts.append(part)
        self.size += len(part) + 1
        self.natures[nature] += 1

    def body(self) -> bytes:
        return b"".join((_OPEN, b",".join(self.parts), _CLOSE))


def play(
    company: Company,
    *,
    door: str,
    write_keys: dict[str, str],
    truth_path: Path | None = None,
    live: bool = False,
    stop: threading.Event,
    progress: Progress,
    pace: float = 1.0,
) -> Played:
    """Send a company's history to the door at `door` (its base URL), then live on until `stop` is set.

    `progress` hears how many messages were acknowledged, and about how many there will be (`None` where
    that is unknown). `pace` scales how much goes on live. The ground truth goes to `truth_path` after the
    history and once more at the end. Returns when all is acknowledged, or `stop` is set: what was not
    acknowledged is not counted.
    Raises `BadRequest` where a source has no key, and what `Post.carry` raises.
    """
    missing = [source for source in SOURCES if source not in write_keys]
    if missing:
        raise BadRequest(f"The demo has no write key for {', '.join(missing)}.", code="demo_key_missing")
    tally = _Tally()
    with Post(door, stop) as post:
        _play_history(company, post, write_keys, tally, stop, progress)
        if not stop.is_set():
            _write_truth(company, truth_path, company.until)
            if live:
                _play_present(company, post, write_keys, tally, stop, progress, pace)
                _write_truth(company, truth_path, datetime.now(UTC))
    return Played(tally.sent, tally.counts["duplicate"], tally.counts["malformed"])


def _play_history(
    company: Company,
    post: Post,
    keys: dict[str, str],
    tally: _Tally,
    stop: threading.Event,
    progress: Progress,
) -> None:
    encode = msgspec.json.Encoder().encode
    refused = threading.Event()
    room = threading.Semaphore(CARRIERS * 2)
    waiting: dict[str, _Batch] = defaultdict(_Batch)
    carried: list[Future[None]] = []
    opens, span = company.until.timestamp() - company.days * 86_400, company.days * 86_400

    def carry(source: str, batch: _Batch) -> None:
        try:
            if post.carry("/v1/import", batch.body(), key=keys[source]):
                tally.add(batch.natures)
        except TekilError:
            refused.set()
            raise
        finally:
            room.release()

    with ThreadPoolExecutor(CARRIERS, "demo") as carriers:

        def hand_over(source: str, at: float) -> None:
            room.acquire()
            carried.append(carriers.submit(carry, source, waiting.pop(source)))
            share = min(1.0, max(0.0, (at - opens) / span))
            progress(tally.sent, round(tally.sent / share) if share > 0.02 else None)

        for sending in company.history():
            if stop.is_set() or refused.is_set():
                break
            part = encode(sending.message)
            if not waiting[sending.source].has_room(part):
                hand_over(sending.source, sending.at)
            waiting[sending.source].add(part, sending.nature)
        for source in list(waiting):
            hand_over(source, company.until.timestamp())
    for future in carried:
        future.result()
    progress(tally.sent, tally.sent)


def _play_present(
    company: Company,
    post: Post,
    keys: dict[str, str],
    tally: _Tally,
    stop: threading.Event,
    progress: Progress,
    pace: float,
) -> None:
    present = company.present(time.time(), pace)
    while not stop.wait(TICK):
        for group in _parcels(present.due(time.time())):
            path, body, plain = _live_body(group, keys[group[0].source])
            if not post.carry(path, body, plain=plain):
                return
            for sending in group:
                tally.add({sending.nature: 1})
        progress(tally.sent, None)


def _parcels(due: list[Sending]) -> list[list[Sending]]:
    """Put together what one sender sends in one go: browsers send each message by itself, others batch."""
    parcels: dict[tuple[Any, ...], list[Sending]] = defaultdict(list)
    for number, sending in enumerate(due):
        alone = (
            sending.source == WEB and sending.nature != "malformed" and sending.message["type"] in SHORT_DOORS
        )
        device = str(sending.message.get("anonymousId")) if sending.source == APP else ""
        parcels[sending.source, sending.skew, device, number if alone else -1].append(sending)
    return [
        group[start : start + PARCEL_MESSAGES]
        for group in parcels.values()
        for start in range(0, len(group), PARCEL_MESSAGES)
    ]


def _live_body(group: list[Sending], key: str) -> tuple[str, bytes, bool]:
    """Return the path, the body and whether it goes as text/plain. Instants are by the sender's clock."""
    first = group[0]
    sent_at = instant(time.time() + first.skew)
    messages = [_by_own_clock(sending) for sending in group]
    kind = SHORT_DOORS.get(str(first.message.get("type")))
    if first.source == WEB and len(messages) == 1 and kind is not None and first.nature != "malformed":
        body = {**messages[0], "sentAt": sent_at, "writeKey": key}
        return f"/v1/{kind}", msgspec.json.encode(body), True
    envelope = {"batch": messages, "sentAt": sent_at, "writeKey": key}
    return "/v1/batch", msgspec.json.encode(envelope), False


def _by_own_clock(sending: Sending) -> dict[str, Any]:
    if sending.nature == "malformed":
        return sending.message
    return {**sending.message, "timestamp": instant(sending.happened + sending.skew)}


def _write_truth(company: Company, path: Path | None, until: datetime) -> None:
    """Write the truth as a whole or not at all."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(company.truth(until)))
    part.replace(path)
