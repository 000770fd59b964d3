"""Rules of the house that no linter knows: short functions, constructors with keywords, rooms without circles.

Functions with more than 8 parameters are ruff's PLR0913 (pyproject.toml); what it lets pass stands at the function with
its reason, and ruff's RUF100 names an exception that is no longer needed.
"""

import ast
import re
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.places import ROOT

MAX_LINES = 60
REASON = re.compile(r"# long because \w+ \w+")

STILL_LONG: set[str] = set()
"""Functions of more than MAX_LINES lines that nobody has cut yet. To be emptied; nothing is added."""

STILL_STARRED: set[str] = set()
"""Constructors that are still called with a packed list of positions. To be emptied; nothing is added."""

TAKES_ANY_NUMBER = {"Path", "PurePosixPath"}
"""Classes that take any number of arguments of one kind, so that a position has no meaning to get wrong."""

SETS_SYS_PATH = {
    "transforms/runtime/sandbox/worker.py": "a child without privileges imports from where its parent does",
    "transforms/runtime/sandbox/nursery.py": "the same, in the line of Python that starts it",
}


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Every Python file below these folders: its path from the root, and its text."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), file.read_text("utf-8")


def long_functions(name: str, text: str) -> Iterator[str]:
    """Functions of more than MAX_LINES lines, docstring and all, without a comment `# long because …` at their head."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            head = "\n".join(lines[node.lineno - 1 : node.body[0].lineno])
            if (node.end_lineno or 0) - node.lineno >= MAX_LINES and not REASON.search(head):
                yield f"{name}:{node.name}"


def starred_constructors(name: str, text: str) -> Iterator[str]:
    """Calls of a class with `*values`: the fields are told apart by their position alone."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and any(isinstance(argument, ast.Starred) for argument in node.args):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called.lstrip("_")[:1].isupper() and called not in TAKES_ANY_NUMBER:
                yield f"{name}:{called}"


def updated_globals(name: str, text: str) -> Iterator[str]:
    """Names made by `globals()`, which no reader, editor or type checker can find."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals":
            yield name


def edits_of_sys_path(name: str, text: str) -> Iterator[str]:
    """Files that set, extend or reorder `sys.path`, in their own process or in a line of Python that they start."""
    if re.search(r"sys\.path(\[[^]]*\])?\s*(\+?=(?!=))|sys\.path\.(insert|append|extend|remove|pop)", text):
        yield name


def imported_modules(text: str) -> set[str]:
    """Modules of newsbeam that a file imports anywhere, also late and for types only."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {module for module in modules if module.startswith("newsbeam.")}


def room_of(path: list[str]) -> str:
    """`transforms/feeds/rss.py` -> `transforms/feeds`; `pipeline/build.py`, which is in no room, is its own."""
    return "/".join(path[:2])


def room_imports(files: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    """Room -> the other rooms that it imports."""
    rooms: dict[str, set[str]] = {}
    for name, text in files:
        room = room_of(name.removesuffix(".py").removesuffix("/__init__").split("/"))
        imports = {room_of(module.split(".")[1:]) for module in imported_modules(text) if module.count(".") > 1}
        rooms.setdefault(room, set()).update(imports - {room})
    return rooms


def circle(imports: dict[str, set[str]]) -> list[str]:
    """One circle of imports, or nothing."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def check(rule: Callable[[str, str], Iterator[str]], known: set[str], *folders: str) -> None:
    """Fails for a new violation, and for a known one that is gone and has to leave the list."""
    violations = {violation for name, text in sources(*folders) for violation in rule(name, text)}
    assert violations - known == set(), rule.__doc__
    assert known - violations == set(), "cured: take them off the list"


CODE = ("transforms", "pipeline", "scripts", "configs", "deploy")


def test_functions_are_short_or_say_why_not() -> None:
    check(long_functions, STILL_LONG, *CODE, "tests")


def test_constructors_are_called_with_names_or_a_fixed_number_of_positions() -> None:
    check(starred_constructors, STILL_STARRED, *CODE)


def test_no_names_are_made_behind_the_back_of_readers() -> None:
    check(updated_globals, set(), *CODE, "tests")


def test_only_the_sandbox_sets_the_path_of_imports() -> None:
    check(edits_of_sys_path, set(SETS_SYS_PATH), *CODE)


def test_a_function_with_many_parameters_says_why() -> None:
    for name, text in sources(*CODE, "tests"):
        for line in text.splitlines():
            if "noqa: PLR0913" in line and name != Path(__file__).relative_to(ROOT).as_posix():
                assert re.search(r"noqa: PLR0913 +(- )?\(?\w+ \w+", line), f"{name}: {line.strip()}"


def test_transforms_never_import_the_pipeline() -> None:
    """What runs on a worker does not need what builds the graph."""
    upward = ("newsbeam.pipeline", "newsbeam.configs")
    offenders = {name for name, text in sources("transforms") for m in imported_modules(text) if m.startswith(upward)}
    assert offenders == set()


def test_no_two_rooms_import_each_other() -> None:
    assert circle(room_imports(sources("transforms", "pipeline"))) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (long_functions, "def f():\n" + "    pass\n" * MAX_LINES),
        (starred_constructors, "Record(*row)"),
        (starred_constructors, "records._Record(1, *row)"),
        (updated_globals, "globals().update(x=1)"),
        (edits_of_sys_path, "sys.path.insert(0, '.')"),
        (edits_of_sys_path, "sys.path[:] = []"),
        (edits_of_sys_path, "sys.path += ['x']"),
    ],
)
def test_each_rule_finds_what_it_forbids(rule: Callable[[str, str], Iterator[str]], text: str) -> None:
    assert list(rule("file.py", text))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (long_functions, "def f():  # long because a table\n" + "    pass\n" * MAX_LINES),
        (long_functions, "def f():\n" + "    pass\n" * (MAX_LINES - 1)),
        (starred_constructors, "Path(*parts); function(*row)"),
        (edits_of_sys_path, "for folder in sys.path: pass"),
    ],
)
def test_each_rule_lets_pass_what_it_allows(rule: Callable[[str, str], Iterator[str]], text: str) -> None:
    assert list(rule("file.py", text)) == []


def test_a_circle_of_rooms_is_found() -> None:
    files = [
        ("transforms/feeds/a.py", "from newsbeam.transforms.http.b import x"),
        ("transforms/http/b.py", "def f():\n    from newsbeam.transforms.feeds import a"),
    ]
    assert set(circle(room_imports(iter(files)))) == {"transforms/feeds", "transforms/http"}
