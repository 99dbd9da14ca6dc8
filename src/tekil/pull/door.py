"""The door as an import meets it: batches within its limits, waiting while it cannot, refusals row by row."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType

import httpx
import msgspec

from tekil.errors import BadRequest, Unauthorised, Unavailable
from tekil.messages import BATCH_MESSAGES_MAX, BATCH_SIZE_MAX
from tekil.pull.compose import Composed

PATH = "/v1/import"
START, END = b'{"batch":[', b"]}"
FIRST_WAIT_SECONDS = 0.5
WAIT_SECONDS_MAX = 30.0
REQUEST_TIMEOUT_SECONDS = 60.0
WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504})
REFUSING_ROWS = frozenset({400, 413, 422})


def batches(messages: Iterable[Composed]) -> Iterator[list[Composed]]:
    """Yield the messages in lists that fit into one request each; one too large for any goes alone."""
    batch: list[Composed] = []
    size, count = len(START) + len(END), 0
    for message in messages:
        more = len(message.body) + 1
        is_full = count + message.messages > BATCH_MESSAGES_MAX or size + more > BATCH_SIZE_MAX
        if batch and is_full:
            yield batch
            batch, size, count = [], len(START) + len(END), 0
        batch.append(message)
        size, count = size + more, count + message.messages
    if batch:
        yield batch


class Door:
    """A connection to `POST /v1/import`, to be closed by leaving its `with` block."""

    def __init__(self, url: str, write_key: str, patience_seconds: float) -> None:
        """Take the door's base URL, a source's write key, and for how long to wait while it is away."""
        self.url = url.rstrip("/")
        self._patience = patience_seconds
        self._client = httpx.Client(auth=(write_key, ""), timeout=REQUEST_TIMEOUT_SECONDS)

    def __enter__(self) -> Door:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def post(self, batch: Sequence[Composed]) -> list[tuple[int, str]]:
        """Send a batch; return (row, reason) for what the door would not take. All else is on disk.

        One bad message makes the door refuse its batch, so a refused batch is halved until the bad ones
        are alone. Raises `Unauthorised`, `Unavailable` when patience ends, and `BadRequest` where
        something other than Tekil answers.
        """
        answer = self._answered(START + b",".join(message.body for message in batch) + END)
        if answer.status_code == 200:
            return []
        if answer.status_code in (401, 403):
            raise Unauthorised(
                f"The door at {self.url} does not know this write key: {_reason(answer)}. "
                "Make one with `tekil key create --source NAME`.",
                code="write_key_refused",
            )
        if answer.status_code not in REFUSING_ROWS:
            raise BadRequest(
                f"{self.url}{PATH} answered {answer.status_code}: {_reason(answer)}. "
                "Is that the address of Tekil's door (collect.port)?",
                code="door_unknown",
            )
        if len(batch) == 1:
            return [(batch[0].row, f"was refused by the door: {_reason(answer)}")]
        middle = len(batch) // 2
        return self.post(batch[:middle]) + self.post(batch[middle:])

    def _answered(self, body: bytes) -> httpx.Response:
        """Return the first answer that repeating would not change."""
        patience_ends = time.monotonic() + self._patience
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                answer = self._client.post(
                    self.url + PATH, content=body, headers={"Content-Type": "application/json"}
                )
                if answer.status_code not in WORTH_REPEATING:
                    return answer
                asked, reason = answer.headers.get("Retry-After", ""), _reason(answer)
            except httpx.UnsupportedProtocol as error:
                raise BadRequest(
                    f"{self.url!r} is no address of a door: {error}.", code="door_unknown"
                ) from error
            except httpx.TransportError as error:
                asked, reason = "", str(error) or type(error).__name__
            pause = min(float(asked) if asked.isdecimal() else wait, WAIT_SECONDS_MAX)
            if time.monotonic() + pause > patience_ends:
                raise Unavailable(
                    f"The door at {self.url} has taken nothing for {self._patience:.0f} seconds: {reason}. "
                    "Import the file again when it is back: it goes on where it stopped.",
                    code="door_unavailable",
                )
            time.sleep(pause)
            wait *= 2


def _reason(answer: httpx.Response) -> str:
    try:
        said = msgspec.json.decode(answer.content, type=dict[str, object])
    except msgspec.MsgspecError:
        return answer.reason_phrase or str(answer.status_code)
    return str(said.get("message") or said.get("detail") or answer.status_code)
