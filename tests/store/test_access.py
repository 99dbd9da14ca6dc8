"""Users, sessions, second factors, wrong guesses and keys that end, as the store keeps them."""

from __future__ import annotations

import threading
import time

import pytest

from tekil.access.audit import Actor
from tekil.access.policy import Condition
from tekil.access.totp import STEP_SECONDS, code_at
from tekil.errors import BadRequest, NotFound, TekilError
from tekil.store import Card, Store, open_store
from tekil.store import failures as failures_module
from tekil.store import keys as keys_module
from tekil.store import sessions as sessions_module
from tekil.store.failures import ACCOUNT_MAX, ADDRESS_MAX, STRANGERS_MAX, Guess, Locked

BY = Actor("user", "admin", "10.0.0.1")
GOOD = "mavi minder pencere"


def acts(store: Store) -> list[str]:
    return [entry.act for entry in store.audit.entries()]


def test_a_user_is_made_narrowed_changed_and_disabled(store: Store) -> None:
    store.users.create_first()
    password = store.users.create("ayşe", ["marketer"], Condition("city", ("İzmir",)), BY)
    token = store.users.sign_in("ayşe", password) or ""
    found = store.sessions.find(token)
    assert found
    user = found[0]
    assert (user.roles, user.condition, user.must_change) == (
        ("marketer",),
        Condition("city", ("İzmir",)),
        True,
    )
    store.users.set_roles("ayşe", ["sales", "analyst"], None, BY)
    assert store.users.get("ayşe").roles == ("sales", "analyst")
    assert store.users.get("ayşe").condition is None
    store.users.set_enabled("ayşe", False, BY)
    assert store.sessions.find(token) is None
    assert store.users.sign_in("ayşe", password) is None
    store.users.set_enabled("ayşe", True, BY)
    assert store.sessions.find(token) is None
    assert store.users.sign_in("ayşe", password)
    assert [u.name for u in store.users.all()] == ["admin", "ayşe"]
    assert {"user.created", "user.roles_set", "user.disabled", "user.enabled"} <= set(acts(store))


def test_names_roles_and_users_that_cannot_be_are_refused(store: Store) -> None:
    store.users.create("ayse", ["sales"])
    for name in ("", "a b", "x" * 65, "a/b", "a\n", "ayse"):
        with pytest.raises(BadRequest):
            store.users.create(name, ["sales"])
    with pytest.raises(BadRequest):
        store.users.create("veli", ["king"])
    for change in (
        lambda: store.users.get("nobody"),
        lambda: store.users.set_enabled("nobody", True, BY),
        lambda: store.users.reset_password("nobody", BY),
        lambda: store.sessions.end_one("ayse", "none", BY),
    ):
        with pytest.raises(NotFound):
            change()
    assert [u.name for u in store.users.all()] == ["ayse"]


def test_somebody_is_always_left_to_administrate(store: Store) -> None:
    store.users.create_first()
    for change in (
        lambda: store.users.set_enabled("admin", False, BY),
        lambda: store.users.set_roles("admin", ["auditor"], None, BY),
        lambda: store.users.set_roles("admin", ["administrator"], Condition("city", ("a",)), BY),
    ):
        with pytest.raises(BadRequest, match="administrate"):
            change()
    assert store.users.get("admin").roles == ("administrator",)
    store.users.create("ayse", ["administrator"])
    store.users.set_enabled("admin", False, BY)


def test_a_password_is_changed_by_its_owner_and_the_other_sessions_end(store: Store) -> None:
    old = store.users.create("ayse", ["sales"])
    here, there = store.users.sign_in("ayse", old) or "", store.users.sign_in("ayse", old) or ""
    kept = store.sessions.find(here)
    assert kept
    with pytest.raises(BadRequest, match="not right"):
        store.users.change_password("ayse", "wrong", GOOD, BY)
    with pytest.raises(BadRequest, match="present one"):
        store.users.change_password("ayse", old, old, BY)
    store.users.change_password("ayse", old, GOOD, BY, kept[1].id)
    assert store.sessions.find(here)
    assert store.sessions.find(there) is None
    assert not store.users.get("ayse").must_change
    assert store.users.sign_in("ayse", old) is None
    again = store.users.reset_password("ayse", BY)
    assert store.sessions.find(here) is None
    assert store.users.sign_in("ayse", GOOD) is None
    assert store.users.sign_in("ayse", again)
    assert store.users.get("ayse").must_change


