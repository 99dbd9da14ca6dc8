"""What is believed of a provider: everything it must say, and nothing that only seems to come from it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from joserfc.jwk import ECKey, RSAKey

from tekil.config import ProviderSettings
from tekil.errors import Forbidden, Misconfigured, TekilError, Unavailable
from tekil.oidc import Identity, Provider, Question
from tekil.oidc.claims import ProviderRefused, check_claims, check_settings, name_of, roles_of
from tekil.oidc.provider import AGAIN_SECONDS, KNOWN_SECONDS, read_keys
from tekil.outgoing import Outgoing
from tests.oidc.stand_in import CLIENT, SECRET, StandIn, serve
from tests.outgoing.loopback import LOOPBACK, Answer

KEY = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig"})
ORIGIN = "https://tekil.example"
QUESTION = Question("company", "state", "nonce", "verifier" * 8, "/")
ROLES = {"cdp-admins": ("administrator",), "cdp-sales": ("sales", "support")}


class Clock:
    """Seconds since the epoch, which a test moves on."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    made = StandIn([KEY])
    server = serve(made)
    yield made
    server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(stand_in: StandIn) -> ProviderSettings:
    return ProviderSettings("company", stand_in.issuer, CLIENT, ROLES)


@pytest.fixture
def provider(settings: ProviderSettings, clock: Clock) -> Provider:
    return Provider(settings, SECRET, ORIGIN, LOOPBACK, clock)


def came_back(stand_in: StandIn, provider: Provider, question: Question = QUESTION) -> Identity:
    return provider.identify(stand_in.sign_in(provider.address(question))["code"], question)


def test_somebody_goes_and_comes_back(stand_in: StandIn, provider: Provider) -> None:
    identity = came_back(stand_in, provider)
    assert identity.subject == "248289761001"
    assert (name_of(identity, provider.settings), roles_of(identity, provider.settings)) == (
        "ayse",
        ("administrator",),
    )
    came_back(stand_in, provider)
    # What it says of itself, and its keys, are asked for once.
    assert stand_in.asked.count("/keys") == stand_in.asked.count("/.well-known/openid-configuration") == 1
    assert provider.way_out() == (
        f"{stand_in.issuer}/end?client_id=tekil&post_logout_redirect_uri=https%3A%2F%2Ftekil.example%2Fsign-in"
    )


NOW = int(time.time())
LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "an issuer with a slash more": {"iss": "https://login.example/"},
    "no issuer": {"iss": None},
    "another's token": {"aud": "another"},
    "nobody's token": {"aud": None},
    "a token for many": {"aud": ["another", CLIENT]},
    "a token given to another": {"aud": ["another", CLIENT], "azp": "another"},
    "an old token": {"exp": NOW - 120, "iat": NOW - 500},
    "a token without an end": {"exp": None},
    "a token whose end is a word": {"exp": "never"},
    "a token whose end is true": {"exp": True},
    "a token of tomorrow": {"iat": NOW + 86_400, "exp": NOW + 90_000},
    "a token that is not yet good": {"nbf": NOW + 86_400},
    "an answer to another question": {"nonce": "another"},
    "an answer to no question": {"nonce": None},
    "nobody": {"sub": None},
    "an empty name": {"sub": ""},
    "a number": {"sub": 7},
    "a name with a line's end": {"sub": "a\r\nSet-Cookie: x"},
    "a name without end": {"sub": "a" * 256},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_signed_lie_is_not_believed(stand_in: StandIn, provider: Provider, lie: str) -> None:
    stand_in.claims = LIES[lie]
    with pytest.raises(ProviderRefused, match="not accepted") as caught:
        came_back(stand_in, provider)
    assert caught.value.code == "id_token_refused"


def test_a_token_for_many_that_was_given_to_us_is_good(stand_in: StandIn, provider: Provider) -> None:
    stand_in.claims = {"aud": ["another", CLIENT], "azp": CLIENT}
    assert came_back(stand_in, provider)


