"""Rows of a file through `flow.run`: each is in, or is named with its reason; what was begun can be started again.

`questions.py` and `information_requests.py` read their files with this. A row has a key, the digest of what stands in
it, so that a second run makes nothing twice, also of a file that has grown meanwhile. Where one row makes a record and
acts on it, the rows are gone through twice: only of what was created is known that the acts behind it are its own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import sys
import unicodedata
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import attrs

from reportflow import Create, Fire, InvalidValue, Outcome, ReportFlow, ReportflowError, TransitionRefused

T = TypeVar("T")
V = TypeVar("V")

#: Text -> language -> what is printed.
Texts = Mapping[str, Mapping[str, str]]

TEXTS: Texts = {
    "store": {"en": "store", "zh": "库中"},
    "file": {"en": "file", "zh": "文件"},
    "rows": {"en": "rows in the file", "zh": "文件行数"},
    "whole": {"en": "in, with all that they say", "zh": "已全部录入"},
    "in_part": {"en": "in, but for what is named below", "zh": "已录入，以下所列除外"},
    "out": {"en": "not in", "zh": "未录入"},
    "known": {"en": "were there already", "zh": "原已在库"},
    "reasons": {"en": "why not", "zh": "未录入原因"},
    "equal": {
        "en": "Each figure that the store counts equals the file's.",
        "zh": "库中统计的各项数字与文件一致。",
    },
    "differ": {
        "en": "The figures of the store differ from those of the file.",
        "zh": "库中统计的数字与文件不一致。",
    },
    "line": {"en": "line {line}, {name}: {said}", "zh": "第 {line} 行，{name}：{said}"},
    # reasons
    "already_exists": {"en": "its number was used before", "zh": "编号已被使用"},
    "before_creation": {"en": "it happened before it began", "zh": "办理早于开始"},
    "duplicate_key": {"en": "it was entered otherwise before", "zh": "先前录入的内容不同"},
    "encoding": {"en": "no text in UTF-8", "zh": "不是UTF-8文本"},
    "surrogate": {"en": "no text in UTF-8", "zh": "不是UTF-8文本"},
    "in_future": {"en": "a date in the future", "zh": "日期在未来"},
    "json": {"en": "no object in JSON", "zh": "不是JSON对象"},
    "missing": {"en": "without what it must have", "zh": "缺少必填内容"},
    "no_date": {"en": "what should be a date is none", "zh": "日期无法识别"},
    "no_number": {"en": "what should be a number is none", "zh": "数字无法识别"},
    "state": {"en": "it was closed before", "zh": "先前已办结"},
    "columns": {"en": "more or fewer columns than the first line", "zh": "列数与首行不符"},
    "type": {"en": "a value of another type", "zh": "值的类型不符"},
}


class Unreadable(ValueError):
    """What stands in a row makes no request: `code` says why, `given` is what stands there."""

    def __init__(self, code: str, given: object = "") -> None:
        super().__init__(code, given)
        self.code = code
        self.given = given


class BrokenFile(Exception):
    """The file cannot be read, or not on from a line."""


@attrs.frozen
class Row:
    """A row of a file: its line, what stands in it, and its key."""

    line: int
    fields: Mapping[str, Any]
    key: str


@attrs.frozen
class Fault:
    """What is wrong with a row: its line, what people call it, the code of the reason, and the reason in words."""

    line: int
    name: str
    code: str
    said: str


#: A way to read a file: gives each row, or what is wrong with it.
Rows = Callable[[], Iterator[Row | Fault]]


def read_csv(path: Path, columns: Sequence[str]) -> Iterator[Row | Fault]:
    """The rows of a file of comma-separated values, gzipped or not.

    Raises:
        BrokenFile: it lacks one of the columns, or cannot be read, with the line.
    """
    keys = _Keys()
    line = 0
    with _telling(path, lambda: line), _opened(path) as file:
        # an altered byte makes its own row unreadable, and no other
        text = (raw.decode("utf-8-sig" if not line else "utf-8", "surrogateescape") for raw in file)
        reader = csv.reader(text)
        header = next(reader, [])
        missing = [name for name in columns if name not in header]
        if missing:
            raise BrokenFile(f"{path}: line 1 names no column {', '.join(missing)}")
        for values in reader:
            line = reader.line_num
            if len(values) != len(header):
                yield Fault(line, "?", "columns", f"{len(values)} / {len(header)}")
            else:
                yield Row(line, dict(zip(header, values, strict=True)), keys.key(values))


def read_jsonl(path: Path) -> Iterator[Row | Fault]:
    """The rows of a file with one JSON object a line, gzipped or not.

    Raises:
        BrokenFile: it has no row, or cannot be read, with the line.
    """
    keys = _Keys()
    line = 0
    with _telling(path, lambda: line), _opened(path) as file:
        for line, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            try:
                fields = json.loads(raw)
            except UnicodeDecodeError as error:
                yield Fault(line, "?", "encoding", str(error))
                continue
            except (ValueError, RecursionError) as error:
                yield Fault(line, "?", "json", str(error))
                continue
            if isinstance(fields, dict):
                yield Row(line, fields, keys.key([json.dumps(fields, sort_keys=True)]))
            else:
                yield Fault(line, "?", "json", type(fields).__name__)
        if not line:
            raise BrokenFile(f"{path}: there is nothing in it")


def readable(rows: Rows, read: Callable[[Row], T]) -> Iterator[T]:
    """What is read of each row, without those that cannot be."""
    for row in rows():
        if isinstance(row, Row):
            with suppress(Unreadable):
                yield read(row)


class Reading:
    """Takes the values out of a row.

    Raises:
        Unreadable: a value is missing, of another type, or is none of its kind.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def value(self, name: str, kind: type[V]) -> V | None:
        """A value of a type; None where there is none."""
        given = self._fields.get(name)
        if given is not None and type(given) is not kind:
            raise Unreadable("type", f"{name}: {given}")
        return given

    def needed(self, name: str, kind: type[V]) -> V:
        """A value of a type."""
        given = self.value(name, kind)
        if given is None:
            raise Unreadable("missing", name)
        return given

    def text(self, name: str) -> str:
        """A text that is not blank."""
        given = self.any_text(name)
        if not given.strip():
            raise Unreadable("missing", name)
        return given

    def any_text(self, name: str) -> str:
        """A text."""
        given = self.needed(name, str)
        try:
            given.encode()
        except UnicodeEncodeError:
            raise Unreadable("encoding", name) from None
        if "\0" in given:
            raise Unreadable("encoding", name)
        return given

    def texts(self, name: str) -> tuple[str, ...]:
        """Some texts."""
        given = self.value(name, list) or []
        return tuple(Reading({name: one}).text(name) for one in given)

    def day(self, name: str) -> date | None:
        """A day, from a date or a time; None where there is none."""
        given = self.value(name, str)
        if not given:
            return None
        try:
            return datetime.fromisoformat(given.strip()).date()
        except ValueError:
            raise Unreadable("no_date", f"{name}: {given}") from None

    def needed_day(self, name: str) -> date:
        """A day."""
        day = self.day(name)
        if day is None:
            raise Unreadable("missing", name)
        return day