def test_a_session_idles_out_but_for_what_a_person_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = store.users.sign_in("ayse", store.users.create("ayse", ["sales"])) or ""
    minute, now = 60_000_000, sessions_module.now_us()
    clock = [now]
    monkeypatch.setattr(sessions_module, "now_us", lambda: clock[0])
    for _ in range(3):
        clock[0] += 50 * minute
        assert store.sessions.find(token, idle_us=60 * minute, touch=True)
    clock[0] += 50 * minute
    assert store.sessions.find(token, idle_us=60 * minute)
    clock[0] += 20 * minute
    assert store.sessions.find(token, idle_us=60 * minute) is None


def test_sessions_are_listed_and_ended_one_by_one(store: Store) -> None:
    password = store.users.create("ayse", ["sales"])
    tokens = [store.users.sign_in("ayse", password, f"10.0.0.{n}") or "" for n in range(2)]
    listed = {session.address: session.id for session in store.sessions.of("ayse")}
    assert listed.keys() == {"10.0.0.0", "10.0.0.1"}
    store.users.create("veli", ["sales"])
    with pytest.raises(NotFound):
        store.sessions.end_one("veli", listed["10.0.0.0"], BY)
    store.sessions.end_one("ayse", listed["10.0.0.0"], BY)
    assert store.sessions.find(tokens[0]) is None
    assert store.sessions.find(tokens[1])


def test_whoever_guesses_waits_in_every_process_and_the_owner_elsewhere_does_not(
    store: Store, url: str
) -> None:
    password = store.users.create("ayse", ["sales"])
    for _ in range(ACCOUNT_MAX):
        assert store.users.sign_in("ayse", "wrong", "203.0.113.7") is None
    other = open_store(url)
    for _ in range(2):
        with pytest.raises(Locked) as caught:
            other.users.sign_in("ayse", password, "203.0.113.7")
        assert 0 < caught.value.seconds <= 15 * 60
        assert acts(store).count("session.locked") == 1
    assert other.users.sign_in("ayse", password, "10.1.1.1")
    other.close()


def test_guesses_from_everywhere_lock_strangers_out_and_not_who_has_been_here(store: Store) -> None:
    password = store.users.create("ayse", ["sales"])
    store.users.create("veli", ["sales"])
    cookie = store.devices.remember("", "ayse")
    for n in range(STRANGERS_MAX):
        store.failures.claim(Guess("password", "ayse", f"203.0.113.{n}"))
    with pytest.raises(Locked):
        store.users.sign_in("ayse", password, "10.1.1.1")
    with pytest.raises(Locked):
        store.users.sign_in("ayse", password, "10.1.1.1", store.devices.known("made up", "ayse"))
    assert store.devices.known(cookie, "veli") == ""
    assert store.users.sign_in("ayse", password, "203.0.113.1", store.devices.known(cookie, "ayse"))
    # Whoever stole the browser guesses no longer than anybody.
    for _ in range(ACCOUNT_MAX):
        assert store.users.sign_in("ayse", "wrong", "", store.devices.known(cookie, "ayse")) is None
    with pytest.raises(Locked):
        store.users.sign_in("ayse", password, "", store.devices.known(cookie, "ayse"))
    store.users.set_enabled("ayse", True, BY)
    assert store.users.sign_in("ayse", password, "10.1.1.1")


