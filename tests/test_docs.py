"""The pages: complete, true to the code that they show, and in one form, in English and in Chinese.

That their snippets run is proven by sybil; see the conftest.py beside README.md.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import runpy
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import django
import pytest
from django.conf import settings

import reportflow
import reportflow.errors
import reportflow.office
import reportflow.testing
from reportflow import SAME
from reportflow.office import REPORT
from reportflow.testing import strategies

if not settings.configured:  # the models of the application for Django cannot be imported before; as on its page
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "reportflow.hosts.django"],
        USE_TZ=True,
    )
django.setup()

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
REFERENCE: Final = DOCS / "reference"
PAGES: Final = sorted(DOCS.rglob("*.md"))
#: All that a reader of the repository reads.
READ: Final = [*PAGES, *sorted(ROOT.glob("*.md"))]
GLOSSARY: Final = DOCS / "glossary.md"
CHINESE_GLOSSARY: Final = DOCS / "zh" / "glossary.md"
OBJECTS: Final = sorted(set(REFERENCE.glob("*.md")) - {REFERENCE / "index.md"})

#: docs/shown.py, which knows what pages show of files.
SHOWN: Final = runpy.run_path(str(DOCS / "shown.py"))

#: Module -> its public names, where the module has more names than those, or lists none.
PUBLIC: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "reportflow.analysis.checks": ("check",),
        "reportflow.analysis.finding": ("Finding", "Severity"),
        "reportflow.analysis.matrix": ("Cell", "Matrix", "May", "matrix"),
        "reportflow.flow.attachments": ("Download", "SupportsRead"),
        "reportflow.flow.erasing": ("ErasedPart", "ErasurePlan", "PlannedErasure"),
        "reportflow.flow.incidents": ("Incident",),
        "reportflow.flow.people": ("SupportsSearch",),
        "reportflow.flow.verification": ("Verification",),
        "reportflow.hosts.retry": ("retrying",),
        "reportflow.hosts.django": ("DjangoFlow", "DjangoStore", "actor_of", "flow", "session_actor", "user_actor"),
        "reportflow.hosts.django.middleware": ("ProblemMiddleware",),
        "reportflow.hosts.django.models": ("EntryRow", "LabelRow", "RecordRow", "VisibleRows"),
        "reportflow.i18n.catalog": ("CHINESE", "CLERK", "DEVELOPER", "ENGLISH", "STANDARD", "Catalog", "Renderer"),
        "reportflow.lifecycle.chain": ("Flaw",),
        "reportflow.lifecycle.client": ("client_source",),
        "reportflow.lifecycle.decision": ("Decision", "Option", "Remains", "decide", "options"),
        "reportflow.lifecycle.diagram": ("dot", "mermaid"),
        "reportflow.lifecycle.erasable": ("erasable_names",),
        "reportflow.lifecycle.table": ("OnConflict",),
        "reportflow.model.actor": ("ActorKind", "Scope"),
        "reportflow.model.checks": ("text_problem",),
        "reportflow.moving": ("Copying", "copy_database", "copy_store"),
        "reportflow.office.figures": ("LIVELIHOOD", "Figures", "figures", "instructions", "yearly"),
        "reportflow.office.measures": ("Breakdown", "Measure", "Plan", "Yearly", "plan"),
        "reportflow.outbox.cloudevents": ("Message",),
        "reportflow.outbox.nats": ("NatsPublisher",),
        "reportflow.outbox.relay": ("Relay",),
        "reportflow.serialization.classes": ("NO_CLASSES",),
        "reportflow.serialization.digest": ("Sealed", "commitment_of", "digest_of", "seal"),
        "reportflow.serialization.unsealing": ("unseal",),
        "reportflow.model.values": ("limits",),
        "reportflow.serialization.problem": ("PROBLEM_JSON", "STATUSES", "status_of"),
        "reportflow.serialization.plain": ("from_json", "from_plain", "to_json", "to_plain"),
        "reportflow.serialization.stored": ("load_stored",),
        "reportflow.storage.base": (
            "AsyncStore",
            "Group",
            "Of",
            "SupportsClasses",
            "SupportsHostTransaction",
            "SupportsVisible",
        ),
        "reportflow.storage.filetypes": ("FILE_TYPES", "FileType"),
        "reportflow.storage.leases": ("Delivery", "Lease", "Leases", "MemoryLeases", "SupportsLeases"),
        "reportflow.storage.refusing": ("check_changes", "keys_of", "refuse_keys", "refuse_stale", "refuse_used"),
        "reportflow.storage.matching": ("count", "fits", "matches", "page"),
        "reportflow.storage.restoring": ("check_restored", "sealed_keys"),
        "reportflow.storage.sql.migrations.host": ("include_object",),
        "reportflow.storage.sql.schema": ("Tables", "make_tables"),
        "reportflow.storage.sql.visible": ("Visible",),
        "reportflow.storage.sql.views": ("drop_views", "make_views", "standing"),
        "reportflow.storage.sql.upgrade": ("current", "offline_sql", "upgrade"),
        "reportflow.testing.machine": ("store_machine",),
        "reportflow.web": (
            "Authenticate",
            "Portal",
            "PortalStore",
            "Route",
            "Settings",
            "Visit",
            "make_web_tables",
            "portal",
        ),
    }
)

_PATH_IN_BRACKETS: Final = re.compile(r"\]\(([^)#\s]*\.md)?(?:#([^)\s]+))?\)")
_FENCED: Final = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_PYTHON: Final = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_DIRECTIVE: Final = re.compile(
    r"^\.\. (?:auto(?:class|data|exception|function)|py:data):: ([\w.]+)\.(\w+)$", re.MULTILINE
)
#: Words that the vocabulary replaces: riddles and personification.
_RIDDLES: Final = re.compile(
    r"\b(at hand|came of|comes of|handed out|hears? of|heard of|mends?|mended|somebody|told|whoever)\b", re.IGNORECASE
)


def named(path: Path) -> str:
    """The name of a page in the report of the tests."""
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    """A page as text."""
    return path.read_text(encoding="utf-8")


def prose(page: str) -> list[str]:
    """The lines of a page that are sentences: no code, no tables, no headings."""
    return [line for line in _FENCED.sub("", page).splitlines() if line and line[0] not in "#|"]


def cells(path: Path) -> list[list[str]]:
    """The rows of a page's tables, without their heads."""
    tables = re.findall(r"^\| .* \|\n\| ---.*\n((?:\| .* \|\n)+)", text_of(path), re.MULTILINE)
    return [[cell.strip() for cell in row[1:-1].split("|")] for table in tables for row in table.splitlines()]