class _Keys:
    """The keys of rows; the same row again has another one, so that it is seen to be there twice."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def key(self, values: Sequence[str]) -> str:
        """The key of a row with these values."""
        data = "\x1f".join(values).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(data).digest()[:16]
        self._seen[digest] += 1
        return f"{digest.hex()}-{self._seen[digest]}"


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


@contextmanager
def _telling(path: Path, line: Callable[[], int]) -> Iterator[None]:
    """What reading raises, as `BrokenFile` with the line."""
    try:
        yield
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        after = f" after line {line()}" if line() else ""
        raise BrokenFile(f"{path}: it cannot be read{after} ({error})") from error


class Import:
    """What became of the rows of a file.

    Args:
        flow: Where they go.
        rows: Reads the file.
        name: The field by which people call a row.
        language: That of the reasons.
    """

    def __init__(self, flow: ReportFlow, rows: Rows, name: str, language: str = "en") -> None:
        self._flow = flow
        self._rows = rows
        self._name = name
        self._language = language
        self.lines: set[int] = set()  # of all rows
        self.entered: set[int] = set()  # of those whose record is there
        self.known: int = 0  # how many of these were there before
        self.faults: dict[tuple[int, str], Fault] = {}

    def create(self, make: Callable[[Row], Iterable[Create]]) -> None:
        """Create the records of all rows."""
        for row, outcome in self._run(lambda row: True, make):
            if outcome.error is None:
                self.entered.add(row.line)
                self.known += outcome.repeated

    def act(self, make: Callable[[Row], Iterable[Fire]]) -> None:
        """Do what the rows say of the records that are there by them."""
        for _ in self._run(lambda row: row.line in self.entered, make):
            pass

    def _run(
        self, wanted: Callable[[Row], bool], make: Callable[[Row], Iterable[Create | Fire]]
    ) -> Iterator[tuple[Row, Outcome]]:
        """Run what is made of each row; gives each outcome with its row."""
        waiting: deque[Row] = deque()

        def requests() -> Iterator[Create | Fire]:
            for row in self._rows():
                self.lines.add(row.line)
                if isinstance(row, Fault):
                    self.faults[row.line, row.code] = row
                    continue
                if not wanted(row):
                    continue
                try:
                    made = list(make(row))
                except (Unreadable, InvalidValue) as error:
                    self._note(row, error)
                    continue
                for one in made:
                    waiting.append(row)
                    yield one

        progress = _show if sys.stderr.isatty() else None
        for outcome in self._flow.run(requests(), on_error="skip", progress=progress):
            row = waiting.popleft()
            if outcome.error is not None:
                self._note(row, outcome.error)
            yield row, outcome

    def _note(self, row: Row, error: Unreadable | ReportflowError) -> None:
        if isinstance(error, Unreadable):
            code, said = error.code, ascii(error.given)[:60]
        elif isinstance(error, TransitionRefused):
            code, said = code_of(error), " ".join(one.text(self._language) for one in error.refusals)
        else:
            code, said = code_of(error), error.message(self._language)
        name = str(row.fields.get(self._name, ""))[:40]
        self.faults[row.line, code] = Fault(row.line, name if name.isprintable() and name else "?", code, said)


def code_of(error: ReportflowError) -> str:
    """Why, in one word: the first refusal, what is wrong with a value, or which error it is."""
    if isinstance(error, TransitionRefused):
        return error.refusals[0].code
    return error.problem if isinstance(error, InvalidValue) else error.code


def _show(done: int) -> None:
    print(f"\r{done:,}", end="\r", file=sys.stderr, flush=True)


# -- what is printed ------------------------------------------------------------------------------------------------


def parser(description: str, file: str) -> argparse.ArgumentParser:
    """The arguments that such an example takes."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("path", type=Path, help=f"{file}, or the folder that it is in")
    made.add_argument("--database", default="memory:", help="a database URL, such as sqlite:///office.db")
    made.add_argument("--language", choices=("en", "zh"), default="en", help="that of what is printed")
    made.add_argument("--all", action="store_true", help="list each row that is not in, or not in whole")
    return made


