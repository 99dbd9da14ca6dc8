"""A text cut in the middle of an emoji must not cost the messages beside it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.collect.bodies import mend_surrogates, parse_batch, parse_single
from tekil.errors import BadRequest


def test_half_a_character_is_replaced_and_the_batch_is_taken() -> None:
    cut = rb'{"batch":[{"type":"track","event":"a\ud83d"},{"type":"track","event":"\ud83d\ude00"}]}'
    parsed = parse_batch(cut)
    events = [message["event"] for message in json.loads(parsed.envelope.body)["batch"]]
    assert events == ["a\ufffd", "😀"]


def test_a_single_message_is_mended_too() -> None:
    body = parse_single(rb'{"type":"track","event":"\udE00x"}').envelope.body
    assert json.loads(body)["batch"][0]["event"] == "\ufffdx"


def test_an_escaped_backslash_before_a_u_is_no_escape() -> None:
    assert mend_surrogates(rb'"\\ud83d"') == rb'"\\ud83d"'


def test_what_is_broken_otherwise_is_still_refused() -> None:
    with pytest.raises(BadRequest):
        parse_batch(rb'{"batch":["\ud83d"')


@given(st.text())
def test_well_formed_text_is_left_as_it_is(text: str) -> None:
    body = json.dumps(text).encode()
    assert mend_surrogates(body) == body
