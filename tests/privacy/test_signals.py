"""What banners and browsers say in messages becomes entries of the ledger, once."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tekil.config import ConsentSettings
from tekil.engine import Engine
from tekil.errors import Misconfigured, Unavailable
from tekil.load.consents import consents_said
from tekil.privacy import signals as signals_module
from tekil.privacy import tcf
from tekil.privacy.consents import state
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.links import Links
from tekil.privacy.purposes import DEFAULT_PURPOSES
from tekil.privacy.signals import Categories, ConsentSignals, read_context
from tekil.privacy.tokens import Tokens
from tekil.store import Store
from tests.installation import NOON, Installation

USUAL = Categories(ConsentSettings())


def said(**parts: Any) -> dict[str, bool]:
    told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parts.items()}
    return {f"{p}:{c}": given for (p, c), (given, _) in read_context(told, USUAL).choices.items()}


def tc_string(*purposes: int, version: int = 2) -> str:
    """A core segment with these purposes consented to, updated at noon of 1 March 2026."""
    bits = f"{version:06b}" + f"{17723664000:036b}" * 2 + f"{27:012b}{1:012b}{1:06b}" + "000100001101"
    bits += f"{100:012b}{4:06b}00000000000000"
    bits += "".join("1" if n in purposes else "0" for n in range(1, 25)) + "0" * 100
    bits += "0" * (-len(bits) % 8)
    return base64.urlsafe_b64encode(int(bits, 2).to_bytes(len(bits) // 8, "big")).decode().rstrip("=")


def test_segments_preferences_are_read_by_category() -> None:
    consent = {"categoryPreferences": {"Analytics": True, "Advertising": False, "Necessary": True}}
    assert said(consent=consent) == {"analytics:web": True, "sharing:web": False}
    assert said(consent={"categoryPreferences": {"C0002": False, "C0003": True}}) == {
        "analytics:web": False,
        "personalisation:web": True,
    }


def test_groups_that_onetrust_leaves_out_were_refused() -> None:
    expected = {"analytics:web": True, "personalisation:web": False, "sharing:web": False}
    assert said(onetrust_groups=",C0001,C0002,") == expected
    assert said(consent={"OnetrustActiveGroups": ",C0001,C0002,"}) == expected


def test_rudderstacks_lists_are_read() -> None:
    told = {"allowedConsentIds": ["analytics", 5], "deniedConsentIds": ["marketing"]}
    assert said(consent_management=told) == {"analytics:web": True, "marketing:web": False}


def test_a_tc_string_is_read_by_its_bits() -> None:
    known = tcf.decode(
        "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA.IFoEUQQgAIQwgIwQABAEAAAAOIAACAIAAAAQAIAgEAACEAAAAAgAQBAAAAAAAGBAAgAAAAAAAFAAECAAAgAAQARAEQAAAAAJAAIAAgAAAYQEAAAQmAgBC3ZAYzUw"
    )
    assert known is not None
    assert (known.purposes, known.updated_at.date().isoformat()) == ({1, 2, 3}, "2020-02-20")
    made = tcf.decode(tc_string(1, 8, 9))
    assert made is not None
    assert (made.purposes, made.vendor_list_version, made.policy_version) == ({1, 8, 9}, 100, 4)
    assert said(tc_string=tc_string(1, 8, 9, 3)) == {
        "sharing:web": False,
        "profiling:web": True,
        "personalisation:web": False,
        "analytics:web": True,
    }


@given(st.text(max_size=80))
def test_whatever_stands_in_a_tc_string_nothing_breaks(text: str) -> None:
    tcf.decode(text)
    assert tcf.decode(tc_string(1, version=1)) is None


def test_global_privacy_control_refuses_whatever_a_banner_says() -> None:
    consent = {"categoryPreferences": {"Advertising": True}}
    assert said(consent=consent, gpc="true") == {"sharing:web": False}
    assert said(consent={**consent, "gpc": True}) == {"sharing:web": False}
    assert said(consent=consent, gpc="false") == {"sharing:web": True}


@pytest.mark.parametrize("nonsense", ["", "[", "5", "null", '"x"', '{"categoryPreferences": [1]}'])
def test_nonsense_says_nothing(nonsense: str) -> None:
    assert said(consent=nonsense, consent_management=nonsense, tc_string="zz") == {}


def test_a_company_says_what_its_own_categories_stand_for() -> None:
    own = Categories(ConsentSettings(categories={"Bülten": "marketing:email", "analytics": "profiling"}))
    assert own("bülten") == ("marketing", "email")
    assert own("Analytics") == ("profiling", "web")
    assert own("nothing") is None
    with pytest.raises(Misconfigured, match="empty"):
        Categories(ConsentSettings(categories={"x": ""}))


class Heard:
    """An installation whose engine hears consents."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(folder)
        built = self.installation.engine
        self.ledger = ConsentLedger(
            built.store, Tokens(built.vault), Links(lambda: b"links"), DEFAULT_PURPOSES
        )
        signals = ConsentSignals(self.ledger, ConsentSettings())
        self.installation.engine = Engine(
            built.log,
            built.warehouse,
            built.store,
            built.models,
            built.vault,
            clock=lambda: self.installation.now,
            before_commit=[lambda staged: signals.record(consents_said(staged).to_pylist()), self._die],
        )
        self.dies = False

    def _die(self, _staged: object) -> None:
        if self.dies:
            raise Unavailable("The test pulled the plug.")

    def states(self, kind: str, value: str) -> dict[str, bool]:
        return {f"{p}:{c}": e.given for (p, c), e in state(self.ledger.entries([(kind, value)])).items()}