def test_an_unsigned_token_and_one_signed_by_another_are_not_believed(
    stand_in: StandIn, provider: Provider
) -> None:
    forgeries = [
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"signer": RSAKey.generate_key(2048, parameters={"kid": "first"})},
        {"signer": RSAKey.generate_key(2048, parameters={"kid": "unknown"})},
        {"signer": RSAKey.generate_key(2048)},
        {"algorithm": "ES256", "signer": ECKey.generate_key("P-256", parameters={"kid": "first"})},
    ]
    for forgery in forgeries:
        stand_in.algorithm, stand_in.signer = "RS256", None
        for name, value in forgery.items():
            setattr(stand_in, name, value)
        with pytest.raises(ProviderRefused, match="no key of the provider signed it"):
            came_back(stand_in, provider)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "....", "é.é.é", None, 7, "e30.e30.e30"])
def test_what_is_no_token_is_none(
    stand_in: StandIn, provider: Provider, token: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "id_token", lambda _: token)
    with pytest.raises(ProviderRefused):
        came_back(stand_in, provider)


def test_new_keys_are_asked_for_when_one_is_met_and_not_by_everybody_who_makes_one_up(
    stand_in: StandIn, provider: Provider, clock: Clock
) -> None:
    came_back(stand_in, provider)
    stand_in.keys.append(ECKey.generate_key("P-256", parameters={"kid": "second"}))  # type: ignore[arg-type]
    stand_in.algorithm = "ES256"
    with pytest.raises(ProviderRefused):
        came_back(stand_in, provider)
    clock.ahead += AGAIN_SECONDS + 1
    assert came_back(stand_in, provider)
    for n in range(5):
        stand_in.signer = ECKey.generate_key("P-256", parameters={"kid": f"made-up-{n}"})
        with pytest.raises(ProviderRefused):
            came_back(stand_in, provider)
    assert stand_in.asked.count("/keys") == 2
    # A key that was taken back signs nothing any more, once it is known.
    stand_in.signer, stand_in.algorithm = KEY, "RS256"
    stand_in.keys = [stand_in.keys[-1]]
    assert came_back(stand_in, provider)
    clock.ahead += KNOWN_SECONDS + 1
    stand_in.claims = {"iat": int(clock()), "exp": int(clock()) + 60}
    with pytest.raises(ProviderRefused):
        came_back(stand_in, provider)


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_keys_that_are_secret_small_or_for_encryption_are_no_keys() -> None:
    good = KEY.as_dict(private=False)
    small = RSAKey.generate_key(1024, parameters={"kid": "small"}).as_dict(private=False)
    odd: list[Any] = [{**good, "use": "enc"}, {"kty": "oct", "k": "eA"}, small, {"kty": "RSA"}, None, "x", {}]
    assert read_keys({"keys": odd}) == []
    assert len(read_keys({"keys": [*odd, good]})) == 1
    assert read_keys({}) == []


def test_a_code_is_good_once_and_with_its_verifier(stand_in: StandIn, provider: Provider) -> None:
    code = stand_in.sign_in(provider.address(QUESTION))["code"]
    other = msgspec.structs.replace(QUESTION, verifier="x" * 64)
    with pytest.raises(ProviderRefused, match="invalid_grant"):
        provider.identify(code, other)
    with pytest.raises(ProviderRefused, match="redirect address"):
        provider.identify(code, QUESTION)


def test_an_answer_that_says_who_gave_it_must_name_the_one_asked(
    stand_in: StandIn, provider: Provider
) -> None:
    provider.check_issuer(None)
    provider.check_issuer(stand_in.issuer)
    with pytest.raises(ProviderRefused):
        provider.check_issuer("https://evil.example")
    stand_in.metadata = {"authorization_response_iss_parameter_supported": True}
    provider._metadata = None
    with pytest.raises(ProviderRefused):
        provider.check_issuer(None)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"issuer": "https://evil.example"}, "same to the letter"),
        ({"token_endpoint": None}, "sign in there"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no page"),
        ({"authorization_endpoint": "https://x.example/\r\nSet-Cookie: a=b"}, "no page"),
        ({"end_session_endpoint": "data:text/html,x"}, "no page"),
    ],
)
def test_a_provider_that_is_another_or_makes_no_sense_is_not_gone_to(
    stand_in: StandIn, provider: Provider, metadata: dict[str, Any], message: str
) -> None:
    stand_in.metadata = metadata
    with pytest.raises(ProviderRefused, match=message):
        provider.address(QUESTION)


