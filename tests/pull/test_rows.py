"""Rows come out of files as people save them: Turkish Excel, odd delimiters, damaged lines."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tekil.errors import BadRequest, NotFound
from tekil.pull import file_digest, read_rows, rows_expected
from tekil.pull.delimited import encoding_of
from tekil.pull.rows import clean_header

TURKISH = "Müşteri No;E-posta;Şehir\r\n7;ayşe@ornek.com;İğdır\r\n8;;Muğla\r\n"


def write(folder: Path, name: str, content: bytes | str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1254", "utf-16"])
def test_a_turkish_export_reads_the_same_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    rows = list(read_rows(write(tmp_path, "a.csv", TURKISH, encoding)))
    assert [row.cells for row in rows] == [
        {"Müşteri No": "7", "E-posta": "ayşe@ornek.com", "Şehir": "İğdır"},
        {"Müşteri No": "8", "Şehir": "Muğla"},
    ]
    assert [row.number for row in rows] == [2, 3]


def test_a_letter_cut_by_a_chunk_of_reading_is_still_utf_8(tmp_path: Path) -> None:
    odd = b"x" * ((1 << 20) - 1) + "ş".encode() + b"\n"
    assert encoding_of(write(tmp_path, "a.csv", odd)) == "utf-8-sig"


def test_bytes_that_no_encoding_expects_are_still_read(tmp_path: Path) -> None:
    rows = list(read_rows(write(tmp_path, "a.csv", b"a,b\n\x81\xfe,2\n")))
    assert rows[0].cells == {"a": "\x81ş", "b": "2"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_beside_decimal_commas(tmp_path: Path, delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows([["sku", "fiyat", "not"], ["K1", "1.234,50", "mavi, büyük"], ["K2", "12,00", "a|b;c"]])
    rows = list(read_rows(write(tmp_path, "a.csv", text.getvalue())))
    assert [row.cells["fiyat"] for row in rows] == ["1.234,50", "12,00"]
    assert rows[1].cells["not"] == "a|b;c"


def test_excels_own_delimiter_line_is_obeyed_and_not_a_header(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path, "a.csv", "sep=|\na,b|c\n1|2\n"))
    assert (row.number, row.cells) == (3, {"a,b": "1", "c": "2"})


def test_the_first_row_is_whole_when_the_file_has_one_column(tmp_path: Path) -> None:
    assert [row.cells for row in read_rows(write(tmp_path, "a.csv", "email\na@b.co\n\nc@d.co"))] == [
        {"email": "a@b.co"},
        {"email": "c@d.co"},
    ]


def test_headers_are_cleaned_and_none_is_lost() -> None:
    assert clean_header(["\ufeff E-posta\n adresi ", "", None, "x", "x"]) == [
        "E-posta adresi",
        "column_2",
        "column_3",
        "x",
        "x_2",
    ]


def test_cells_beyond_the_header_are_kept_and_blank_lines_counted(tmp_path: Path) -> None:
    rows = list(read_rows(write(tmp_path, "a.csv", "a,b\n1,2,3\n\n,\n4\n")))
    assert [(row.number, row.cells) for row in rows] == [
        (2, {"a": "1", "b": "2", "column_3": "3"}),
        (5, {"a": "4"}),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), min_size=1, max_size=8
            ).map(lambda text: f"ş{text}ş"),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", ";"]),
)
def test_any_text_that_a_csv_can_hold_comes_back(
    tmp_path: Path, cells: list[list[str]], delimiter: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *cells])
    path = write(tmp_path, "a.csv", text.getvalue())
    found = [[row.cells[name] for name in "abc"] for row in read_rows(path)]
    assert found == [[value.replace("\xa0", " ") for value in row] for row in cells]


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.none()), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_jsonl_says_comes_back(tmp_path: Path, objects: list[dict[str, Any]]) -> None:
    lines = b"\n".join(msgspec.json.encode(one) for one in objects)
    found = [
        {name: msgspec.json.decode(raw) for name, raw in row.cells.items()}
        for row in read_rows(write(tmp_path, "a.jsonl", lines))
    ]
    assert found == objects


def test_a_line_that_is_no_json_is_a_row_with_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = b'\xef\xbb\xbf{"a":1.10}\n[1]\n{"a":\n{"a":"\xff"}\n\n{"a":2}\n' + b'{"a":' + b"[" * 5000 + b"\n"
    rows = list(read_rows(write(tmp_path, "a.jsonl", lines)))
    assert [row.number for row in rows if row.problem is None] == [1, 6]
    assert rows[0].cells["a"] == msgspec.Raw(b"1.10")
    assert [row.raw for row in rows][1:4] == ["[1]", '{"a":', '{"a":"\\xff"}']


def test_parquet_keeps_its_types_down_to_the_kurus(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2]),
            "tutar": pa.array([Decimal("149.90"), None], pa.decimal128(12, 2)),
            "gün": pa.array([date(2025, 12, 31), None]),
            "an": pa.array([1_767_180_600_000_000_001, None], pa.timestamp("ns", "UTC")),
            "oran": pa.array([0.5, float("nan")]),
        }
    )
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    first, second = read_rows(path)
    assert first.cells["tutar"] == Decimal("149.90")
    assert first.cells["gün"] == date(2025, 12, 31)
    assert first.cells["an"].isoformat() == "2025-12-31T11:30:00+00:00"
    assert second.cells == {"id": 2}
    assert rows_expected(path) == 2


def test_an_excel_sheet_reads_as_it_looks(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for record in [
        [None, None],
        ["Müşteri No", "Tarih", "Tutar", "Telefon"],
        [1001, datetime(2025, 12, 31), 149.9, 5321112233],
        [None, None, None, None],
        [1002, datetime(2025, 12, 31, 14, 30), " ", "0532 111 22 33"],
    ]:
        book.worksheets[0].append(record)
    path = tmp_path / "a.xlsx"
    book.save(path)
    first, second = read_rows(path)
    assert (first.number, second.number) == (3, 5)
    assert first.cells["Tarih"] == date(2025, 12, 31)
    assert second.cells["Tarih"] == datetime(2025, 12, 31, 14, 30)
    assert "Tutar" not in second.cells
    assert first.cells["Telefon"] == 5321112233


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx"])
def test_a_damaged_file_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest, match=f"{name} cannot be read past row 0"):
        list(read_rows(write(tmp_path, name, b"PK\x03\x04 this is none")))


def test_a_quotation_mark_that_never_closes_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'a,b\n1,2\n3,"' + "x\n" * (9 << 20))
    with pytest.raises(BadRequest, match="never closed"):
        list(read_rows(path))


def test_a_missing_file_and_an_unknown_kind_are_different_things(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(read_rows(tmp_path / "a.csv"))
    with pytest.raises(BadRequest, match=r"a\.doc is of a kind"):
        list(read_rows(write(tmp_path, "a.doc", "")))
    with pytest.raises(NotFound):
        file_digest(tmp_path / "a.csv")
    assert list(read_rows(write(tmp_path, "empty.csv", ""))) == []
