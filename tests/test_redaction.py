"""Passwords of database URLs, in any spelling, stand in no text of an error."""

from __future__ import annotations

import pickle
from typing import Any, Final
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL, create_engine

from reportflow import (
    InvalidURL,
    ReportflowError,
    SchemaMismatch,
    SqlStore,
    StorageUnavailable,
    open_async_flow,
    open_flow,
)
from reportflow.redaction import redacted, redacted_text
from reportflow.storage.sql.dialects import translate
from reportflow.storage.sql.upgrade import offline_sql

#: Where a password stands in a URL, or in what should be one; ``{}`` is the password as it is written there.
SPELLINGS: Final = [
    "postgresql+psycopg://li:{}@127.0.0.1:1/office",
    "postgresql+psycopg://li@127.0.0.1:1/office?password={}",
    "postgresql+psycopg://127.0.0.1:1/office?user=li&password={}&connect_timeout=1",
    "postgresql+psycopg://127.0.0.1:1/office?sslpassword={}",
    "postgresql+psycopg://127.0.0.1:1/office?%70assword={}",
    "mysql+pymysql://127.0.0.1:1/office?passwd={}",
    "mysql+pymysql://127.0.0.1:1/office?PassWord={}",
    "mysql+asyncmy://127.0.0.1:1/office?pwd={}",
    "mssql+pyodbc://127.0.0.1/office?UID=li;PWD={};x=y",
    "postgres://li:{}@127.0.0.1/office",
    "postgresql://li:{}@127.0.0.1/office",
    "postgresql:/li:{}@127.0.0.1/office",
    "postgresql:li:{}@127.0.0.1/office",
    "postgresql+psycopg://li%3A{}@127.0.0.1:x/office",
    "postgresql+psycopg://li@office.example:{}@127.0.0.1:x/office",
    "postgresql+psycopg://:{}@127.0.0.1:x/office",
    "oracle+x://li:{}@127.0.0.1/office",
    "li:{}@127.0.0.1/office",
    "host=127.0.0.1 user=li password={} port=1:1",
    "host=127.0.0.1 user=li password = '{}' port=1:1",
    "sqlite://li:{}@127.0.0.1/office.db",
    "sqlite:///office.db?password={}",
]
#: Passwords as they are typed.
PASSWORDS: Final = ["s3cret", "p@ss@w0rd", "pa/ss#w?rd", "p%40ss%2Fw", "a:b:c@d", "密码@密码"]


def texts(error: BaseException) -> str:
    """All that an error says, and what is shown of its causes in a traceback."""
    found = [str(error), repr(error), repr(error.args)]
    if isinstance(error, ReportflowError):
        found += [
            error.message(language, reader=reader) for language in ("en", "zh") for reader in ("clerk", "developer")
        ]
        found += [repr(vars(error)), str(pickle.loads(pickle.dumps(error)))]
    return "\n".join(found)


def opened(url: str) -> BaseException:
    """What opening a URL raises."""
    with pytest.raises(ReportflowError) as caught:
        open_flow(url)
    return caught.value


@pytest.mark.filterwarnings("ignore:'passwd' is deprecated:DeprecationWarning")  # PyMySQL's
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_password_stands_in_an_error(spelling: str) -> None:
    """Whatever the URL and the password, neither the error nor its values name it."""
    for password in PASSWORDS:
        for written in {password, quote(password, safe=""), quote_plus(password)}:
            if "password=" in spelling and set("&#' ;") & set(written):
                continue
            told = texts(opened(spelling.format(written)))
            assert written not in told
            assert password not in told
            for part in password.replace("%", "@").replace("/", "@").split("@"):
                assert len(part) < 4 or part not in told, told


def test_the_rest_of_a_url_is_shown() -> None:
    """What is no password stays readable."""
    same = [
        "postgresql+psycopg://postgres@/office?host=/tmp/rf:x",
        "mysql+pymysql://root@127.0.0.1:3306/office",
        "postgresql+psycopg://127.0.0.1:5432/office?sslmode=require",
        "postgresql+psycopg://[::1]:5432/office",
        "sqlite:////srv/office.db?synchronous=FULL",
        "sqlite:///C:/office@home.db",
        "memory:",
    ]
    assert [redacted(one) for one in same] == same
    assert redacted("postgresql+psycopg://li:a@b@host:1/office") == "postgresql+psycopg://li:***@host:1/office"
    assert redacted("mysql+pymysql://h/office?user=li&passwd=x&ssl_ca=/a") == (
        "mysql+pymysql://h/office?user=li&passwd=***&ssl_ca=/a"
    )
    said = 'connection to server at "127.0.0.1", port 1 failed: FATAL: password authentication failed for user "li"'
    assert redacted_text(said) == said


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=20).filter(str.isalnum))
def test_what_a_driver_says_has_no_password(password: str) -> None:
    """A driver that repeats the password of its URL, as it is or encoded, is not quoted with it."""
    url = URL.create("sqlite", username="li", password=f"{password}@x", database="office.db")
    engine = create_engine("sqlite://")
    engine.url = url
    driver: Any = engine.dialect.loaded_dbapi
    for written in (f"{password}@x", quote(f"{password}@x", safe=""), quote_plus(f"{password}@x")):
        for said in (
            f"cannot log in with '{written}'",
            f"bad address x://li:{written}@h/o",
            f"password={written} is bad",
        ):
            error = translate(engine, driver.OperationalError(said))
            assert error is not None
            assert f"{written}" not in str(error)


def test_every_error_with_a_url_is_redacted() -> None:
    """Errors that a foreign store makes are redacted where they are made."""
    url = "postgres://li:p@ss@h/o?password=s3cret"
    several: list[ReportflowError] = [
        InvalidURL(url),
        StorageUnavailable(url, f"cannot reach {url}"),
        SchemaMismatch(url, "1", "2", "older"),
    ]
    for error in several:
        assert "p@ss" not in texts(error)
        assert "s3cret" not in texts(error)


def test_other_doors_are_redacted() -> None:
    """A mistyped URL of an asynchronous flow, and of a migration, is shown without its password."""
    url = "postgresql+psycopg://li:p@ss@h:x/o"
    with pytest.raises(InvalidURL) as caught:
        open_async_flow(url)
    assert "p@ss" not in texts(caught.value)
    with pytest.raises(InvalidURL) as caught:
        offline_sql(url)
    assert "p@ss" not in texts(caught.value)
    with pytest.raises(InvalidURL) as caught:
        SqlStore("postgresql+psycopg://li:p@ss\x00@h/o")
    assert "p@ss" not in texts(caught.value)
