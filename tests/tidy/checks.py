"""The house rules as pure functions: source text in, complaints out. An empty list is a tidy file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from functools import cache

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 500
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc"}
# Put together here, so that this file does not itself hold what it forbids.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("ghcr", "io"),
    ]
)
MACHINE_PATH = re.compile(r"(?<![\w./*-])/(?:work|root|tmp|home/\w+)/[\w.]")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(source: str) -> ast.Module:
    """Return a source's syntax tree; reading one takes longer than any rule does."""
    return ast.parse(source)


@cache
def nodes(source: str) -> tuple[ast.AST, ...]:
    """Return all nodes of a source."""
    return tuple(ast.walk(tree(source)))


def long_functions(source: str) -> list[str]:
    """Return the functions with more lines than fit on a screen, decorators not counted."""
    return [
        f"{node.lineno}: {node.name} has {lines} lines, over {FUNCTION_LINES_MAX}"
        for node in nodes(source)
        if isinstance(node, Function)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def long_module(source: str) -> list[str]:
    """Return a complaint where a module is too long to hold in the head."""
    lines = len(source.splitlines())
    return [f"{lines} lines, over {MODULE_LINES_MAX}"] if lines > MODULE_LINES_MAX else []


def banned_module(path: str) -> list[str]:
    """Return the parts of a path that say nothing about what is inside."""
    parts = path.removesuffix(".py").split("/")
    return [f"{part!r} says nothing about what is inside" for part in parts if part in BANNED_NAMES]


def banned_classes(source: str) -> list[str]:
    """Return the classes one of whose words is a banned name, such as `KeyManager`."""
    return [
        f"{node.lineno}: class {node.name} says nothing about what it is"
        for node in nodes(source)
        if isinstance(node, ast.ClassDef)
        and {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+", node.name)}
        & BANNED_NAMES
    ]


def local_imports(source: str) -> list[str]:
    """Return the imports of our own modules inside functions, where the floors cannot be seen."""
    return [
        f"{inner.lineno}: {node.name} imports {name} inside"
        for node in nodes(source)
        if isinstance(node, Function)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
        for name in imported(inner, "tekil.x")
        if name.split(".")[0] == "tekil"
    ]


WAYS_OUT = re.compile(
    r"^(httpx\.(Client|AsyncClient|HTTPTransport|AsyncHTTPTransport|get|post|put|patch|delete|head|options|request|stream)"
    r"|httpcore\..*(Pool|Proxy|Backend|request|stream)|urllib\.request\..*|http\.client\..*"
    r"|socket\.(socket|create_connection)|requests\..*|aiohttp\..*|urllib3\..*)$"
)


def ways_out(source: str) -> list[str]:
    """Return the places that open a connection to somewhere, by whatever name they imported it."""
    tree = ast.parse(source)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {
                a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0]
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            first, dot, rest = ast.unparse(node).partition(".")
            name = known.get(first, "") + dot + rest
            if WAYS_OUT.match(name):
                found.append(f"{node.lineno}: {name}")
    return found


def unfinished(source: str) -> list[str]:
    """Return the lines that say that something is still to be done."""
    return [
        f"{number}: {found.group()}"
        for number, line in enumerate(source.splitlines(), 1)
        if (found := UNFINISHED.search(line))
    ]


def undocumented(source: str) -> list[str]:
    """Return the public functions, and public methods of public classes, without a docstring."""
    complaints = []

    def visit(body: Iterable[ast.stmt], owner: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                visit(node.body, f"{owner}{node.name}.")
            elif isinstance(node, Function) and not node.name.startswith("_"):
                decorators = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
                if not decorators & {"overload", "override", "setter"} and not ast.get_docstring(node):
                    complaints.append(f"{node.lineno}: {owner}{node.name} has no docstring")

    visit(tree(source).body, "")
    return complaints


def machine_traces(text: str) -> list[str]:
    """Return the lines that name a path of somebody's machine or a package registry's host."""
    return [
        f"{number}: {trace}"
        for number, line in enumerate(text.splitlines(), 1)
        for trace in [
            *(found.group() for found in MACHINE_PATH.finditer(line)),
            *(host for host in REGISTRY_HOSTS if host in line),
        ]
    ]


def imported(node: ast.AST, module: str, *, is_package: bool = False) -> list[str]:
    """Return the absolute names that an import statement of `module` asks for, submodules too."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        above = module.split(".") if is_package else module.split(".")[:-1]
        above = above[: len(above) - node.level + 1]
        base = ".".join([*above, *([node.module] if node.module else [])])
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def dead_modules(sources: Mapping[str, str], packages: set[str], roots: Iterable[str]) -> list[str]:
    """Return the modules that nothing reachable from `roots` imports.

    `sources` maps dotted names to source text; `packages` are the names among them that are packages.
    A string that is exactly a module's name counts as an import: a process is started by it.
    """
    waiting = [root for root in roots if root in sources]
    alive: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in alive:
            continue
        alive.add(module)
        names = {module.rpartition(".")[0]}
        for node in nodes(sources[module]):
            names.update(imported(node, module, is_package=module in packages))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value.partition(":")[0])
        waiting += [name for name in names if name in sources]
    return sorted(set(sources) - alive)


def unknown_targets(text: str, makefile: str) -> list[str]:
    """Return the `make x` commands in a document's code that the Makefile does not know."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    asked = {name for block in code for name in re.findall(r"(?:^|[`\s;&])make ([a-z][a-z-]*)", block)}
    return [f"make {name}" for name in sorted(asked - targets)]


def pins(lock: str) -> dict[str, set[str]]:
    """Return the versions that a lock file pins, by package; several where markers divide them."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.MULTILINE):
        found.setdefault(name.lower(), set()).add(version)
    return found