def public_names() -> Iterator[tuple[str, object]]:
    """Every name that a user can import, with what it is."""
    for module in (reportflow, reportflow.office, reportflow.testing, strategies):
        yield from ((name, getattr(module, name)) for name in module.__all__)
    for name, value in vars(reportflow.errors).items():
        if isinstance(value, type) and value.__module__ == reportflow.errors.__name__ and not name.startswith("_"):
            yield name, value
    for path, names in PUBLIC.items():
        module = importlib.import_module(path)
        yield from ((name, getattr(module, name)) for name in names)


def documented() -> list[tuple[str, object]]:
    """Every name that the reference documents, with what it is."""
    return [
        (name, getattr(importlib.import_module(module), name))
        for page in OBJECTS
        for module, name in _DIRECTIVE.findall(text_of(page))
    ]


def typed(code: str) -> str:
    """What a reader types of a snippet: all of it, or what stands behind the prompts."""
    if not code.startswith(">>>"):
        return code
    return "\n".join(line[4:] for line in code.splitlines() if line.startswith((">>> ", "... ")))


def imported(code: str) -> Iterator[tuple[str, str]]:
    """What some code imports from reportflow: (module, name)."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reportflow":
            yield from ((str(node.module), alias.name) for alias in node.names)


# -- the reference ------------------------------------------------------------------------------------------------


def test_reference_has_every_public_name_once() -> None:
    """The reference documents every name that a user can import, each once, and no other."""
    found = documented()
    assert sorted({name for name, _ in found}) == sorted(name for name, _ in found)
    assert {name for name, _ in public_names()} == {name for name, _ in found}
    by_name = dict(found)
    assert [name for name, value in public_names() if by_name[name] is not value] == []


def test_docs_and_examples_import_only_what_the_reference_has() -> None:
    """Each name that a page or an example package imports from reportflow stands in the reference."""
    pages = [typed(code) for page in READ for code in _PYTHON.findall(text_of(page))]
    files = [text_of(path) for path in (ROOT / "examples").rglob("*.py")]
    wanted = {pair for code in [*pages, *files] for pair in imported(code)}
    assert len(wanted) > 100
    known = dict(documented())
    rooms = {module for page in OBJECTS for module, _ in _DIRECTIVE.findall(text_of(page))}
    assert [
        (module, name)
        for module, name in sorted(wanted)
        if name not in known or getattr(importlib.import_module(module), name) is not known[name]
        if f"{module}.{name}" not in rooms  # a module whose names are documented
    ] == []


@pytest.mark.parametrize("path", OBJECTS, ids=named)
def test_page_of_an_object_is_whole(path: Path) -> None:
    """A page of the reference has signatures, an example that is run, the errors, and a word on threads."""
    page = text_of(path)
    headings = re.findall(r"^## (.*)$", _FENCED.sub("", page), re.MULTILINE)
    assert headings == ["Example", "Errors", "Threads and transactions"]
    assert _DIRECTIVE.search(page)
    assert _PYTHON.search(page)
    assert "skip: next" not in page
    sections = re.split(r"^## .*$", _FENCED.sub("", page), flags=re.MULTILINE)
    assert all(section.strip() for section in (sections[0], *sections[2:]))


def test_calls_of_the_flow_have_the_parameters_that_the_page_says() -> None:
    """The table of the flow's calls has every public call, with its parameters in their order."""
    shown = dict(re.findall(r"^\| `flow\.(\w+)\((.*?)\)` \|", text_of(REFERENCE / "flow.md"), re.MULTILINE))
    assert shown.keys() == {
        name
        for name in dir(reportflow.ReportFlow)
        if not name.startswith("_") and callable(getattr(reportflow.ReportFlow, name))
    }
    for name, parameters in shown.items():
        real = list(inspect.signature(getattr(reportflow.ReportFlow, name)).parameters)[1:]
        assert [one for one in parameters.split(", ") if one and one != "*"] == real


