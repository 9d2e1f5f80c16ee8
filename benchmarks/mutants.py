"""How many seeded mistakes the tests find: ``make mutants``. Prints those missed, writes a summary in MUTANTS.md.

mutmut makes the mutants: of each function of the modules that ``[tool.mutmut]`` names one copy for each small mistake.
They are run here, not by ``mutmut run``: pytest collects once, then each mutant is a fork that swaps the code of one
function and runs the tests that call it, quickest first, until one fails. That is the same verdict in a fraction of
the time.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import fnmatch
import gc
import importlib
import json
import mmap
import os
import resource
import shutil
import sys
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = Path(__file__).with_name("MUTANTS.md")
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
BUILD: Final = ROOT / "build" / "mutants"
LAST: Final = BUILD / "verdicts.json"
FLOOR: Final = 90.0  # percent
ORIGINAL: Final = "_mutmut_orig"
SLOW: Final = 2.0  # seconds on the processor; a longer test is not run
HANGS: Final = 90.0  # seconds on the processor, where no test's own time-out helps

KILLED, SURVIVED, TIMEOUT, UNTESTED = "killed", "survived", "timeout", "no test"


class Mutant(NamedTuple):
    """One seeded mistake."""

    name: str
    module: str
    function: str
    line: int
    diff: tuple[str, ...]


class Verdict(NamedTuple):
    """What the tests said of a mutant, and which of them found it."""

    status: str
    killer: str = ""


# ---------------------------------------------------------------------------------------------------------------
# Making them


def options() -> dict[str, Any]:
    """The section of mutmut."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    return found


def generate(patterns: Sequence[str]) -> dict[str, Mutant]:
    """Write the package with all mutants in it into the build folder, and list them."""
    mutation: Any = importlib.import_module("mutmut.mutation.file_mutation")
    target = BUILD / "src"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "src", target, ignore=shutil.ignore_patterns("__pycache__"))
    made: dict[str, Mutant] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        place = path.relative_to(ROOT)
        if not any(fnmatch.fnmatch(place.as_posix(), pattern) for pattern in patterns):
            continue
        source = path.read_text("utf-8")
        code = mutation.mutate_file_contents(str(place), source).code
        (BUILD / place).write_text(code, "utf-8")
        module = ".".join(place.with_suffix("").parts[1:]).removesuffix(".__init__")
        made.update({mutant.name: mutant for mutant in described(module, source, code)})
    return made


def described(module: str, source: str, code: str) -> Iterator[Mutant]:
    """Each mutant of a module, with the lines that it changes."""
    lines = code.splitlines()
    starts = starts_of(ast.parse(source))
    texts: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name:
            texts[node.name] = lines[node.lineno - 1 : node.end_lineno]
    for name in texts:
        mangled, _, number = name.rpartition("__mutmut_")
        if number == "orig":
            continue
        function = mangled.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in mangled else mangled.removeprefix("x_")
        before, after = (
            [line.replace(variant, function.rpartition(".")[2]) for line in texts[variant]]
            for variant in (f"{mangled}__mutmut_orig", name)
        )
        start, diff = starts[function], list(changed_lines(before, after))
        at = start + (diff[0][0] if diff else 0)
        yield Mutant(f"{module}.{name}", module, function, at, tuple(line for _, line in diff))


def starts_of(tree: ast.Module) -> dict[str, int]:
    """The first line of each function and method, by the name that a mutant has it from."""
    callables = ast.FunctionDef | ast.AsyncFunctionDef
    found = {}
    for node in tree.body:
        if isinstance(node, callables):
            found[node.name] = node.lineno
        elif isinstance(node, ast.ClassDef):
            found.update({f"{node.name}.{one.name}": one.lineno for one in node.body if isinstance(one, callables)})
    return found


def changed_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines that differ: the offset in the function, and "- …" or "+ …"."""
    for tag, start, end, to_start, to_end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        pairs = [(offset, "- " + before[offset].strip()) for offset in range(start, end)]
        pairs += [(start, "+ " + line.strip()) for line in after[to_start:to_end]]
        yield from pairs


# ---------------------------------------------------------------------------------------------------------------
# Putting them in


class Called:
    """Which functions were called, in forks of this process too: a byte for each of them, in shared memory."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self.always: set[str] = set()
        self._places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        self._marks = mmap.mmap(-1, max(1, len(self._places)))

    def add(self, key: str) -> None:
        """Note a call."""
        self._marks[self._places[key]] = 1

    def clear(self) -> None:
        """Forget all calls."""
        self._marks[:] = bytes(len(self._marks))

    def keys(self) -> list[str]:
        """The functions that were called, and those of which it is not known."""
        return sorted({key for key, place in self._places.items() if self._marks[place]} | self.always)


