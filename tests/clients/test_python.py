"""The Python clients of Segment and RudderStack, unchanged."""

from __future__ import annotations

from typing import Any

import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

from tests.clients.conftest import Target, assert_sent

pytestmark = pytest.mark.clients

KINDS = ["identify", "track", "page", "screen", "group", "alias"] + ["track"] * 250


def send_all(client: Any) -> None:
    user = "müşteri-1"
    client.identify(user, {"email": "ayse@minder.example"})
    client.track(user, "Sipariş Tamamlandı", {"total": 1249.9, "currency": "TRY"})
    client.page(user, "Mağaza", "Ana Sayfa")
    client.screen(user, "Uygulama", "Sepet")
    client.group(user, "g-1", {"name": "Otel"})
    client.alias("a-1", user)
    for number in range(250):
        client.track(anonymous_id=f"a-{number}", event="Ürün Görüntülendi", properties={"number": number})
    client.flush()
    client.join()


@pytest.mark.parametrize("gzip", [False, True])
def test_segments_python_client(target: Target, gzip: bool) -> None:
    errors: list[object] = []
    client = segment.Client(
        target.key, host=target.url, gzip=gzip, max_retries=0, on_error=lambda error, _: errors.append(error)
    )
    send_all(client)
    messages = target.wait_for(len(KINDS))
    assert errors == []
    assert_sent(messages, KINDS)
    assert messages[1]["properties"] == {"total": 1249.9, "currency": "TRY"}


@pytest.mark.parametrize("gzip", [False, True])
def test_rudderstacks_python_client(target: Target, gzip: bool) -> None:
    errors: list[object] = []
    client = rudder.Client(
        target.key, host=target.url, gzip=gzip, max_retries=0, on_error=lambda error, _: errors.append(error)
    )
    send_all(client)
    messages = target.wait_for(len(KINDS))
    assert errors == []
    assert_sent(messages, KINDS)


def test_a_client_with_a_wrong_key_is_told_so(target: Target) -> None:
    errors: list[Any] = []
    client = segment.Client(
        "nobody", host=target.url, max_retries=0, on_error=lambda error, _: errors.append(error)
    )
    client.track("müşteri-1", "Kayboldu")
    client.flush()
    client.join()
    assert [error.status for error in errors] == [401]
    assert target.wait_for(0) == []