def test_tree_of_errors_is_drawn_as_in_the_module() -> None:
    """The tree on the page of errors is the one in the module's docstring."""
    (tree,) = re.findall(r"^```text\n(.*?)^```$", text_of(REFERENCE / "errors.md"), re.DOTALL | re.MULTILINE)
    assert tree.strip() in inspect.cleandoc((reportflow.errors.__doc__ or "").replace("\n    ", "\n"))


def test_page_of_the_report_has_every_row_of_the_table() -> None:
    """The page of the report shows each row of the standard lifecycle: act, states, roles, details, reason."""
    states, roles = [state.name for state in REPORT.states], [*REPORT.roles, "everybody", "nobody"]
    assert cells(REFERENCE / "report.md") == [
        [
            f"`{row.trigger}`",
            ", ".join(f"`{name}`" for name in states if name in row.sources),
            "the same" if row.dest == SAME else ", ".join(f"`{name}`" for name in row.dests(None)),
            ", ".join(name for name in roles if name in row.roles),
            f"`{row.details.__name__}`" if row.details else "",
            "yes" if row.reason_required else "",
        ]
        for row in REPORT.transitions
    ]


def test_page_on_installing_has_every_extra() -> None:
    """The page on installing lists each extra that is for users, and no other."""
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    ours = {"bench", "dev", "docs", "mutants", "test", "types"}
    listed = [row[0].strip("`") for row in cells(DOCS / "howto" / "basic" / "install.md")]
    assert listed == sorted(project["optional-dependencies"].keys() - ours)


# -- the pages ----------------------------------------------------------------------------------------------------


def test_every_page_is_in_one_table_of_contents() -> None:
    """Each page but the first is listed in one table of contents, and none lists a page that is not there."""
    listed = [
        (path.parent / f"{line}.md").resolve()
        for path in PAGES
        for table in re.findall(r"^```\{toctree\}(.*?)^```$", text_of(path), re.DOTALL | re.MULTILINE)
        for line in table.splitlines()
        if line and not line.startswith(":")
    ]
    assert sorted(listed) == sorted(set(PAGES) - {DOCS / "index.md"})


