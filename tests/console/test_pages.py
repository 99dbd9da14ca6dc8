"""Somebody opens each page: it says what is so, in their language, and escapes what strangers typed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from litestar.testing import TestClient

from tekil.store import Card, Store
from tekil.store.audit import Wanted
from tests.api.reads_double import SCRIPT, FullShop

Client = TestClient[Any]
Send = Callable[..., Any]

PAGES = [
    "/",
    "/people",
    "/people?q=zzz",
    "/sources",
    "/sources/web-shop",
    "/sources/web-shop?snippet=curl",
    "/keys",
    "/users",
    "/users/admin",
    "/roles",
    "/account",
    "/account/password",
    "/audit",
    "/dictionary",
    "/quality",
    "/quarantine",
    "/consents",
    "/consents/iys",
    "/requests",
    "/consents?q=%3Cscript%3E",
]


class Tags(HTMLParser):
    """Collects what a browser would run or be styled by."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attributes}
        if tag == "script":
            self.scripts.append(dict(attributes))


def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    return parser


@pytest.mark.parametrize("path", [*PAGES, "person", "/nothing-here"])
def test_no_page_runs_anything_but_our_own_files(admin: Client, shop: FullShop, path: str) -> None:
    page = admin.get(f"/people/{shop.cards[1].person_id}" if path == "person" else path).text
    found = tags(page)
    assert all((script.get("src") or "").startswith("/static/") for script in found.scripts)
    assert not {name for name in found.attributes if name.startswith("on") or name == "style"}
    assert SCRIPT not in page


def test_what_strangers_typed_is_shown_as_they_typed_it(admin: Client, shop: FullShop) -> None:
    person = admin.get(f"/people/{shop.cards[1].person_id}").text
    assert html.escape(SCRIPT).replace("&#x27;", "&#39;") in person
    assert "Keten kırlent 45×45" in person
    assert "M/10001:a" in person
    query = admin.get("/people", params={"q": SCRIPT})
    assert html.escape(SCRIPT).replace("&#x27;", "&#39;") in query.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_reads_in_both_languages(admin: Client, path: str) -> None:
    turkish = admin.get(path).text
    english = admin.get(path, headers={"Accept-Language": "en-GB"}).text
    assert '<html lang="tr"' in turkish
    assert '<html lang="en"' in english
    assert "Kaynaklar" in turkish
    assert "Kaynaklar" not in english