def test_a_browser_gets_a_new_mark_at_each_sign_in_and_a_planted_one_is_worth_nothing(store: Store) -> None:
    store.users.create("ayse", ["sales"])
    planted = store.devices.remember("", "mallory")
    kept = store.devices.remember(planted, "ayse")
    assert store.devices.known(planted, "ayse") == store.devices.known(planted, "mallory") == ""
    assert store.devices.known(kept, "ayse")
    assert store.devices.known(kept, "mallory")
    again = store.devices.remember(kept, "ayse")
    assert [bool(store.devices.known(token, "ayse")) for token in (kept, again)] == [False, True]
    store.users.reset_password("ayse", BY)
    assert store.devices.known(again, "ayse") == ""
    assert store.devices.known(again, "mallory")


def test_an_address_that_tries_many_names_is_locked_and_a_name_nobody_has_counts_too(store: Store) -> None:
    guesses = [Guess("password", f"name-{n}", "10.0.0.1") for n in range(ADDRESS_MAX)]
    for guess in guesses:
        store.failures.claim(guess)
    with pytest.raises(Locked):
        store.failures.claim(Guess("password", "another", "10.0.0.1"))
    store.failures.claim(Guess("password", "another", "10.0.0.2"))


def test_wrong_guesses_are_forgotten_in_time_and_by_a_right_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    guess = Guess("password", "ayse", "10.0.0.1")
    for _ in range(ACCOUNT_MAX):
        store.failures.claim(guess)
    store.failures.forgive(guess)
    for _ in range(ACCOUNT_MAX):
        store.failures.claim(guess)
    with pytest.raises(Locked):
        store.failures.claim(guess)
    later = failures_module.now_us() + failures_module.WINDOW_US
    monkeypatch.setattr(failures_module, "now_us", lambda: later)
    store.failures.claim(guess)


