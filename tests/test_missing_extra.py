"""`MissingExtra`: an error of the library's tree that programs may handle as the `ImportError` that it is."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportflow import MemoryStore, MissingExtra, Relay, ReportflowError, open_flow
from reportflow.i18n.catalog import printable

NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)


def open_with(driver: str) -> Callable[[], object]:
    """A call that needs a driver."""
    return lambda: open_flow(f"{driver}://host/db")


@given(name=NAMES, package=NAMES, language=st.sampled_from(["en", "zh"]))
def test_a_handled_missing_extra_is_an_import_error(name: str, package: str, language: str) -> None:
    """Handled as `ImportError` it has the name, the package to install, and both in its texts; so do copies."""
    try:
        raise MissingExtra(name, package)
    except ImportError as error:
        handled = error
    assert isinstance(handled, MissingExtra)
    assert isinstance(handled, ReportflowError)
    for one in (handled, pickle.loads(pickle.dumps(handled)), copy.copy(handled)):
        assert (type(one), one.name, one.package, one.path) == (MissingExtra, name, package, None)
        assert printable(name) in str(one)
        assert printable(package) in str(one)
        assert printable(package) in one.message(language, reader="developer")


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("psycopg", open_with("postgresql+psycopg")),
        ("pymysql", open_with("mysql+pymysql")),
        ("cloudevents.core", lambda: Relay(MemoryStore(), print)),
    ],
)
def test_a_call_without_its_package_raises_an_import_error(
    monkeypatch: pytest.MonkeyPatch, module: str, call: Callable[[], object]
) -> None:
    """A program that handles `ImportError` around a call handles a missing package of an extra too."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as raised:
        call()
    assert isinstance(raised.value, MissingExtra)