def test_the_chosen_language_and_theme_stay_chosen(admin: Client, send: Send) -> None:
    answer = send(admin, "/people", "/preferences", {"language": "en", "next": "/people"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    send(admin, "/people", "/preferences", {"theme": "dark", "next": "//evil.example"})
    page = admin.get("/people").text
    assert '<html lang="en" data-theme="dark">' in page
    assert "48,211 people" in page


def test_live_shows_the_ledger_as_a_sum_and_freshness_in_words(admin: Client) -> None:
    page = admin.get("/").text
    numbers = re.findall(r"<dd>([\d.]+)</dd>", page)
    accepted, *parts = [int(n.replace(".", "")) for n in numbers[:5]]
    assert accepted == sum(parts) > 0
    assert "Olayların yarısı 0,41 sn, yüzde 99" in page
    assert page.count("data-key=") == 40


def test_live_keeps_up(admin: Client, shop: FullShop) -> None:
    now = admin.get("/live/now").json()
    assert set(now["parts"]) == {"status", "figures", "ledger", "sources", "arrivals"}
    assert len(now["minutes"]) == 60 * len(now["sources"])
    spec = admin.get("/live/chart.json").json()["spec"]
    assert spec["data"]["name"] == "minutes"
    assert len(set(spec["usermeta"]["hues"])) == len(now["sources"])
    image = admin.get("/live/minutes.svg?theme=dark")
    assert image.headers["content-type"].startswith("image/svg+xml")
    assert image.text.startswith("<svg")


def test_people_are_found_by_how_an_identifier_starts_or_by_a_whole_one(
    admin: Client, shop: FullShop
) -> None:
    email = next(i.value for i in shop.cards[2].identifiers if i.kind == "email")
    for text in (email[:6], email, email.upper(), f"email:{email}"):
        assert shop.cards[2].person_id in admin.get("/people", params={"q": text}).text, text
    nobody = admin.get("/people", params={"q": "zzz"}).text
    assert "diye biri yok" in nobody


def test_a_merged_away_person_leads_to_who_they_became(admin: Client, shop: FullShop) -> None:
    answer = admin.get("/people/merged-away", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/people/{shop.cards[0].person_id}"


def test_a_timeline_pages_to_its_end(admin: Client, shop: FullShop) -> None:
    path, pages = f"/people/{shop.cards[0].person_id}", 0
    while path:
        page = admin.get(path).text
        pages += 1
        older = re.search(r'href="([^"]*\?cursor=[^"]*)"', page)
        path = html.unescape(older.group(1)) if older else ""
    assert pages == 3


def test_a_card_of_another_version_still_shows(
    admin: Client, shop: FullShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for body in ("{}", '{"traits":null,"events":null}', '{"traits":"no object"}'):
        monkeypatch.setattr(shop, "profile", lambda *_, body=body, **__: Card("abcdef0123", body, 1))
        monkeypatch.setattr(shop, "people", lambda *_, body=body: [Card("abcdef0123", body, 1)])
        assert "Anonim abcdef01" in admin.get("/people/abcdef0123").text
        assert "Anonim abcdef01" in admin.get("/people").text


def test_a_source_is_made_with_what_to_copy_and_waits_for_its_first_event(
    admin: Client, send: Send, store: Store
) -> None:
    answer = send(admin, "/sources", "/sources", {"name": "yeni-site"})
    assert answer.headers["location"] == "/sources/yeni-site"
    page = admin.get("/sources/yeni-site").text
    key = next(k.key for k in store.keys.write_keys() if k.source == "yeni-site")
    assert key in page
    assert "http://127.0.0.1:8765" in page
    assert "İlk olay bekleniyor" in page
    assert "Bağlandı" in admin.get("/sources/web-shop/now").json()["parts"]["state"]
    send(admin, "/sources", "/sources", {"name": "yeni-site"})
    assert len([k for k in store.keys.write_keys() if k.source == "yeni-site"]) == 1


def test_a_source_is_switched_off_and_on_and_its_keys_come_and_go(
    admin: Client, send: Send, store: Store
) -> None:
    here = "/sources/store-pos"
    send(admin, here, f"{here}/enabled", {"enabled": "no"})
    assert "Kapatıldı" in admin.get(here).text
    send(admin, here, f"{here}/enabled", {"enabled": "yes"})
    assert "Kapatıldı" not in admin.get(here).text
    send(admin, here, f"{here}/keys", {})
    keys = [k.key for k in store.keys.write_keys() if k.source == "store-pos"]
    assert len(keys) == 2
    for key in keys:
        send(admin, here, f"{here}/keys/revoke", {"key": key})
    assert "çalışan anahtarı kalmadı" in admin.get(here).text


def test_a_name_that_names_nothing_is_explained_in_the_visitors_language(admin: Client, send: Send) -> None:
    answer = send(admin, "/sources", "/sources", {"name": "<b>Kötü Ad</b>"})
    assert answer.status_code == 400
    assert "küçük harf" in answer.text
    assert "&lt;b&gt;Kötü Ad&lt;/b&gt;" in answer.text
    assert admin.get("/sources/no-such-source").status_code == 404


def test_quarantined_messages_say_why_in_words(admin: Client) -> None:
    page = admin.get("/sources/web-shop").text
    assert "İleti türünü söylemiyor" in page
    assert "Bir JSON nesnesi değil" in page


def test_an_api_key_is_shown_once_and_revoked(chief: Client, send: Send, store: Store) -> None:
    admin = chief
    answer = send(admin, "/keys", "/keys", {"name": "Rapor <b>", "scope": ["ledger:read", "profiles:read"]})
    secret = re.search(r"<code>(tk_[\w-]+)</code>", answer.text)
    assert secret
    key = store.keys.find_api_key(secret.group(1))
    assert key
    assert key.scopes == {"ledger:read", "profiles:read"}
    assert secret.group(1) not in admin.get("/keys").text
    send(admin, "/keys", f"/keys/{key.id}/revoke", {})
    assert "İptal edildi" in admin.get("/keys").text
    assert send(admin, "/keys", "/keys", {"name": "", "scope": "ledger:read"}).status_code == 400
    assert send(admin, "/keys", "/keys", {"name": "x", "scope": "no:scope"}).status_code == 400


def test_an_empty_installation_says_what_to_do_next(empty: Client) -> None:
    assert "İlk kaynağı aç" in empty.get("/").text
    assert "Kaynak bağla" in empty.get("/people").text
    assert "Henüz kaynak yok" in empty.get("/sources").text
    assert "Henüz API anahtarı yok" in empty.get("/keys").text
    assert empty.get("/live/now").json()["empty"] is True


def test_errors_are_pages_in_the_same_style(
    admin: Client, shop: FullShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = admin.get("/people/nobody")
    assert missing.status_code == 404
    assert "Burada bir şey yok" in missing.text
    assert admin.get("/nothing").status_code == 404
    assert admin.get("/people/x%00").status_code == 404
    monkeypatch.setattr(shop, "people", lambda *_: 1 / 0)
    broken = admin.get("/people")
    assert broken.status_code == 500
    assert "Bir şey ters gitti" in broken.text
    assert "ZeroDivision" not in broken.text


def test_our_files_are_kept_for_good_and_no_others_are_served(admin: Client) -> None:
    page = admin.get("/").text
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    assert {f.rsplit("/", 1)[1] for f in files} >= {
        "console.css",
        "console.js",
        "live.js",
        "vega.js",
        "icon.svg",
    }
    for file in sorted(files):
        answer = admin.get(file)
        assert answer.status_code == 200, file
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
    assert admin.get("/static/000000000000/console.css").status_code == 404
    assert admin.get("/static/000000000000/..%2Fapp.py").status_code == 404


def test_a_person_is_revealed_only_for_a_purpose(
    admin: Client, send: Send, shop: FullShop, store: Store
) -> None:
    path = f"/people/{shop.cards[2].person_id}"
    before = store.audit.head()
    refused = send(admin, path, path, {"purpose": " "})
    assert refused.status_code == 400
    assert "Ne için gerektiğini yazın" in refused.text
    assert store.audit.head() == before
    shown = send(admin, path, path, {"purpose": "şikâyet: ayse@example.com"})
    assert shown.status_code == 200
    assert "Kişisel verileri göster" not in shown.text
    (entry,) = store.audit.page(Wanted(), 1)
    assert (entry.act, entry.object_id) == ("profile.revealed", shop.cards[2].person_id)
    assert "a•••@e•••.com" in entry.details