def _wide(text: str) -> int:
    """How many of its characters take two columns of a terminal."""
    return sum(unicodedata.east_asian_width(one) in "WF" for one in text)


def report(
    found: Import, stored: Mapping[str, int], expected: Mapping[str, int], texts: Texts, language: str, *, every: bool
) -> int:
    """Print the figures, and what is not in with its reasons; 0 where store and file agree, else 1."""

    def say(code: str) -> str:
        known = {**TEXTS, **texts}.get(code)
        return code if known is None else known[language]

    def line(label: str, *numbers: int | str) -> None:
        shown = [f"{one:,}" if isinstance(one, int) else one for one in numbers]
        print(f"{label:<{52 - _wide(label)}}" + "".join(f"{one:>{9 - _wide(one)}}" for one in shown))

    line("", say("store"), say("file"))
    for figure in {**expected, **stored}:
        line(say(figure), stored.get(figure, 0), expected.get(figure, 0))
    faulty = {fault.line for fault in found.faults.values()}
    print()
    line(say("rows"), len(found.lines))
    line(say("whole"), len(found.entered - faulty))
    line(say("in_part"), len(found.entered & faulty))
    line(say("out"), len(found.lines - found.entered))
    if found.known:
        line(say("known"), found.known)
    if found.faults:
        print(f"\n{say('reasons')}")
        for code, number in Counter(fault.code for fault in found.faults.values()).most_common():
            line(f"  {say(code)}", number)
    if every:
        print()
        for fault in sorted(found.faults.values(), key=lambda fault: fault.line):
            said = f"{say(fault.code)} ({fault.said})" if fault.said else say(fault.code)
            print(say("line").format(line=fault.line, name=fault.name, said=said))
    print()
    if stored != expected or not found.lines - found.entered <= faulty:
        print(say("differ"), file=sys.stderr)
        return 1
    print(say("equal"))
    return 0
