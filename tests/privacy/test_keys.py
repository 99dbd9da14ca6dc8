"""Keys: wrapped by one master key, made once, changed in use, destroyed for good."""

from __future__ import annotations

import stat
import threading
from datetime import date
from pathlib import Path

import pytest

from tekil.errors import Misconfigured
from tekil.log import Entry, open_log
from tekil.privacy.keys import DayKeys, KeyRing, MasterKey, new_master_key, read_master_key
from tekil.store import Store, open_store

ONE, OTHER = MasterKey(b"1" * 32), MasterKey(b"2" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'store.db'}")


def test_a_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    made: list[MasterKey] = []
    threads = [
        threading.Thread(target=lambda: made.append(read_master_key("file:data/master.key", tmp_path)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len({key.key for key in made}) == 1
    path = tmp_path / "data" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_comes_from_the_environment_or_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = new_master_key()
    monkeypatch.setenv("TEKIL_TEST_KEY", text)
    (tmp_path / "key").write_text(text)
    told = [read_master_key(s, tmp_path) for s in ("env:TEKIL_TEST_KEY", f"command:cat {tmp_path / 'key'}")]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "source", ["", "env:NOBODY_SET_THIS", "command:false", "command:no-such-program", "vault:x", "command:'"]
)
def test_without_a_key_nothing_starts_and_the_error_says_where_it_was_sought(
    source: str, tmp_path: Path
) -> None:
    with pytest.raises(Misconfigured, match=r"keys\.master"):
        read_master_key(source, tmp_path)


def test_a_broken_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not a key at all")
    with pytest.raises(Misconfigured) as refused:
        read_master_key("file:key", tmp_path)
    assert "not a key at all" not in refused.value.message


def test_two_processes_have_the_same_keys(store: Store) -> None:
    one, other = KeyRing(store.data_keys, ONE), KeyRing(store.data_keys, ONE)
    assert one.current("tokens") == other.current("tokens")
    assert one.key(one.current("tokens")) == other.key(other.current("tokens"))
    assert one.current("vault") != one.current("tokens")


def test_a_wrong_master_key_is_told_from_a_right_one(store: Store) -> None:
    key_id = KeyRing(store.data_keys, ONE).current("vault")
    with pytest.raises(Misconfigured, match="Give the right one back"):
        KeyRing(store.data_keys, OTHER).key(key_id)


def test_another_master_key_wraps_the_same_keys(store: Store) -> None:
    ring = KeyRing(store.data_keys, ONE)
    ids = [ring.current(purpose) for purpose in ("tokens", "vault", "log 2026-03-01")]
    before = [ring.key(key_id) for key_id in ids]
    assert ring.rewrap(OTHER) == 3
    assert [KeyRing(store.data_keys, OTHER).key(key_id) for key_id in ids] == before
    with pytest.raises(Misconfigured):
        KeyRing(store.data_keys, ONE).key(ids[0])


def test_a_wrapped_key_is_of_no_use_for_another_purpose(store: Store) -> None:
    ring = KeyRing(store.data_keys, ONE)
    ring.current("vault")
    kept = store.data_keys.newest("vault")
    assert kept is not None
    assert ONE.unwrap(kept.wrapped, "vault")
    with pytest.raises(Exception, match=r".*"):
        ONE.unwrap(kept.wrapped, "tokens")


def test_a_day_of_the_log_is_gone_when_its_key_is(store: Store, tmp_path: Path) -> None:
    days = [date(2026, 3, 1)]
    ring = KeyRing(store.data_keys, ONE)
    log = open_log(f"sqlite:///{tmp_path / 'log.db'}", DayKeys(ring, lambda: days[0]))
    head = log.append([Entry("web", "track", 1, 1, b'{"on":"sunday"}')])
    sunday = ring.current("log 2026-03-01")
    days[0] = date(2026, 3, 2)
    log.append([Entry("web", "track", 2, 1, b'{"on":"monday"}')])
    assert log.read(0, 10)["body"].to_pylist() == ['{"on":"sunday"}', '{"on":"monday"}']
    ring.destroy(sunday)
    with pytest.raises(Misconfigured, match="destroyed"):
        log.read(0, 10)
    assert log.read(head, 10)["body"].to_pylist() == ['{"on":"monday"}']
    # Nothing of it lies in the clear, in the file or beside it.
    assert not any(b"sunday" in path.read_bytes() for path in tmp_path.iterdir())


def test_at_midnight_the_log_needs_no_store(store: Store, tmp_path: Path) -> None:
    days = [date(2026, 3, 1)]
    cipher = DayKeys(KeyRing(store.data_keys, ONE), lambda: days[0])
    before, _ = cipher.seal(b"before")
    store.close()
    days[0] = date(2026, 3, 2)
    (tmp_path / "store.db").rename(tmp_path / "away.db")
    key_id, _ = cipher._ring.current("log 2026-03-02"), None
    assert key_id != before


def test_an_encrypted_log_is_not_read_without_its_keys(store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    log = open_log(url, DayKeys(KeyRing(store.data_keys, ONE)))
    log.append([Entry("web", "track", 1, 1, b"{}")])
    with pytest.raises(Misconfigured, match="without its keys"):
        open_log(url).read(0, 10)
    # How much there is can still be counted.
    assert open_log(url).counts(0)[0].accepted == 1
