"""Advertising platforms' own exports as rows of `ad_spend`: no mapping needs to be written for them.

A platform's file is known by its columns, in English or Turkish. Google Ads writes a title and a range of
dates above them, and sums below; those are left out. The platform and the currency, which are in the names of
columns or nowhere, become cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from tekil.pull.mapping import Mapping, fold
from tekil.pull.rows import Row, read_rows

OBJECT = "ad_spend"
KEY = ("day", "platform", "account", "campaign", "ad_group", "keyword")
LOOK_AHEAD_ROWS = 10
"""How far down a header may stand."""

NOTHING = "-"
"""Stands in a key for what a row does not name: a key must have no hole."""

GOOGLE = {
    "day": "day gun date tarih",
    "account": "account accountname customer hesap hesapadi musteri",
    "campaign": "campaign campaignname kampanya kampanyaadi",
    "ad_group": "adgroup adgroupname reklamgrubu",
    "keyword": "keyword searchkeyword anahtarkelime aramaanahtarkelimesi aramaagianahtarkelimesi searchterm",
    "impressions": "impr impressions gosterim gosterimler gostr",
    "clicks": "clicks tiklamalar tiklamasayisi tiklama",
    "cost": "cost maliyet",
    "currency": "currencycode currency parabirimikodu parabirimi",
}
META = {
    "day": "day gun reportingstarts raporlamabaslangici raporbaslangici raporlamabaslangictarihi",
    "account": "accountname hesapadi reklamhesabiadi",
    "campaign": "campaignname kampanyaadi",
    "ad_group": "adsetname reklamsetiadi reklamsetininadi",
    "keyword": "adname reklamadi",
    "impressions": "impressions gosterim gosterimler",
    "clicks": "linkclicks baglantitiklamalari clicksall tiklamalartumu",
}
_META_COST = re.compile(r"(?:amountspent|harcanantutar)([a-z]{3})?")
_NO_NUMBER = re.compile(r"[^0-9.,-]")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}([.,][0-9]{3})+")
_EMPTY = {"", "--", " --", "-"}

Read = Callable[[Path], Iterator[Row]]


class Columns(msgspec.Struct, frozen=True):
    """Where in an export what stands: the place of each column we know, and cells that all rows have."""

    places: dict[str, int]
    everywhere: dict[str, str]


def as_read(path: Path, mapping: Mapping) -> tuple[Mapping, Read]:
    """Return how to read a file's rows, and under which mapping: a platform's export by its own names.

    A mapping that says anything of columns itself is left to say so.
    """
    if mapping.kind != "record" or mapping.name != OBJECT or mapping.columns or mapping.key:
        return mapping, read_rows
    first = list(islice(read_rows(path), LOOK_AHEAD_ROWS))
    if not any(columns_of(names) for row in first for names in (row.columns, _values(row))):
        return mapping, read_rows
    return msgspec.structs.replace(mapping, key=KEY), lambda of: spend_rows(read_rows(of))


def columns_of(names: Sequence[str]) -> Columns | None:
    """Return what a header says where it is one of a platform that we know, nothing for any other row."""
    folded = [fold(name) for name in names]
    for place, name in enumerate(folded):
        if found := _META_COST.fullmatch(name):
            currency = {"currency": found[1].upper()} if found[1] else {}
            return _columns(folded, META, {"platform": "meta", **currency}, {"cost": place})
    return _columns(folded, GOOGLE, {"platform": "google"}, {})


def _columns(
    folded: Sequence[str], known: dict[str, str], everywhere: dict[str, str], places: dict[str, int]
) -> Columns | None:
    for target, names in known.items():
        place = next((folded.index(name) for name in names.split() if name in folded), None)
        if place is not None:
            places[target] = place
    is_export = {"day", "campaign", "cost", "impressions"} <= places.keys()
    return Columns(places, everywhere) if is_export else None


def spend_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of an export as rows of spend; what stands above its header and sums are left out."""
    columns: Columns | None = None
    for row in rows:
        if columns is None:
            columns = columns_of(row.columns)
        if columns is None:
            columns = columns_of(_values(row))
            continue
        if (made := _spend(row, columns)) is not None:
            yield made


def _values(row: Row) -> list[str]:
    return [str(row.cells.get(name, "")) for name in row.columns]


def _number(text: str) -> str:
    """Return a number without its currency; signs that can only set thousands apart are left out."""
    bare = _NO_NUMBER.sub("", text)
    return re.sub("[.,]", "", bare) if _THOUSANDS.fullmatch(bare) else bare


def _spend(row: Row, columns: Columns) -> Row | None:
    values = [row.cells.get(name) for name in row.columns]
    cells = {
        target: values[place]
        for target, place in columns.places.items()
        if place < len(values) and str(values[place] or "").strip() not in _EMPTY
    }
    # A sum has no day, or says in its first cell what it is.
    if "day" not in cells or fold(str(values[0] or "")).startswith(("total", "toplam")):
        return None
    for name in ("impressions", "clicks", "cost"):
        if isinstance(text := cells.get(name), str):
            cells[name] = _number(text)
    cells = {**dict.fromkeys(KEY, NOTHING), **columns.everywhere, **cells}
    return Row(row.number, cells, tuple(cells), untyped=row.untyped)