def message(**more: Any) -> dict[str, Any]:
    return {"type": "page", "anonymousId": "a1", **more}


def test_a_banners_choice_reaches_the_ledger_once_with_the_message_as_its_proof(tmp_path: Path) -> None:
    heard = Heard(tmp_path)
    accepted = {"consent": {"categoryPreferences": {"Analytics": True}, "version": "v7"}}
    for n in range(3):
        heard.installation.say(message(messageId=f"m{n}", context=accepted))
        heard.installation.run()
        heard.installation.pass_time(minutes=1)
    heard.installation.say(message(messageId="m0", context=accepted))
    heard.installation.say(message(messageId="m9"))
    heard.installation.run()
    (entry,) = heard.ledger.entries([("anonymous_id", "a1")])
    assert (entry.source, entry.text_version) == ("web", "v7")
    assert json.loads(entry.proof) == {"signal": "category Analytics", "message": "m0"}
    refused = {"consent": {"categoryPreferences": {"Analytics": False}}, "gpc": True}
    heard.installation.say(message(messageId="m4", userId="u1", context=refused))
    heard.installation.run()
    assert heard.states("anonymous_id", "a1") == {"analytics:web": True}
    assert heard.states("user_id", "u1") == {"analytics:web": False, "sharing:web": False}
    heard.installation.close()


def test_messages_that_say_nothing_of_consent_cost_no_entry(tmp_path: Path) -> None:
    heard = Heard(tmp_path)
    heard.installation.say(message(context={"locale": "tr-TR", "app": {"consent": True}}), 5, {"type": "x"})
    heard.installation.run()
    assert heard.ledger.store.consents.newest() == []
    heard.installation.close()


def test_a_crash_after_hearing_and_before_the_commit_leaves_one_entry(tmp_path: Path) -> None:
    heard = Heard(tmp_path)
    accepted = {"consent": {"categoryPreferences": {"Analytics": True}}}
    heard.installation.say(message(messageId="m1", context=accepted))
    heard.dies = True
    with pytest.raises(Unavailable):
        heard.installation.run()
    assert heard.states("anonymous_id", "a1") == {"analytics:web": True}
    heard.dies = False
    heard.installation.pass_time(minutes=5)
    assert heard.installation.run() == 1
    assert len(heard.ledger.entries([("anonymous_id", "a1")])) == 1
    heard.installation.close()


def row(value: str, at: int, given: bool) -> dict[str, Any]:
    """What one message said at a minute of the day."""
    instant = NOON + timedelta(minutes=at)
    consent = json.dumps({"categoryPreferences": {"Analytics": given}})
    told = {"kind": "anonymous_id", "value": value, "source": "web", "consent": consent}
    return told | {
        f"{m}_{w}": v for m in ("first", "last") for w, v in (("at", instant), ("message", str(at)))
    }


_people = itertools.count()


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=8), st.data())
def test_whoever_repeats_themselves_has_the_last_word_they_said_whatever_came_late(
    ledger: ConsentLedger, said: list[tuple[int, bool]], data: st.DataObject
) -> None:
    signals = ConsentSignals(ledger, ConsentSettings())
    value = f"a{next(_people)}"
    arriving = data.draw(st.permutations(said))
    while arriving:
        size = data.draw(st.integers(1, len(arriving)))
        signals.record([row(value, *one) for one in arriving[:size]])
        arriving = arriving[size:]
    last = max(at for at, _ in said)
    valid = state(ledger.entries([("anonymous_id", value)]))["analytics", "web"]
    assert valid.given == all(given for at, given in said if at == last)


def test_a_repetition_is_not_written_until_it_matters(
    ledger: ConsentLedger, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = ConsentSignals(ledger, ConsentSettings())
    asked: list[int] = []
    observe = store.consents.observe
    monkeypatch.setattr(
        store.consents, "observe", lambda entries: asked.append(len(entries)) or observe(entries)
    )
    for at in (0, 10, 30):
        signals.record([row("a", at, False)])
    assert asked == [1, 0, 0]
    signals.record([row("a", 15, True)])
    assert asked[-1] == 2
    history = [(e.at, e.given) for e in ledger.entries([("anonymous_id", "a")])]
    assert [given for _, given in history] == [False, True, False]


def test_a_store_that_was_away_hears_it_again(ledger: ConsentLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    signals = ConsentSignals(ledger, ConsentSettings())

    def away(_entries: object) -> int:
        raise Unavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.store.consents, "observe", away)
        with pytest.raises(Unavailable):
            signals.record([row("a", 0, True)])
    assert signals.record([row("a", 0, True)]) == 1


def test_people_beyond_memory_are_written_down_before_they_are_forgotten(
    ledger: ConsentLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals_module, "HEARD_MAX", 2)
    signals = ConsentSignals(ledger, ConsentSettings())
    signals.record([row("a", 0, False)])
    signals.record([row("a", 30, False)])
    signals.record([row("b", 0, True), row("c", 0, True)])
    assert len(signals._heard) == 2
    signals.record([row("a", 15, True)])
    assert not state(ledger.entries([("anonymous_id", "a")]))["analytics", "web"].given


def test_a_late_word_is_not_taken_for_the_last(ledger: ConsentLedger) -> None:
    signals = ConsentSignals(ledger, ConsentSettings())
    for at, allowed in ((1, True), (0, False), (1, False)):
        signals.record([row("late", at, allowed)])
    assert not state(ledger.entries([("anonymous_id", "late")]))["analytics", "web"].given
