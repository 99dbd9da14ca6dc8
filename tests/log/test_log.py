"""What any log does: keep bodies in order, all or none, and give them back as they were."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tekil.errors import Misconfigured, Unavailable
from tekil.log import Entry, Log, SourceCount, open_log

RECEIVED_AT = 1_767_225_600_000_001  # 2026-01-01T00:00:00.000001Z


def entry(body: str, *, source: str = "web", messages: int = 1) -> Entry:
    return Entry(source, "track", RECEIVED_AT, messages, body.encode())


def bodies(log: Log, after: int = 0) -> list[str]:
    return [body for table in log.replay(after) for body in table["body"].to_pylist()]


def test_a_new_log_is_empty(log: Log) -> None:
    assert (log.head(), bodies(log), log.counts(0)) == (0, [], [])
    assert log.read(0, 10).num_rows == 0


def test_what_is_appended_is_read_as_it_was(log: Log) -> None:
    position = log.append([Entry("mağaza", "batch", RECEIVED_AT, 2, '{"batch":[1,"ş\\u0000"]}'.encode())])
    (row,) = log.read(0, 10).to_pylist()
    assert row == {
        "position": position,
        "source": "mağaza",
        "door": "batch",
        "received_at": datetime(2026, 1, 1, 0, 0, 0, 1),
        "messages": 2,
        "body": '{"batch":[1,"ş\\u0000"]}',
    }


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 127, 200])
def test_any_number_of_bodies_stays_in_order(log: Log, count: int) -> None:
    wanted = [f"[{number}]" for number in range(count)]
    position = log.append([entry(body) for body in wanted])
    assert bodies(log) == wanted
    positions = log.read(0, 1_000)["position"].to_pylist()
    assert positions == sorted(set(positions))
    assert (positions[-1], log.head()) == (position, position)


def test_nothing_appended_changes_nothing(log: Log) -> None:
    head = log.append([entry("1")])
    assert log.append([]) == head
    assert bodies(log) == ["1"]


def test_reading_starts_after_a_position_and_ends_at_a_limit(log: Log) -> None:
    first = log.append([entry("1")])
    log.append([entry("2"), entry("3"), entry("4")])
    assert log.read(first, 2)["body"].to_pylist() == ["2", "3"]
    assert log.read(log.head(), 2).num_rows == 0


def test_reading_ends_at_about_a_size_but_always_moves_on(log: Log) -> None:
    log.append([entry("x" * 1_000) for _ in range(10)])
    assert log.read(0, 100, size=2_500).num_rows == 3
    assert log.read(0, 100, size=1).num_rows == 1


def test_replay_gives_everything_in_tables_of_a_limit(log: Log) -> None:
    log.append([entry(str(number)) for number in range(25)])
    assert [table.num_rows for table in log.replay(limit=10)] == [10, 10, 5]
    assert bodies(log, after=log.read(0, 20)["position"][-1].as_py()) == ["20", "21", "22", "23", "24"]


def test_counts_are_in_messages_by_source(log: Log) -> None:
    first = log.append([entry("1", source="web", messages=3), entry("2", source="till", messages=2)])
    log.append([entry("3", source="web", messages=5)])
    assert log.counts(0) == [SourceCount("till", 2, 2), SourceCount("web", 8, 8)]
    assert log.counts(first) == [SourceCount("till", 2, 0), SourceCount("web", 8, 5)]
    assert log.counts(log.head()) == [SourceCount("till", 2, 0), SourceCount("web", 8, 0)]


def test_what_was_appended_is_there_when_opened_again(url: str) -> None:
    log = open_log(url)
    head = log.append([entry("1"), entry("2")])
    log.close()
    log.close()
    again = open_log(url)
    assert (again.head(), bodies(again)) == (head, ["1", "2"])
    assert again.append([entry("3")]) > head
    again.close()


def test_a_second_opener_sees_appends_as_they_happen(url: str, log: Log) -> None:
    reader = open_log(url)
    assert reader.head() == 0
    log.append([entry("1")])
    assert bodies(reader) == ["1"]
    reader.close()


def test_appends_from_many_threads_and_openers_are_all_kept_once(url: str, log: Log) -> None:
    other = open_log(url)

    def append(to: Log, name: str) -> None:
        for number in range(20):
            to.append([entry(f"{name}-{number}"), entry(f"{name}-{number}b")])

    threads = [threading.Thread(target=append, args=(to, f"{i}")) for i, to in enumerate([log, log, other])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = bodies(log)
    assert len(kept) == len(set(kept)) == 120
    assert [kept[kept.index(body) + 1] for body in kept if not body.endswith("b")] == [
        f"{body}b" for body in kept if not body.endswith("b")
    ]
    assert log.counts(0) == [SourceCount("web", 120, 120)]
    other.close()


def test_an_append_that_fails_keeps_nothing_and_the_next_succeeds(log: Log) -> None:
    head = log.append([entry("1")])
    wrong = [entry("2"), Entry("web", "track", 2**70, 1, b"3")]
    with pytest.raises((Unavailable, OverflowError)):
        log.append(wrong)
    assert (log.head(), bodies(log), log.counts(0)) == (head, ["1"], [SourceCount("web", 1, 1)])
    log.append([entry("4")])
    assert bodies(log) == ["1", "4"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.tuples(st.sampled_from(["web", "till"]), st.integers(0, 5), st.text()), max_size=6)
    )
)
def test_replay_is_what_was_appended(log: Log, batches: list[list[tuple[str, int, str]]]) -> None:
    after, before = log.head(), {count.source: count.accepted for count in log.counts(0)}
    for batch in batches:
        log.append([entry(body, source=source, messages=count) for source, count, body in batch])
    flat = [item for batch in batches for item in batch]
    rows = [row for table in log.replay(after, limit=4) for row in table.to_pylist()]
    assert [(row["source"], row["messages"], row["body"]) for row in rows] == flat
    for count in log.counts(after):
        mine = sum(messages for source, messages, _ in flat if source == count.source)
        assert (count.waiting, count.accepted - before.get(count.source, 0)) == (mine, mine)


def test_a_url_that_names_no_log_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"log\.url"):
        open_log("carrier-pigeon://roof")


def test_a_place_where_nothing_can_be_kept_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_log(f"sqlite:///{tmp_path}/file/log.db")


def test_what_lies_at_positions_is_changed_and_nothing_else(log: Log) -> None:
    log.append([entry(f"[{number}]", source="till" if number % 2 else "web") for number in range(6)])
    log.append([entry('["later"]')])
    before = log.read(0, 100)
    positions = before["position"].to_pylist()
    changed = log.rewrite(
        [positions[4], positions[1], positions[1], 999_999_999], lambda _at, body: body + b" "
    )
    assert changed == 2
    after = log.read(0, 100)
    assert after["body"].to_pylist() == ["[0]", "[1] ", "[2]", "[3]", "[4] ", "[5]", '["later"]']
    assert after.drop_columns("body") == before.drop_columns("body")
    assert log.counts(0) == [SourceCount("till", 3, 3), SourceCount("web", 4, 4)]
    assert log.rewrite([], lambda _at, body: body) == 0


def test_appending_at_once_is_appending_where_nobody_holds_the_log(log: Log) -> None:
    position = log.append_at_once([entry("1"), entry("2")])
    if position is None:
        position = log.append([entry("1"), entry("2")])
    assert (position, bodies(log)) == (log.head(), ["1", "2"])
    assert log.append_at_once([]) is None


def test_reading_goes_on_in_the_middle_of_what_was_appended_together(log: Log) -> None:
    log.append([entry(str(number), messages=2) for number in range(5)])
    log.append([entry("a"), entry("b")])
    positions = log.read(0, 100)["position"].to_pylist()
    for at, position in enumerate(positions):
        rest = ["0", "1", "2", "3", "4", "a", "b"][at + 1 :]
        assert bodies(log, after=position) == rest
        waiting = sum(2 if body.isdigit() else 1 for body in rest)
        assert log.counts(position) == [SourceCount("web", 12, waiting)]