def test_every_page_is_linked() -> None:
    """Each page but the first can be reached by links in the text, without the table of contents."""
    linked = {
        (path.parent / name).resolve()
        for path in PAGES
        for name, _ in _PATH_IN_BRACKETS.findall(_FENCED.sub("", text_of(path)))
        if name and "://" not in name
    }
    assert set(PAGES) - {DOCS / "index.md"} <= linked


@pytest.mark.parametrize("path", READ, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    """Every link to a page names a page that is there, and a heading that it has."""
    for name, heading in _PATH_IN_BRACKETS.findall(text_of(path)):
        if "://" in name:
            continue
        target = text_of((path.parent / name).resolve() if name else path)
        slugs = {
            re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", target, re.MULTILINE)
        }
        assert not heading or heading in slugs


@pytest.mark.parametrize("path", READ, ids=named)
def test_one_sentence_stands_on_a_line(path: Path) -> None:
    """A line of a page ends where its sentence does, so that a change of a sentence is a change of a line."""
    lines = prose(text_of(path))
    wrong = [line for line in lines if re.search(r"[a-z`)][.?!] +[A-Z`]|[。？！](?=.)(?![”）*])", line)]
    assert not wrong


@pytest.mark.parametrize("path", READ, ids=named)
def test_words_are_plain(path: Path) -> None:
    """No page speaks in riddles: the words that the vocabulary replaces are gone."""
    assert [line for line in text_of(path).splitlines() if _RIDDLES.search(line)] == []


@pytest.mark.parametrize("path", READ, ids=named)
def test_pages_read_without_sphinx(path: Path) -> None:
    """No page leaves a hole in plain Markdown: what it shows of a file stands in it, as the file has it."""
    page = text_of(path)
    assert "literalinclude" not in page
    assert "{include}" not in page
    assert page.count("<!--- from: ") == len(SHOWN["BLOCK"].findall(page))
    for code, current in SHOWN["shown"](page):
        # a method is shown without the indentation of its class, and may then be formatted on fewer lines
        one, other = (re.sub(r"\s|,(?=\s*[\])}])", "", text) for text in (code, current))
        assert one == other, f"run: python docs/shown.py && make format; {named(path)} is behind its file"


def test_reading_order_has_a_sentence_for_each_module() -> None:
    """Each module of the house is explained once, in the order of the house."""
    page = text_of(DOCS / "reading-order.md")
    (house,) = re.findall(r"^```text house\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    modules = [line for line in house.splitlines() if not line.startswith("--")]
    assert re.findall(r"^- `(\S+\.py)`: .+\.$", page, re.MULTILINE) == modules


# -- in two languages ---------------------------------------------------------------------------------------------


def test_chinese_quickstart_has_the_same_code() -> None:
    """The Chinese quickstart shows the same snippets as the English one, in the same order."""
    one, other = (_PYTHON.findall(text_of(path)) for path in (DOCS / "quickstart.md", DOCS / "zh" / "quickstart.md"))
    assert one == other


def test_glossaries_have_the_same_words() -> None:
    """Each word of the English glossary stands in the Chinese one with the same counterpart, in the same order."""
    english = [(row[:1], row[2:], row[1]) if row[0][0] == "`" else (row[:1], [], row[1]) for row in cells(GLOSSARY)]
    chinese = [
        (row[:1], row[1:2], row[2]) if row[0][0] == "`" else (row[1:2], [], row[0]) for row in cells(CHINESE_GLOSSARY)
    ]
    assert len(english) > 50
    assert english == chinese


def test_glossary_has_the_labels_of_the_table() -> None:
    """The glossary calls every state, act and role of a report as the library does, in both languages."""
    rows = [row for row in cells(GLOSSARY) if row[0][0] == "`"]
    rooms = [
        ("state", [state.name for state in REPORT.states]),
        ("trigger", list(REPORT.triggers)),
        ("role", list(REPORT.roles)),
    ]
    assert rows == [
        [f"`{name}`", REPORT.label_of(room, name), REPORT.label_of(room, name, "zh")]
        for room, names in rooms
        for name in names
    ]