class Registry:
    """Every function that has mutants: the function itself, which the rest of the program holds, and its variants."""

    def __init__(self) -> None:
        self.found: list[tuple[FunctionType, dict[str, Any]]] = []

    def mark(self, variants: dict[str, Any], is_classmethod: bool = False) -> Callable[[Any], Any]:
        """In the place of mutmut's own decorator: nothing between a call and its function."""

        def made(function: FunctionType) -> FunctionType:
            self.found.append((function, variants))
            return function

        return made

    def probe(self) -> Called:
        """Make each function note that it was called, by the name that its mutants share: in what is returned."""
        called = Called(key_of(*one) for one in self.found)
        for number, (function, variants) in enumerate(self.found):
            key = key_of(function, variants)
            if function.__code__.co_freevars:
                called.always.add(key)  # cannot be exchanged for code without them
                continue
            function.__globals__.update({"_called": called.add, f"_original_{number}": plain(variants[ORIGINAL])})
            text = f"lambda *a, **k: (_called({key!r}), _original_{number}(*a, **k))[1]"
            function.__code__ = eval(text, {}).__code__
            function.__defaults__ = function.__kwdefaults__ = None
        return called

    def put(self, name: str) -> None:
        """Make a mutant of the function: whoever holds it already calls the mutant from now on."""
        for function, variants in self.found:
            short = name.rpartition(".")[2]
            if short in variants and function.__module__ == name.rpartition(".")[0]:
                mutant = plain(variants[short])
                function.__code__ = mutant.__code__
                function.__defaults__ = mutant.__defaults__
                function.__kwdefaults__ = mutant.__kwdefaults__
                return
        raise KeyError(name)


def processor_time() -> float:
    """The seconds that this process and its children have spent on the processor."""
    return sum(os.times()[:4])


def plain(function: Any) -> FunctionType:
    """The function under a bound method."""
    found: FunctionType = getattr(function, "__func__", function)
    return found


def key_of(function: FunctionType, variants: dict[str, Any]) -> str:
    """What all mutants of a function share in their names."""
    return f"{function.__module__}.{plain(variants[ORIGINAL]).__name__.removesuffix('_orig')}"


# ---------------------------------------------------------------------------------------------------------------
# Running them


