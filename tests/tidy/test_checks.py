"""The house rules can tell an untidy file from a tidy one."""

from __future__ import annotations

import pytest

from tests.tidy import checks


def function_of(lines: int) -> str:
    return "def f():\n" + "    x = 1\n" * (lines - 1)


def test_a_function_that_does_not_fit_on_a_screen_is_found() -> None:
    assert checks.long_functions(function_of(70)) == []
    assert checks.long_functions(function_of(71)) == ["1: f has 71 lines, over 70"]
    inside = "class A:\n    async def g(self):\n" + "        x = 1\n" * 70
    assert checks.long_functions(inside) == ["2: g has 71 lines, over 70"]


def test_a_module_too_long_to_hold_in_the_head_is_found() -> None:
    assert checks.long_module("x = 1\n" * 500) == []
    assert checks.long_module("x = 1\n" * 501) == ["501 lines, over 500"]


def test_names_that_say_nothing_are_found_and_names_that_only_resemble_them_are_not() -> None:
    assert checks.banned_module("src/tekil/utils.py")
    assert checks.banned_module("src/tekil/common/x.py")
    assert checks.banned_module("src/tekil/services.py") == []
    assert checks.banned_classes("class KeyManager: ...") == [
        "1: class KeyManager says nothing about what it is"
    ]
    assert checks.banned_classes("class HTTPService: ...")
    assert checks.banned_classes("class Commons: ...\nclass Management: ...") == []


@pytest.mark.parametrize(
    "statement", ["import tekil", "import tekil.log", "from tekil import log", "from . import log"]
)
def test_our_own_modules_are_not_imported_inside_functions(statement: str) -> None:
    assert checks.local_imports(statement) == []
    assert checks.local_imports(f"def f():\n    {statement}\n")
    assert checks.local_imports("def f():\n    import json\n") == []


def test_unfinished_work_is_found() -> None:
    assert checks.unfinished("x = 1  # TO" + "DO: more") != []
    assert checks.unfinished("raise Not" + "ImplementedError") != []
    assert checks.unfinished("todos = []") == []


def test_a_public_function_says_what_it_does() -> None:
    assert checks.undocumented("def f(): ...\ndef _g(): ...") == ["1: f has no docstring"]
    assert checks.undocumented("class A:\n    def f(self): ...") == ["2: A.f has no docstring"]
    assert checks.undocumented("class _A:\n    def f(self): ...") == []
    assert checks.undocumented('def f():\n    """Do."""\n    def inner(): ...') == []


def test_paths_of_a_machine_and_registry_hosts_are_found() -> None:
    assert checks.machine_traces("open('/" + "root/x')")
    assert checks.machine_traces("see /" + "tmp/a.log")
    assert checks.machine_traces("https://" + "pypi" + ".org/simple")
    assert checks.machine_traces("GET /v1/work/x, ./tmp/a, /workspace/x") == []


def test_a_module_that_nothing_imports_is_dead_and_so_is_what_only_it_imports() -> None:
    sources = {
        "tekil": "",
        "tekil.cli": "from tekil.log import open_log\nimport subprocess\nrun('tekil.door:main')",
        "tekil.log": "from .sqlite import Log",
        "tekil.log.sqlite": "",
        "tekil.door": "",
        "tekil.forgotten": "import tekil.forgotten_too",
        "tekil.forgotten_too": "",
    }
    dead = checks.dead_modules(sources, {"tekil", "tekil.log"}, ["tekil", "tekil.cli"])
    assert dead == ["tekil.forgotten", "tekil.forgotten_too"]


def test_a_document_asks_only_for_targets_that_exist() -> None:
    makefile = "demo: x ## d\n\ttekil demo\n"
    assert checks.unknown_targets("`make demo`, and make sure of it", makefile) == []
    assert checks.unknown_targets("```sh\nmake demo\nmake tea\n```", makefile) == ["make tea"]


def test_a_lock_file_is_read_by_package_and_version() -> None:
    lock = 'a==1.0 \\\n    --hash=sha256:00\nB[x]==2 ; python_full_version < "3.12" \\\nb==3 \\\n'
    assert checks.pins(lock) == {"a": {"1.0"}, "b": {"2", "3"}}


@pytest.mark.parametrize(
    "source",
    [
        "import httpx\nhttpx.get('x')",
        "import httpx as h\nh.Client()",
        "from httpx import AsyncClient as C\nC()",
        "import urllib.request\nurllib.request.urlopen('x')",
        "from urllib import request\nrequest.urlopen('x')",
        "from urllib.request import urlopen\nurlopen('x')",
        "import socket\nsocket.create_connection(('x', 1))",
        "import http.client\nhttp.client.HTTPSConnection('x')",
    ],
)
def test_a_way_out_is_found_by_whatever_name(source: str) -> None:
    assert checks.ways_out(source)


def test_what_only_names_a_library_is_no_way_out() -> None:
    assert (
        checks.ways_out("import httpx\ndef f(answer: httpx.Response) -> int:\n    return httpx.codes.OK")
        == []
    )
