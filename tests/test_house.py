"""The house: imports point down only. The order is the fenced list of docs/reading-order.md, and nowhere else."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

import reportflow

PACKAGE: Final = Path(str(reportflow.__file__)).parent
PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reading-order.md"

#: Floor or module -> the packages of others that it may import. The longest name that fits counts.
GUESTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "": frozenset(),
        "errors.py": frozenset({"attrs"}),
        "model/": frozenset({"attrs", "typing_extensions"}),
        "serialization/": frozenset({"attrs", "cattrs"}),
        "analysis/": frozenset({"attrs"}),
        "demo/": frozenset({"attrs"}),
        "lifecycle/": frozenset({"attrs", "transitions"}),
        "storage/": frozenset({"attrs"}),
        "storage/sql/": frozenset({"attrs", "sqlalchemy"}),
        "storage/sql/django_host.py": frozenset({"django", "sqlalchemy"}),
        "storage/sql/migrations/": frozenset({"alembic", "attrs", "sqlalchemy"}),
        "storage/sql/timeouts.py": frozenset({"psycopg", "sqlalchemy"}),
        "storage/sql/upgrade.py": frozenset({"alembic", "sqlalchemy"}),
        "flow/": frozenset({"attrs"}),
        "flow/base.py": frozenset({"attrs", "uuid_utils"}),
        "outbox/": frozenset({"attrs"}),
        "outbox/cloudevents.py": frozenset({"attrs", "cloudevents"}),
        "outbox/nats.py": frozenset({"nats"}),
        "office/": frozenset({"attrs"}),
        "exports/": frozenset({"attrs"}),
        "moving.py": frozenset({"attrs"}),
        "testing/": frozenset({"attrs", "hypothesis", "pytest"}),
        "cli/": frozenset({"attrs", "click", "rich"}),
        "cli/serving.py": frozenset({"click", "uvicorn"}),
        "hosts/": frozenset({"attrs"}),
        "hosts/django/": frozenset({"attrs", "django", "sqlalchemy"}),
        "web/": frozenset({"anyio", "attrs", "jinja2", "markupsafe", "sqlalchemy", "starlette"}),
    }
)
#: What lies outside the house: nothing inside imports these, nor do they import one another.
OUTSIDE: Final = ("cli", "demo", "hosts", "testing", "web")
#: Module -> the other floors outside that it shows.
SHOWS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "cli/proof.py": frozenset({"testing"}),
        "cli/commands.py": frozenset({"demo"}),
        "cli/serving.py": frozenset({"demo", "web"}),
    }
)
LONGEST: Final = 400
#: Module -> why it may be longer.
LONGER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "i18n/en.py": "one table of texts, read as one",
        "i18n/zh.py": "the same table in Chinese",
        "i18n/portal_en.py": "one table of texts, read as one",
        "i18n/portal_zh.py": "the same table in Chinese",
        "errors.py": "one tree, drawn and read as one",
        "flow/aio.py": "the same verbs, awaited, in the order of flow/sync.py",
        "flow/sync.py": "one class of verbs and what each promises, looked up more than read",
        "office/report.py": "one record, what its transitions are told, and its table, which are read together",
    }
)


def house() -> list[str]:
    """The modules in reading order, as the page has them."""
    found = re.search(r"^```text house\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, "the page has a fenced block that begins with: ```text house"
    return [line for line in found[1].splitlines() if line and not line.startswith("--")]


def modules() -> list[str]:
    """The modules that there are; a folder's ``__init__`` is none, it only says what the folder is."""
    every = (path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
    return sorted(path for path in every if not path.endswith("__init__.py"))


ORDER: Final = MappingProxyType({module: place for place, module in enumerate(house())})


def imports(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """All imports of a file, lazy and type-only ones too: (module, the names taken from it)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((one.name, ()) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are written out, not relative"
            yield str(node.module), tuple(one.name for one in node.names)


def path_of(name: str) -> str | None:
    """The file of a module by its dotted name; None for a folder or for what is no module."""
    path = name.removeprefix("reportflow").strip(".").replace(".", "/") + ".py"
    return path if (PACKAGE / path).is_file() else None


def own(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports, as files; a folder itself ends in ``/``."""
    for name, taken in imports(path):
        if name.partition(".")[0] != "reportflow":
            continue
        if (module := path_of(name)) is not None:
            yield module
            continue
        for one in taken or ("",):
            yield path_of(f"{name}.{one}") or name.removeprefix("reportflow").strip(".").replace(".", "/") + "/"


def guests(path: Path) -> set[str]:
    """The packages of others that a file imports."""
    roots = {name.partition(".")[0] for name, _ in imports(path)}
    return roots - sys.stdlib_module_names - {"reportflow", "__future__"}


def floor_of(module: str) -> str:
    """The folder that a module is in; a module beside them is its own."""
    return module.partition("/")[0]


def test_the_page_lists_every_module_once() -> None:
    """The page's list has each module of the package once, and no other."""
    assert sorted(house()) == modules()


@pytest.mark.parametrize("module", modules())
def test_imports_point_down(module: str) -> None:
    """A module imports only modules that stand above it in the list, each from the module that owns the name."""
    for imported in own(PACKAGE / module):
        if module == f"{imported}__main__.py":
            continue  # it runs its own folder, and does nothing else
        assert not imported.endswith("/"), f"{module} imports from the folder {imported}, not from a name's owner"
        assert ORDER[imported] < ORDER[module], f"{module} imports {imported}, which is read later"


@pytest.mark.parametrize("module", modules())
def test_nothing_imports_what_lies_outside(module: str) -> None:
    """The terminal, the test kit and the quick way in are imported by nothing inside, nor by one another."""
    floors = (
        {floor_of(imported) for imported in own(PACKAGE / module)} - {floor_of(module)} - SHOWS.get(module, frozenset())
    )
    assert floors.isdisjoint(OUTSIDE)
    assert "opening.py" not in floors or floor_of(module) in OUTSIDE


@pytest.mark.parametrize("module", modules())
def test_each_floor_has_its_guests(module: str) -> None:
    """A module imports only those packages of others that its floor may."""
    host = max((name for name in GUESTS if module.startswith(name)), key=len)
    assert guests(PACKAGE / module) <= GUESTS[host]


@pytest.mark.parametrize("module", modules())
def test_a_long_module_has_a_reason(module: str) -> None:
    """A module above 400 lines has its reason in the list here, and the list names no module that got shorter."""
    lines = len((PACKAGE / module).read_text("utf-8").splitlines())
    assert (lines > LONGEST) == (module in LONGER)


@pytest.mark.parametrize(
    "folder", sorted(path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*/__init__.py"))
)
def test_a_folder_only_says_what_it_is(folder: str) -> None:
    """A folder of the house only says what it is; the office gives its names, as the folders outside do."""
    path = PACKAGE / folder / "__init__.py"
    body = ast.parse(path.read_text("utf-8")).body
    assert isinstance(body[0], ast.Expr), "it begins with what the folder is"
    if floor_of(folder) not in (*OUTSIDE, "office"):
        assert len(body) == 1
    assert {floor_of(imported) for imported in own(path)}.isdisjoint(set(OUTSIDE) - {floor_of(folder)})


def test_a_class_name_means_one_thing() -> None:
    """No two classes of the package have the same name."""
    names = [
        node.name
        for module in modules()
        for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


# -- what an import loads -------------------------------------------------------------------------------------------

ABSENT: Final = (
    "aiosqlite", "alembic", "click", "cloudevents", "django", "greenlet", "hypothesis", "nats", "pytest", "rich",
    "sphinx", "sqlalchemy",
)  # fmt: skip


def run(script: str) -> str:
    """What a fresh process prints, in which some packages are not installed."""
    absent = f"import sys\nfor name in {ABSENT!r}:\n    sys.modules[name] = None\n"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    command = [sys.executable, "-c", absent + script]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_needs_no_extra() -> None:
    """`import reportflow`, and an office on the memory store, work where no extra and no SQLAlchemy is installed."""
    script = """
import reportflow
from reportflow import Actor
from reportflow.office import Author, Report, Revision
zhang = Actor(id="zhang", roles={"contributor", "editor"}, unit="u")
with reportflow.open_flow("memory:") as flow:
    report = flow.create(Report.draft(title="t", text="x", authors=[Author(name="a")]), by=zhang)
    print(flow.fire(report, "edit", Revision(text="y"), by=zhang).state)
"""
    assert run(script) == "edited\n"


def test_an_asynchronous_office_in_memory_needs_no_extra() -> None:
    """`open_async_flow("memory:")` works where no extra is installed; a database says which extra it needs."""
    script = """
import asyncio
from reportflow import Actor, MissingExtra, Query, open_async_flow
async def main():
    async with open_async_flow("memory:") as flow:
        print(await flow.count(Query(), by=Actor(id="zhang")))
asyncio.run(main())
"""
    assert run(script) == "{(): 0}\n"
    script = """
sys.modules.pop("sqlalchemy")
from reportflow import MissingExtra, open_async_flow
try:
    open_async_flow("postgresql+psycopg://localhost/office")
except MissingExtra as missing:
    print(missing.name, missing.package)
"""
    assert run(script) == "greenlet reportflow[async]\n"


def test_every_module_of_the_house_needs_no_extra() -> None:
    """Each module inside the house but the SQL store's can be imported without any extra and without SQLAlchemy."""
    inside = [one for one in modules() if floor_of(one) not in OUTSIDE and not one.startswith("storage/sql/")]
    names = ["reportflow." + one.removesuffix(".py").replace("/", ".") for one in inside]
    assert (
        run(f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)\nprint('done')") == "done\n"
    )


def test_import_reportflow_does_not_load_sqlalchemy() -> None:
    """`import reportflow` loads no SQLAlchemy, asyncio or cattrs; asking for `SqlStore` loads SQLAlchemy."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    script = (
        "import sys, reportflow; print(*(name in sys.modules for name in ('sqlalchemy', 'asyncio', 'cattrs')));"
        "reportflow.SqlStore; print('sqlalchemy' in sys.modules)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)
    assert done.stdout.split() == ["False", "False", "False", "True"]


def test_the_terminal_says_which_extra_it_needs() -> None:
    """Without click the terminal ends with status 1 and the command that installs it."""
    script = """
import reportflow.cli
try:
    reportflow.cli.main()
except SystemExit as end:
    print(end.code)
"""
    assert "pip install" in run(script)
    assert "reportflow[cli]" in run(script)


def test_the_application_for_django_says_which_extra_it_needs() -> None:
    """Without Django its application is a `MissingExtra` with the command that installs it."""
    script = """
try:
    import reportflow.hosts.django
except ImportError as missing:
    print(type(missing).__name__, missing.name, missing.package)
"""
    assert run(script) == "MissingExtra django reportflow[django]\n"


NEEDS_HYPOTHESIS: Final = (
    "strategies", "strategies.broken", "strategies.commands", "strategies.definitions", "strategies.people",
    "strategies.storage", "strategies.values", "strategies.walks", "machine", "lifecycle_calls", "lifecycle_machine",
    "lifecycle_rules", "lifecycle_run",
)  # fmt: skip


def test_a_module_says_which_extra_it_needs() -> None:
    """Each module of the kit that draws says, where Hypothesis is absent, what to install."""
    script = f"""
import importlib, sys
from reportflow.errors import MissingExtra
sys.modules["hypothesis"] = None
for name in {NEEDS_HYPOTHESIS!r}:
    try:
        importlib.import_module(f"reportflow.testing.{{name}}")
    except MissingExtra as missing:
        print(name, missing)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert list(said) == list(NEEDS_HYPOTHESIS)
    assert all("reportflow[testing]" in text for text in said.values())