class Judge:
    """The pytest plugin that runs mutants in the place of the tests."""

    def __init__(self, registry: Registry, wanted: Sequence[Mutant], jobs: int, killers: dict[str, str]) -> None:
        self.registry = registry
        self.wanted = wanted
        self.jobs = jobs
        self.killers = killers
        self.verdicts: dict[str, Verdict] = {}
        self.failed = ""
        self.report_class: Any = importlib.import_module("pytest").TestReport

    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        """Remember a failure, and whether it was a time-out; nobody reads more of it."""
        if call.excinfo is None or call.excinfo.typename in ("Skipped", "SkipTest", "Exit"):
            return None
        self.failed = TIMEOUT if "Timeout (>" in str(call.excinfo.value) else KILLED
        return self.report_class(item.nodeid, item.location, {}, "failed", "", call.when)

    def pytest_runtestloop(self, session: Any) -> bool:
        """Every mutant in a process of its own."""
        if session.testsfailed:
            raise SystemExit("The tests cannot be collected: run them to see why")
        gc.collect()
        gc.freeze()  # a fork looks no more through what was there before it
        session.config._tmp_path_factory.getbasetemp()  # one folder for all
        items = list(session.items)
        plainly = self.in_fork(lambda: self.rehearse(items, Called()))
        probed = self.in_fork(lambda: self.rehearse(items, self.registry.probe()))
        if plainly is None or probed is None:
            raise SystemExit(f"The tests cannot be run: see {BUILD / 'output.txt'}")
        seconds, calls = plainly["seconds"], probed["calls"]
        every = sorted({key_of(*one) for one in self.registry.found})
        for id in probed["failed"]:
            calls[id] = every  # it looks at the functions themselves, and sees the probe: it may call any
        for id in plainly["failed"]:
            print(f"Left out, for it fails without any mutant: {id}")
        items = [item for item in items if seconds[item.nodeid] < SLOW and item.nodeid not in plainly["failed"]]
        items.sort(key=lambda item: seconds[item.nodeid])
        by_key: dict[str, list[Any]] = {}
        for item in items:
            for key in calls[item.nodeid]:
                by_key.setdefault(key, []).append(item)
        whole = sum(seconds[item.nodeid] for item in items)
        print(f"{len(self.wanted)} mutants, {len(items)} tests of {whole:.0f} s", flush=True)
        self.run_all(by_key)
        return True

    def rehearse(self, items: Sequence[Any], called: Called) -> dict[str, Any]:
        """Run all the tests without a mutant: how long each takes, and what a probe notes meanwhile."""
        seconds: dict[str, float] = {}
        calls: dict[str, list[str]] = {}
        failed = []
        for item in items:
            called.clear()
            began = processor_time()
            self.run_test(item)
            seconds[item.nodeid] = processor_time() - began
            calls[item.nodeid] = called.keys()
            if self.failed:
                failed.append(item.nodeid)
                self.failed = ""
        return {"seconds": seconds, "calls": calls, "failed": failed}

    def run_test(self, item: Any) -> None:
        """One test, as pytest runs it."""
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)

    def in_fork(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """What a piece of work answers, done in a fork."""
        answer = BUILD / f"answer-{os.getpid()}.json"
        answer.unlink(missing_ok=True)
        child = os.fork()
        if not child:
            self.quietly(lambda: answer.write_text(json.dumps(work()), "utf-8"))
        os.waitpid(child, 0)
        found: dict[str, Any] | None = json.loads(answer.read_text("utf-8")) if answer.exists() else None
        return found

    def quietly(self, work: Callable[[], object]) -> None:
        """Do something in a fork, and end it. What it prints goes into a file."""
        code = 70
        try:
            out = os.open(BUILD / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            result = work()
            code = result if isinstance(result, int) and result < 70 else 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def run_all(self, by_key: dict[str, list[Any]]) -> None:
        """All mutants that are wanted, some at a time."""
        running: dict[int, tuple[Mutant, Path]] = {}
        began = time.monotonic()
        for number, mutant in enumerate(self.wanted, 1):
            tests = by_key.get(mutant.name.rpartition("_")[0], [])
            if not tests:
                self.verdicts[mutant.name] = Verdict(UNTESTED)
                continue
            while len(running) >= self.jobs:
                self.reap(running)
            killer = self.killers.get(mutant.name)
            ordered = sorted(tests, key=lambda item: item.nodeid != killer)  # stable: else quickest first
            answer = BUILD / f"killer-{number}.txt"
            child = os.fork()
            if not child:
                self.quietly(partial(self.judge, mutant, ordered, answer))
            running[child] = mutant, answer
            if number % 100 == 0:
                self.save()
                tally = Counter(verdict.status for verdict in self.verdicts.values())
                print(f"{number} in {time.monotonic() - began:.0f} s: {dict(tally)}", flush=True)
        while running:
            self.reap(running)
        self.save()

    def judge(self, mutant: Mutant, tests: Sequence[Any], answer: Path) -> int:
        """Run the tests on a mutant until one fails: 0 where none does, 1 for a failure, 2 for a time-out."""
        resource.setrlimit(resource.RLIMIT_CPU, (int(HANGS), int(HANGS) + 5))
        self.registry.put(mutant.name)
        for item in tests:
            self.run_test(item)
            if self.failed:
                answer.write_text(item.nodeid, "utf-8")
                return 1 if self.failed == KILLED else 2
        return 0

    def reap(self, running: dict[int, tuple[Mutant, Path]]) -> None:
        """Wait for one fork, and note its verdict."""
        child, status = os.waitpid(-1, 0)
        if child not in running:
            return
        mutant, answer = running.pop(child)
        code = os.waitstatus_to_exitcode(status)
        killer = answer.read_text("utf-8") if answer.exists() else ""
        answer.unlink(missing_ok=True)
        self.verdicts[mutant.name] = Verdict(
            SURVIVED if code == 0 else KILLED if code in (1, 70) else TIMEOUT,
            killer or f"exit code {code}" * bool(code),
        )

    def save(self) -> None:
        """Keep the verdicts so far, with those of earlier runs."""
        known = json.loads(LAST.read_text("utf-8")) if LAST.exists() else {}
        LAST.write_text(json.dumps({**known, **self.verdicts}, indent=0), "utf-8")


# ---------------------------------------------------------------------------------------------------------------
# Saying it


def survivors(
    mutants: dict[str, Mutant], verdicts: dict[str, Verdict], reasons: dict[str, list[str]]
) -> dict[str, list[Mutant]]:
    """The mutants that no test kills, by the reason why they are none; those without a reason under ""."""
    groups: dict[str, list[Mutant]] = {}
    for name, mutant in mutants.items():
        if verdicts[name].status in (SURVIVED, UNTESTED):
            made = {line[2:] for line in mutant.diff if line.startswith("+ ")} or {line[2:] for line in mutant.diff}
            why = next((reason for reason, lines in reasons.items() if made & set(lines)), "")
            groups.setdefault(why, []).append(mutant)
    return dict(sorted(groups.items()))


def table(mutants: dict[str, Mutant], verdicts: dict[str, Verdict], *, depth: int) -> list[str]:
    """A line for each package of a depth, or each module where it is deeper, and one for all."""
    tallies: dict[str, Counter[str]] = {}
    for name, mutant in mutants.items():
        for part in (".".join(mutant.module.split(".")[:depth]), "all"):
            tallies.setdefault(part, Counter())[verdicts[name].status] += 1
    lines = ["| part | mutants | killed | of these by time-out | share |", "| --- | ---: | ---: | ---: | ---: |"]
    for part in sorted(tallies, key=lambda part: (part == "all", part)):
        tally, number = tallies[part], tallies[part].total()
        dead = tally[KILLED] + tally[TIMEOUT]
        lines.append(f"| {part} | {number} | {dead} | {tally[TIMEOUT]} | {100 * dead / number:.1f} % |")
    return lines


def summary(mutants: dict[str, Mutant], verdicts: dict[str, Verdict], reasons: dict[str, list[str]]) -> str:
    """The page: the share of each package, and why the others were not killed."""
    known = {name: mutant for name, mutant in mutants.items() if name in verdicts}
    lines = [
        "# The mutants",
        "",
        "Made by `make mutants`, which prints each survivor. mutmut puts a small mistake into a function; it is killed",
        "where a test fails. Decorated functions, and what stands outside of functions, are left alone.",
        "",
        *table(known, verdicts, depth=2),
        "",
        "| not killed, because | mutants |",
        "| --- | ---: |",
    ]
    lines += [
        f"| {why or 'not explained yet'} | {len(left)} |" for why, left in survivors(known, verdicts, reasons).items()
    ]
    if len(known) < len(mutants):
        lines += ["", f"{len(mutants) - len(known)} of {len(mutants)} mutants were not run yet."]
    return "\n".join(lines) + "\n"


def show(mutants: dict[str, Mutant], verdicts: dict[str, Verdict], reasons: dict[str, list[str]]) -> None:
    """Print the share of each module, and every survivor with what it changes."""
    known = {name: mutant for name, mutant in mutants.items() if name in verdicts}
    print(*table(known, verdicts, depth=9), sep="\n")
    for why, left in survivors(known, verdicts, reasons).items():
        print(f"\n{why or 'Not explained yet'}")
        for mutant in left:
            untested = " (no test calls it)" if verdicts[mutant.name].status == UNTESTED else ""
            print(f"\n  {mutant.name}, line {mutant.line}{untested}", *mutant.diff, sep="\n    ")


def main() -> None:
    """Make the mutants, run those that are asked for, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", help="names of mutants, * allowed; all of them without one")
    parser.add_argument("--left", action="store_true", help="only those that no test killed the last time")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    arguments = parser.parse_args()
    os.environ["REPORTFLOW_PROFILE"] = "mutants"
    os.environ["REPORTFLOW_ISOLATED"] = "1"  # a check forks: a new interpreter would have no mutant
    os.chdir(ROOT)
    BUILD.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(BUILD)
    section = options()
    mutants = generate(section["only_mutate"])
    sys.path[:0] = [str(BUILD / "src"), str(ROOT)]
    known = {name: Verdict(*one) for name, one in json.loads(LAST.read_text()).items()} if LAST.exists() else {}
    wanted = [
        mutant
        for name, mutant in mutants.items()
        if (not arguments.patterns or any(fnmatch.fnmatch(name, pattern) for pattern in arguments.patterns))
        and (not arguments.left or name not in known or known[name].status in (SURVIVED, UNTESTED))
    ]
    wanted.sort(key=lambda mutant: mutant.module == "reportflow.flow.handler")  # whose tests wait: last
    registry = Registry()
    trampoline: Any = importlib.import_module("mutmut.mutation.trampoline")
    trampoline.wrap_in_trampoline = registry.mark
    judge = Judge(registry, wanted, arguments.jobs, {name: one.killer for name, one in known.items()})
    import pytest

    pytest.main(
        [
            *section["pytest_add_cli_args"],
            "-q",
            "--capture=no",
            "--tb=native",
            *section["pytest_add_cli_args_test_selection"],
        ],
        plugins=[judge],
    )
    package = importlib.import_module("reportflow")
    assert str(package.__file__).startswith(str(BUILD)), package.__file__
    known.update(judge.verdicts)
    reasons = tomllib.loads(EQUIVALENT.read_text("utf-8"))
    if not known:
        sys.exit("No mutant was judged: the page stays as it is")
    show(mutants, known, reasons)
    RESULTS.write_text(summary(mutants, known, reasons), "utf-8")
    tally = Counter(known[name].status for name in mutants if name in known)
    share = 100 * (tally[KILLED] + tally[TIMEOUT]) / max(1, sum(tally.values()))
    print(f"{dict(tally)}: {share:.1f} % killed")
    with contextlib.suppress(OSError):
        shutil.rmtree(BUILD / "src")
    sys.exit(share < FLOOR)


if __name__ == "__main__":
    main()
