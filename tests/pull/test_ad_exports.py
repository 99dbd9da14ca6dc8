"""Platforms' own exports become spend as they are: English and Turkish, sums left out, currency found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tekil.pull import Mapping
from tekil.pull.ad_exports import as_read
from tekil.pull.compose import compose

GOOGLE = """\
Search keyword report
"November 1, 2026 - November 2, 2026"
Day,Campaign,Ad group,Search keyword,Currency code,Cost,Impr.,Clicks
2026-11-01,Brand,Core,"minder evi",TRY,"1,234.56","12,000",321
2026-11-02,Brand,Core, --,TRY,0.5,10,1
Total: Account,,, --,TRY,"1,235.06","12,010",322
"""
GOOGLE_TR = """\
Kampanya raporu
1 Kasım 2026 - 2 Kasım 2026
Gün;Kampanya;Para birimi kodu;Maliyet;Gösterim;Tıklamalar
01.11.2026;Marka;TRY;1.234,56;12.000;321
Toplam: Hesap;;TRY;1.234,56;12.000;321
"""
META = """\
Reporting starts,Reporting ends,Campaign name,Ad set name,Amount spent (EUR),Impressions,Link clicks
2026-11-01,2026-11-01,spring,broad,10.25,900,12
"""
META_TR = """\
Gün,Kampanya Adı,Reklam Seti Adı,Harcanan Tutar (TRY),Gösterim,Bağlantı Tıklamaları
2026-11-01,ilkbahar,geniş,10.25,900,12
"""


def messages(folder: Path, text: str) -> list[dict[str, Any]]:
    path = folder / "export.csv"
    path.write_text(text, encoding="utf-8")
    mapping, read = as_read(path, Mapping.parse("record:ad_spend"))
    rows = list(read(path))
    mapping.check(rows[0].columns)
    made = [compose(row, mapping, "x" * 64) for row in rows]
    assert not any(one.problems for one in made)
    return [msgspec.json.decode(one.body) for one in made]


@pytest.mark.parametrize(
    ("text", "key", "fields"),
    [
        (
            GOOGLE,
            {"platform": "google", "campaign": "Brand", "ad_group": "Core", "keyword": "minder evi"},
            {"cost": 1234.56, "impressions": 12000, "clicks": 321, "currency": "TRY"},
        ),
        (
            GOOGLE_TR,
            {"platform": "google", "campaign": "Marka", "ad_group": "-", "keyword": "-"},
            {"cost": 1234.56, "clicks": 321, "currency": "TRY"},
        ),
        (
            META,
            {"platform": "meta", "campaign": "spring", "ad_group": "broad", "keyword": "-"},
            {"cost": 10.25, "impressions": 900, "clicks": 12, "currency": "EUR"},
        ),
        (META_TR, {"platform": "meta", "campaign": "ilkbahar"}, {"cost": 10.25, "currency": "TRY"}),
    ],
)
def test_an_export_is_spend_by_its_own_columns(
    tmp_path: Path, text: str, key: dict[str, Any], fields: dict[str, Any]
) -> None:
    made = messages(tmp_path, text)
    assert len(made) == (2 if text == GOOGLE else 1)
    assert made[0]["object"] == "ad_spend"
    assert made[0]["key"]["day"] == "2026-11-01"
    assert key.items() <= made[0]["key"].items()
    assert fields.items() <= made[0]["fields"].items()


def test_what_is_no_export_or_has_a_mapping_is_read_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("Gün,Tutar\n2026-11-01,5\n", encoding="utf-8")
    bare = Mapping.parse("record:ad_spend")
    assert as_read(path, bare)[0] == bare
    path.write_text(META, encoding="utf-8")
    keyed = Mapping.parse("record:ad_spend", key="Campaign name")
    assert as_read(path, keyed)[0] == keyed