@pytest.mark.parametrize("place", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize("answer", [Answer(b"", 503), Answer(b"<html>", 200), Answer(b"[]", 200)])
def test_a_provider_that_is_away_or_babbles_is_said(
    stand_in: StandIn, provider: Provider, place: str, answer: Answer
) -> None:
    stand_in.broken[place] = answer
    with pytest.raises((Unavailable, ProviderRefused)):
        came_back(stand_in, provider)
    stand_in.broken.clear()
    provider._keys = (float("-inf"), [])
    assert came_back(stand_in, provider)


def test_endpoints_inside_are_not_asked_whoever_names_them(
    stand_in: StandIn, settings: ProviderSettings
) -> None:
    guarded = Provider(settings, SECRET, ORIGIN, Outgoing())
    with pytest.raises(TekilError, match="open internet"):
        guarded.address(QUESTION)
    narrow = Provider(settings, SECRET, ORIGIN, Outgoing(["127.0.0.1"]))
    stand_in.metadata = {"jwks_uri": "http://169.254.169.254/latest", "token_endpoint": "http://10.0.0.1/"}
    code = stand_in.sign_in(narrow.address(QUESTION))["code"]
    with pytest.raises(TekilError, match="open internet"):
        narrow.identify(code, QUESTION)


def test_claims_may_come_with_the_user_info_of_the_same_person(stand_in: StandIn, provider: Provider) -> None:
    stand_in.claims = {"groups": None}
    stand_in.user_info = {"groups": ["cdp-sales"], "iss": "evil"}
    identity = came_back(stand_in, provider)
    assert roles_of(identity, provider.settings) == ("sales", "support")
    assert identity.claims["iss"] == stand_in.issuer
    stand_in.user_info = {"groups": ["cdp-admins"], "sub": "another"}
    with pytest.raises(ProviderRefused, match="somebody else"):
        came_back(stand_in, provider)


def test_roles_come_from_the_written_mapping_and_from_nothing_else(settings: ProviderSettings) -> None:
    def roles(said: Any) -> tuple[str, ...]:
        return roles_of(Identity("x", {"groups": said}), settings)

    assert roles(["x", "cdp-sales", "cdp-admins"]) == ("administrator", "sales", "support")
    assert roles("cdp-admins") == ("administrator",)
    for said in (None, [], ["administrator"], "administrator", {"cdp-admins": 1}, [["cdp-admins"]], 7):
        with pytest.raises(Forbidden, match="groups"):
            roles(said)
    assert name_of(Identity("x", {"preferred_username": ["a"]}), settings) == ""


def test_settings_that_make_no_sense_are_said() -> None:
    good = ProviderSettings("company", "https://login.example", CLIENT, ROLES)
    check_settings([good, msgspec.structs.replace(good, name="other")])
    wrong: list[dict[str, Any]] = [
        {"name": "../evil"},
        {"name": "şirket"},
        {"issuer": "login.example"},
        {"issuer": "ftp://login.example"},
        {"issuer": "https://login.example?x"},
        {"client_id": ""},
        {"roles": {}},
    ]
    for change in wrong:
        with pytest.raises(Misconfigured, match="provider"):
            check_settings([msgspec.structs.replace(good, **change)])
    with pytest.raises(Misconfigured):
        check_settings([good, good])
    with pytest.raises(TekilError, match="no role"):
        check_settings([msgspec.structs.replace(good, roles={"x": ("king",)})])


def test_a_clock_may_be_a_minute_off() -> None:
    claims = {"iss": "i", "aud": "c", "sub": "s", "nonce": "n", "iat": 1_000, "exp": 1_300}
    for now in (945, 1_000, 1_355):
        assert check_claims(claims, "i", "c", "n", now)
    for now in (935, 1_365):
        with pytest.raises(ProviderRefused):
            check_claims(claims, "i", "c", "n", now)
