"""The written policy: each role has what its work needs, and an attribute rule is exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.access.policy import (
    ROLES,
    STEP_UP,
    Access,
    Condition,
    Permission,
    admits,
    check_roles,
    may,
    parse_condition,
    permissions_of,
)
from tekil.errors import BadRequest
from tekil.store import ApiKey, User

TEXT = st.text(max_size=8)


def test_only_the_administrator_changes_users_and_keys_and_nobody_else_holds_all() -> None:
    for role, held in ROLES.items():
        assert (held == frozenset(Permission)) is (role == "administrator")
        assert bool(held & STEP_UP - {Permission.ERASURE_RUN}) is (role == "administrator")
        assert (Permission.ERASURE_RUN in held) is (role in ("administrator", "privacy_officer"))
    assert {r for r, held in ROLES.items() if Permission.PROFILES_REVEAL in held} == {
        "administrator",
        "sales",
        "support",
        "privacy_officer",
    }
    assert Permission.PROFILES_READ not in ROLES["auditor"] | ROLES["engineer"]


@given(st.lists(st.sampled_from(list(ROLES)), max_size=4))
def test_somebody_with_several_roles_may_what_each_of_them_may_and_no_more(roles: list[str]) -> None:
    user = User("a", 0, tuple(roles))
    for permission in Permission:
        assert may(user, permission) is any(permission in ROLES[role] for role in roles)
    assert permissions_of([*roles, "no-such-role"]) == permissions_of(roles)
    assert not any(may(User("a", 0, tuple(roles), disabled=True), p) for p in Permission)


def test_nobody_may_anything_and_a_key_what_its_scopes_say() -> None:
    assert not any(may(None, permission) for permission in Permission)
    key = ApiKey("k", "n", frozenset({"sql:read"}), 0, False)
    assert [p for p in Permission if may(key, p)] == [Permission.SQL_READ]
    assert all(may(ApiKey("k", "n", frozenset({"*"}), 0, False), p) for p in Permission)
    assert not any(may(ApiKey("k", "n", frozenset({"*"}), 0, True), p) for p in Permission)
    assert not any(may(ApiKey("k", "n", frozenset({"*"}), 0, False, expires_at=1), p) for p in Permission)


def test_a_rule_closes_every_route_that_does_not_keep_to_it() -> None:
    rule = Condition("city", ("İzmir",))
    everybody = User("a", 0, ("administrator",))
    narrowed = User("a", 0, ("administrator",), condition=rule)
    for permission in Permission:
        assert admits(Access(permission), everybody)
        assert not admits(Access(permission), narrowed)
        assert admits(Access(permission, True), narrowed)
    assert not admits(Access(Permission.SQL_READ, True), User("a", 0, ("marketer",), condition=rule))
    assert not admits(Access(Permission.SQL_READ), None)


@given(TEXT, st.lists(TEXT, max_size=3))
def test_a_rule_holds_for_exactly_its_values(value: str, values: list[str]) -> None:
    rule = Condition("city", tuple(values))
    assert rule.holds({"city": value}) is (value in values)
    assert not rule.holds({"region": value})
    assert not rule.holds(None)
    assert not rule.holds({"city": 5, "City": value})


def test_rules_and_roles_are_read_as_written_or_explained() -> None:
    rule = parse_condition(" city = İzmir , Manisa,İzmir ")
    assert rule == Condition("city", ("İzmir", "Manisa"))
    assert parse_condition(str(rule)) == rule
    assert parse_condition("  ") is None
    for wrong in ("city", "city=", "=İzmir", "city'=x", "a.b=x", "$=x", "city=a\0"):
        with pytest.raises(BadRequest):
            parse_condition(wrong)
    assert check_roles(["sales", "administrator", "sales"]) == ("administrator", "sales")
    for wrong_roles in ([], ["king"]):
        with pytest.raises(BadRequest):
            check_roles(wrong_roles)
