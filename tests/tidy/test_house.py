"""The house itself is tidy: every file that git would keep is held against the rules."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tidy import checks

ROOT = Path(__file__).resolve().parents[2]
ENTRANCES = ("tekil", "tekil.cli", "tekil.__main__")


def tracked() -> list[str]:
    """Return what git keeps or would keep: a new file is held to the rules before its first commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(path for path in listing.splitlines() if (ROOT / path).is_file())


FILES = tracked()
SOURCES = {
    path: (ROOT / path).read_text(encoding="utf-8")
    for path in FILES
    if path.endswith(".py") and path.startswith(("src/", "tests/", "bench/"))
}
PRODUCT = {path: source for path, source in SOURCES.items() if path.startswith("src/")}
EXPLAINED = {path: source for path, source in PRODUCT.items() if "/migrations/versions/" not in path}


@pytest.fixture(scope="module", autouse=True)
def _forget_the_trees() -> Iterator[None]:
    """Half a million nodes are no good company for the tests that follow."""
    yield
    checks.tree.cache_clear()
    checks.nodes.cache_clear()


def complaints(sources: dict[str, str], check: Callable[[str], list[str]]) -> list[str]:
    return [f"{path}:{complaint}" for path, source in sources.items() for complaint in check(source)]


@pytest.mark.parametrize("check", [checks.long_functions, checks.long_module, checks.banned_classes])
def test_all_our_python_is_of_a_size_and_a_name(check: Callable[[str], list[str]]) -> None:
    assert len(SOURCES) > 20
    assert complaints(SOURCES, check) == []


@pytest.mark.parametrize("check", [checks.local_imports, checks.unfinished])
def test_the_product_hides_nothing_and_is_finished(check: Callable[[str], list[str]]) -> None:
    assert complaints(PRODUCT, check) == []


OUTWARD = {
    "src/tekil/outgoing/client.py": "the one way out",
    "src/tekil/pull/door.py": "this installation's own door, named on the command line",
    "src/tekil/readiness/sight.py": "this installation's own door, to see whether it answers",
    "src/tekil/library.py": "this machine's own engine",
    "src/tekil/demonstration.py": "the demonstration's own door",
    "src/tekil/demo/post.py": "the demonstration's own door",
    "src/tekil/ports.py": "listens, to see whether a port is free",
    "src/tekil/warehouse/spark_session.py": "the Spark server of warehouse.url, to see whether it is there",
}
"""The modules that open connections, and to what; others go through `tekil.outgoing`, which is guarded."""


def test_there_is_one_guarded_way_out() -> None:
    found = {path for path, source in PRODUCT.items() if checks.ways_out(source)}
    assert found == OUTWARD.keys()


def test_every_public_function_says_what_it_does() -> None:
    assert complaints(EXPLAINED, checks.undocumented) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [f"{path}: {c}" for path in SOURCES for c in checks.banned_module(path)] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    traces = []
    for path in FILES:
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            text = content.decode(errors="replace")
            traces += [f"{path}:{trace}" for trace in checks.machine_traces(text)]
    assert traces == []


def test_every_module_is_reached_from_an_entrance() -> None:
    modules = {}
    packages = set()
    for path, source in PRODUCT.items():
        name = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        if name.endswith(".__init__"):
            name = name.removesuffix(".__init__")
            packages.add(name)
        modules[name] = source
    # Alembic finds its migrations by their folder, not by an import.
    roots = [*ENTRANCES, *(name for name in modules if ".migrations." in name)]
    assert "tekil.cli" in modules
    assert checks.dead_modules(modules, packages, roots) == []


@pytest.mark.parametrize("sheet", [path for path in FILES if path.endswith(".css")])
def test_every_block_of_a_stylesheet_ends(sheet: str) -> None:
    depth = 0
    for number, line in enumerate((ROOT / sheet).read_text(encoding="utf-8").splitlines(), 1):
        # A block left open by a merge hides all that follows it from wide screens, without a word.
        assert depth == 0 or not line.startswith("/*"), f"{sheet}:{number}: a block above is still open"
        depth += line.count("{") - line.count("}")
        assert depth >= 0, f"{sheet}:{number}: one brace too many"
    assert depth == 0


def test_every_slice_has_its_tests() -> None:
    slices = {path.split("/")[2] for path in PRODUCT if re.fullmatch(r"src/tekil/\w+/__init__\.py", path)}
    tested = {path.split("/")[1] for path in SOURCES if re.fullmatch(r"tests/\w+/(\w+/)*test_\w+\.py", path)}
    assert len(slices) > 3
    assert sorted(slices - tested) == []


def test_no_two_tests_share_a_name_that_pytest_would_confuse() -> None:
    names = [path for path in SOURCES if re.search(r"/test_\w+\.py$", path)]
    bare = [Path(path).name for path in names if not (ROOT / path).with_name("__init__.py").exists()]
    assert sorted({name for name in bare if bare.count(name) > 1}) == []


def test_the_floors_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "page", [path for path in FILES if path == "README.md" or path.startswith("docs/manual/")]
)
def test_the_documents_ask_only_for_targets_that_exist(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert checks.unknown_targets((ROOT / page).read_text(encoding="utf-8"), makefile) == []


def test_the_lock_files_hold_what_the_project_asks_for_and_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run = checks.pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    develop = checks.pins((ROOT / "requirements-dev.lock").read_text(encoding="utf-8"))

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements}

    asked = names(project["project"]["dependencies"])
    assert asked - run.keys() == set()
    assert names(project["dependency-groups"]["dev"]) - develop.keys() == set()
    assert {
        name: (found, develop.get(name)) for name, found in run.items() if develop.get(name) != found
    } == {}
