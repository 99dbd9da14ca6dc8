"""The API is asked everything that its own document allows, and much that it does not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from litestar import Litestar
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tekil.access.policy import Permission

EXAMPLES = 25
"""For each operation, in each of the ways that schemathesis draws requests."""

NOT_PROMISED = [positive_data_acceptance, negative_data_rejection]
"""A statement or a cursor can be well-formed and yet be none; a query parameter nobody knows is ignored."""


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_nothing_that_can_be_asked_breaks_it(
    app: Litestar, bearer: Callable[..., dict[str, str]], mode: schemathesis.GenerationMode
) -> None:
    load_all_checks()
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    headers = bearer(*Permission)
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            response = case.call(headers=headers)
            assert response.status_code < 500, (case.as_curl_command(), response.text)
            case.validate_response(response, excluded_checks=NOT_PROMISED)

        with suppress(Unsatisfiable):  # nothing can be asked wrongly of a route that takes nothing
            ask()
    assert asked > 10