def test_guesses_made_all_at_once_are_counted_each(store: Store) -> None:
    locked: list[bool] = []

    def guess() -> None:
        try:
            store.failures.claim(Guess("password", "ayse", "10.0.0.1"))
            locked.append(False)
        except Locked:
            locked.append(True)

    threads = [threading.Thread(target=guess) for _ in range(ACCOUNT_MAX + 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert locked.count(False) == ACCOUNT_MAX


def code(secret: str, ahead: int = 0) -> str:
    return code_at(secret, int(time.time()) // STEP_SECONDS + ahead)


def test_a_second_factor_is_enrolled_confirmed_shown_once_and_taken_away(store: Store) -> None:
    store.users.create("ayse", ["sales"])
    first = store.second_factors.pending("ayse")
    secret = store.second_factors.enrol("ayse")
    assert store.second_factors.pending("ayse") == secret != first
    assert not store.users.get("ayse").has_second_factor
    with pytest.raises(BadRequest):
        store.second_factors.show("ayse", code(secret), BY)
    with pytest.raises(BadRequest):
        store.second_factors.confirm("ayse", "000000x", BY)
    recovery = store.second_factors.confirm("ayse", code(secret), BY)
    assert store.users.get("ayse").has_second_factor
    with pytest.raises(BadRequest, match="already"):
        store.second_factors.enrol("ayse")
    with pytest.raises(BadRequest, match="used already"):
        store.second_factors.show("ayse", code(secret), BY)
    store.second_factors.show("ayse", code(secret, 1), BY)
    store.second_factors.show("ayse", recovery[0].upper(), BY)
    with pytest.raises(BadRequest):
        store.second_factors.show("ayse", recovery[0], BY)
    assert store.second_factors.codes_left("ayse") == 9
    kept = "".join(entry.details for entry in store.audit.entries())
    assert secret not in kept
    assert recovery[0] not in kept
    store.second_factors.remove("ayse", BY)
    store.second_factors.remove("ayse", BY)
    assert not store.users.get("ayse").has_second_factor
    assert acts(store)[-5:] == [
        "second_factor.on",
        "second_factor.refused",
        "second_factor.recovered",
        "second_factor.refused",
        "second_factor.off",
    ]


def test_guessing_codes_is_locked_too(store: Store) -> None:
    store.users.create("ayse", ["sales"])
    secret = store.second_factors.enrol("ayse")
    store.second_factors.confirm("ayse", code(secret), BY)
    for _ in range(ACCOUNT_MAX):
        with pytest.raises(BadRequest):
            store.second_factors.show("ayse", "nonsense", BY)
    with pytest.raises(Locked):
        store.second_factors.show("ayse", code(secret, 1), BY)


def test_whoever_has_a_master_key_may_seal_the_secrets(store: Store) -> None:
    class Backwards:
        def seal(self, text: str) -> str:
            return text[::-1]

        def open(self, sealed: str) -> str:
            return sealed[::-1]

    plain = store.second_factors.sealer
    assert plain.open(plain.seal("x")) == "x"
    store.second_factors.sealer = Backwards()
    secret = store.second_factors.enrol("ayse")
    assert store.second_factors.pending("ayse") == secret
    store.second_factors.confirm("ayse", code(secret), BY)


def test_a_key_ends_when_its_time_is_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = store.keys.create_api_key("a", ["sql:read"], lasts_us=90 * keys_module.DAY_US)
    assert key.allows("sql:read")
    later = keys_module.now_us() + 91 * keys_module.DAY_US
    monkeypatch.setattr(keys_module, "now_us", lambda: later)
    found = store.keys.find_api_key(secret)
    assert found
    assert found.expired
    assert not found.allows("sql:read")


def test_a_key_is_renewed_and_the_old_secret_works_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = Condition("city", ("İzmir",))
    key, old = store.keys.create_api_key("a", ["sql:read"], condition=rule)
    new = store.keys.rotate_api_key(key.id, 24 * keys_module.HOUR_US, BY)
    for secret in (old, new):
        found = store.keys.find_api_key(secret)
        assert found
        assert (found.id, found.condition) == (key.id, rule)
    later = keys_module.now_us() + 25 * keys_module.HOUR_US
    monkeypatch.setattr(keys_module, "now_us", lambda: later)
    assert store.keys.find_api_key(old) is None
    assert store.keys.find_api_key(new)
    store.keys.revoke_api_key(key.id)
    with pytest.raises(NotFound):
        store.keys.rotate_api_key(key.id, 0)


def test_when_a_key_was_last_used_is_kept_to_the_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = store.keys.create_api_key("a", ["sql:read"])
    clock = [keys_module.now_us()]
    monkeypatch.setattr(keys_module, "now_us", lambda: clock[0])
    first = clock[0]
    store.keys.note_use(key)
    clock[0] += 30_000_000
    store.keys.note_use(store.keys.api_keys()[0])
    assert store.keys.api_keys()[0].last_used_at == first
    clock[0] += 40_000_000
    store.keys.note_use(store.keys.api_keys()[0])
    assert store.keys.api_keys()[0].last_used_at == clock[0]


def test_people_out_of_reach_are_neither_listed_nor_found_nor_counted(store: Store) -> None:
    bodies = ['{"traits":{"city":"İzmir"}}', '{"traits":{"city":"Van"}}', "{}", '{"traits":{"city":5}}']
    bodies += ['{"traits":null}', '{"traits":{"city":["İzmir"]}}', '{"traits":{"a":"İzmir"}}']
    cards = [Card(f"p-{n}", body, n) for n, body in enumerate(bodies)]
    store.cards.publish([], cards, cycle=1)
    for values in (("İzmir",), ("Van", "İzmir"), ("5",), ("x",)):
        rule = Condition("city", values)
        wanted = {c.person_id for c in cards if rule.holds(c.as_dict().get("traits"))}
        assert {c.person_id for c in store.cards.newest(50, rule)} == wanted
        assert store.cards.count(rule) == len(wanted)
    assert store.cards.count() == len(cards)
    assert isinstance(Locked(60), TekilError)
