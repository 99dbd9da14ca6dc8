"""A file goes into a real collector: once, whatever breaks on the way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from tekil.errors import BadRequest, Unauthorised, Unavailable
from tekil.messages import BATCH_MESSAGES_MAX, BATCH_SIZE_MAX
from tekil.pull import Composed, Mapping, Sent, file_digest, send
from tekil.pull.door import batches
from tests.pull.conftest import Collector, prepared

IDENTIFY = Mapping.parse("identify")


def customers(folder: Path, count: int, name: str = "customers.csv") -> Path:
    lines = [f"{number};kişi{number}@ornek.com;İzmir" for number in range(count)]
    path = folder / name
    path.write_text("\n".join(["Müşteri No;E-posta;Şehir", *lines]), encoding="cp1254")
    return path


def deliver(path: Path, mapping: Mapping, door: str, write_key: str, **more: Any) -> Sent:
    more = {"progress": lambda done, expected: None, "state_path": path.parent / "imports", **more}
    return send(path, mapping, door=door, write_key=write_key, **more)


def test_every_row_is_in_the_log_once_and_sending_again_sends_nothing(
    collector: Collector, tmp_path: Path
) -> None:
    path = customers(tmp_path, 6_000)
    seen: list[tuple[int, int | None]] = []
    first = deliver(
        path, IDENTIFY, collector.url, collector.write_key, progress=lambda *done: seen.append(done)
    )
    second = deliver(path, IDENTIFY, collector.url, collector.write_key)
    assert (first.rows, first.sent, first.skipped, first.refused, first.problem_count) == (
        6000,
        6000,
        0,
        0,
        0,
    )
    assert (second.sent, second.skipped) == (0, 6000)
    messages = collector.messages()
    assert len({message["messageId"] for message in messages}) == len(messages) == 6000
    assert messages[-1]["traits"] == {"email": "kişi5999@ornek.com", "city": "İzmir"}
    assert seen[-1] == (6000, 6000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_lost_state_makes_the_same_messages_again_which_duplicates_removal_knows(
    collector: Collector, tmp_path: Path
) -> None:
    path = customers(tmp_path, 10)
    for run in ("one", "two"):
        deliver(path, IDENTIFY, collector.url, collector.write_key, state_path=tmp_path / run)
    messages = collector.messages()
    assert len(messages) == 20
    assert messages[:10] == messages[10:]


def test_an_import_that_is_killed_in_the_middle_goes_on_where_it_stopped(
    collector: Collector, tmp_path: Path
) -> None:
    path = customers(tmp_path, 12_000)
    state = tmp_path / "imports"
    program = (
        "import sys, time; from pathlib import Path; from tekil.pull import Mapping, send; "
        "send(Path(sys.argv[1]), Mapping.parse('identify'), door=sys.argv[2], write_key=sys.argv[3], "
        "progress=lambda *_: time.sleep(0.1), state_path=Path(sys.argv[4]))"
    )
    command = [sys.executable, "-c", program, str(path), collector.url, collector.write_key, str(state)]
    process = subprocess.Popen(command)
    while not (state / f"{file_digest(path)}.json").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    sent = deliver(path, IDENTIFY, collector.url, collector.write_key, state_path=state)
    assert sent.skipped > 0
    assert sent.sent > 0
    assert sent.rows == 12_000
    ids = [message["messageId"] for message in collector.messages()]
    assert len(set(ids)) == 12_000
    # At most the batch that was in flight went twice, under the same ids.
    assert len(ids) - len(set(ids)) <= BATCH_MESSAGES_MAX


@pytest.mark.slow
def test_an_import_outlives_a_collector_that_dies_and_comes_back(tmp_path: Path) -> None:
    (collector,) = prepared(tmp_path, 1)
    path = customers(tmp_path, 6_000)
    results: list[Sent] = []
    died = threading.Event()

    def run() -> None:
        results.append(
            deliver(
                path,
                IDENTIFY,
                collector.url,
                collector.write_key,
                progress=lambda *_: died.wait(20),
                patience_seconds=30.0,
            )
        )

    importer = threading.Thread(target=run)
    with collector.running() as process:
        importer.start()
        while not collector.messages():
            time.sleep(0.02)
        process.kill()
        process.wait()
        died.set()
    time.sleep(0.2)
    with collector.running():
        importer.join(30)
    assert [result.sent for result in results] == [6000]
    assert len({message["messageId"] for message in collector.messages()}) == 6000


def test_rows_with_problems_are_named_and_sent_and_those_the_door_refuses_are_named(
    collector: Collector, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.jsonl"
    deep = '{"id": 4, "x": ' + "[" * 80 + "]" * 80 + "}"
    huge = '{"id": 5, "x": "' + "y" * 600_000 + '"}'
    large = '{"id": 6, "x": "' + "y" * 40_000 + '"}'
    path.write_text("\n".join(['{"id": 1}', '{"city": "Bursa"}', "no json", deep, huge, large, '{"id": 7}']))
    sent = deliver(path, IDENTIFY, collector.url, collector.write_key)
    assert (sent.rows, sent.sent, sent.refused, sent.problem_count) == (7, 5, 2, 4)
    assert [problem.row for problem in sorted(sent.problems, key=lambda problem: problem.row)] == [2, 3, 4, 5]
    said = {problem.row: problem.text for problem in sent.problems}
    assert "names nobody" in said[2]
    assert "refused by the door" in said[4]
    messages = collector.messages()
    assert [message.get("userId") for message in messages] == ["1", None, None, "6", "7"]
    assert messages[2]["raw"] == "no json"


def test_a_mapping_that_fits_nothing_is_refused_before_anything_is_sent(
    collector: Collector, tmp_path: Path
) -> None:
    path = tmp_path / "cities.csv"
    path.write_text("city,plate\nBursa,16\nVan,65\n")
    with pytest.raises(BadRequest, match="Row 2 names nobody"):
        deliver(path, IDENTIFY, collector.url, collector.write_key)
    with pytest.raises(BadRequest, match="no column 'mail'"):
        deliver(path, Mapping.parse("identify", ["mail=email"]), collector.url, collector.write_key)
    assert collector.messages() == []


def test_events_are_not_counted_twice_because_a_mapping_was_changed(
    collector: Collector, tmp_path: Path
) -> None:
    path = customers(tmp_path, 3)
    visit, lead = Mapping.parse("track:Visit"), Mapping.parse("track:Lead")
    deliver(path, visit, collector.url, collector.write_key)
    with pytest.raises(BadRequest, match="counted twice"):
        deliver(path, lead, collector.url, collector.write_key)
    assert deliver(path, lead, collector.url, collector.write_key, again=True).sent == 3
    # Both are known now; each goes on where it stopped.
    assert deliver(path, visit, collector.url, collector.write_key).skipped == 3
    assert deliver(path, IDENTIFY, collector.url, collector.write_key).sent == 3


def test_a_wrong_key_ends_the_import_at_once_and_the_state_holds_no_key(
    collector: Collector, tmp_path: Path
) -> None:
    path = customers(tmp_path, 3)
    with pytest.raises(Unauthorised, match="tekil key create"):
        deliver(path, IDENTIFY, collector.url, "wrong")
    deliver(path, IDENTIFY, collector.url, collector.write_key)
    (state,) = (tmp_path / "imports").glob("*.json")
    assert collector.write_key not in state.read_text()


class BusyDoor(BaseHTTPRequestHandler):
    """A door that says what it is told to, in turn, and then 200."""

    answers: ClassVar[list[tuple[int, dict[str, str]]]] = []
    bodies: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[str]:
    """The address of a door whose answers the test sets: a real one is hardly ever this busy."""
    BusyDoor.answers, BusyDoor.bodies = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), BusyDoor)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_busy_door_is_waited_for_as_long_as_it_asks(busy: str, tmp_path: Path) -> None:
    BusyDoor.answers = [(503, {"Retry-After": "1"}), (503, {"Retry-After": "0"}), (429, {"Retry-After": "0"})]
    began = time.monotonic()
    assert deliver(customers(tmp_path, 3), IDENTIFY, busy, "key").sent == 3
    assert time.monotonic() - began >= 1
    assert len(BusyDoor.bodies) == 4
    assert len(set(BusyDoor.bodies)) == 1


def test_patience_ends_with_what_to_do_next_and_nothing_counts_as_sent(busy: str, tmp_path: Path) -> None:
    path = customers(tmp_path, 3)
    BusyDoor.answers = [(503, {"Retry-After": "5"})]
    with pytest.raises(Unavailable, match="goes on where it stopped"):
        deliver(path, IDENTIFY, busy, "key", patience_seconds=1.0)
    assert deliver(path, IDENTIFY, busy, "key").sent == 3


def test_an_address_where_no_door_is_says_so(busy: str, tmp_path: Path) -> None:
    BusyDoor.answers = [(404, {})]
    path = customers(tmp_path, 3)
    with pytest.raises(BadRequest, match=r"collect\.port"):
        deliver(path, IDENTIFY, busy, "key")
    with pytest.raises(BadRequest, match="no address"):
        deliver(path, IDENTIFY, "localhost", "key")


def test_batches_fill_the_limits_and_never_pass_them(busy: str, tmp_path: Path) -> None:
    small = [Composed(number, b"{}", ()) for number in range(BATCH_MESSAGES_MAX + 1)]
    assert [len(batch) for batch in batches(small)] == [BATCH_MESSAGES_MAX, 1]
    path = tmp_path / "wide.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode({"id": n, "x": "ş" * 997 * (n % 7)}) for n in range(300)))
    deliver(path, IDENTIFY, busy, "key")
    sizes = [len(body) for body in BusyDoor.bodies]
    assert max(sizes) <= BATCH_SIZE_MAX
    assert min(sizes[:-1]) > BATCH_SIZE_MAX - 20_000
    assert sum(len(msgspec.json.decode(body)["batch"]) for body in BusyDoor.bodies) == 300
