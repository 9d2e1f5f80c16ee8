"""Addresses: any name comes back as it went out, nothing leads elsewhere, wherever the portal is mounted."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reportflow.web.routes import Route, Router
from reportflow.web.settings import Settings
from reportflow.web.urls import Urls, mounted, query_text, quoted, read, with_next, written
from reportflow.web.visit import Visit

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
PREFIXES = st.sampled_from(["", "/office", "/deep/er", "/办公", "/a.b"])


@given(NAMES)
def test_a_name_comes_back_as_it_went_out(name: str) -> None:
    """A name of any characters is one part of a path that no router or proxy changes, and is read back as it was."""
    part = written(name)
    assert read(part) == name
    assert part.isascii()
    assert not set(part) & set("/%?#&\\ ;:'\"<>\r\n\x00")
    assert part.strip(".")
    assert unquote(part) == part


@given(st.text(max_size=30))
def test_any_part_of_a_path_is_read(part: str) -> None:
    """What nobody wrote is read as some name, which can be stored and shown."""
    name = read(part)
    assert name.encode().decode() == name
    assert read(written(name)) == name
    assert unquote(quoted(name)) == name
    assert quoted(part).isascii()


@given(PREFIXES, st.lists(NAMES, max_size=4), NAMES, st.one_of(st.none(), NAMES, st.integers(), st.lists(NAMES)))
def test_an_address_is_a_path_of_the_portal(prefix: str, parts: list[str], name: str, value: object) -> None:
    """An address of any names and parameters is a path behind the prefix, and says them all."""
    urls = Urls(quoted(prefix))
    address = urls.to(*parts, q=value, from_=name)  # type: ignore[arg-type]  # any value that it takes
    split = urlsplit(address)
    assert (split.scheme, split.netloc, split.fragment) == ("", "", "")
    assert split.path.startswith(f"{quoted(prefix)}/")
    assert [read(one) for one in split.path.removeprefix(f"{quoted(prefix)}/").split("/") if one] == parts
    found = parse_qs(split.query)
    assert found["from"] == [name]
    several = [] if value is None else value if isinstance(value, list) else [str(value)]
    assert found.get("q", []) == several
    if not address.startswith("//"):
        assert urls.own(address, "no") == address


@given(PREFIXES, st.text(max_size=40))
def test_an_address_that_is_given_stays_inside(prefix: str, given: str) -> None:
    """Whatever address a request gives, what is followed is one of the portal's own."""
    urls = Urls(prefix)
    for one in (given, f"/{given}", f"{prefix}/{given}", f"//{given}"):
        followed = urls.own(one, "default")
        if followed != "default":
            assert followed.startswith(f"{prefix}/")
            assert not followed.startswith(("//", "/\\"))
            assert ".." not in unquote(urlsplit(followed).path).split("/")


def test_a_fragment_and_blank_parameters() -> None:
    """A jump inside a page stands at the end; what is blank or None is left out."""
    assert Urls("/o").to("r", "7", fragment="now", a=None, b="", c=["1", "", "2"]) == "/o/r/7?c=1&c=2#now"
    assert query_text({}) == ""
    assert with_next("/login", "/o/?a=1&b=2") == "/login?next=%2Fo%2F%3Fa%3D1%26b%3D2"
    assert with_next("/login?x=1", "/o") == "/login?x=1&next=%2Fo"


@pytest.mark.parametrize(
    ("path", "root", "prefix", "expected"),
    [
        ("/r/7", "", None, ("", "/r/7")),
        ("/office/r/7/", "/office", None, ("/office", "/r/7")),
        ("/r/7", "/office", None, ("/office", "/r/7")),
        ("/proxy/office/r/7", "/proxy/office", None, ("/proxy/office", "/r/7")),
        ("/office/r/7", "/proxy/office", None, ("/proxy/office", "/r/7")),
        ("/office", "/office", None, ("/office", "/")),
        ("//office/r", "/office", None, ("/office", "/r")),
        ("/officer/r", "/office", None, ("/office", "/officer/r")),
        ("/r/7/", "", "/office", ("/office", "/r/7")),
        ("/office/r/7", "", "/office", ("/office", "/r/7")),
        ("/r/7", "/proxy", "/office", ("/proxy/office", "/r/7")),
        ("/proxy/office/r/7", "/proxy/office", "/office", ("/proxy/office", "/r/7")),
        ("/proxy/office/r/7", "/proxy", "/office", ("/proxy/office", "/r/7")),
        ("", "", None, ("", "/")),
        ("/r/7", "//evil.test/", None, ("/evil.test", "/r/7")),
        ("/r/7", "", "", ("", "/r/7")),
    ],
)
def test_where_it_is_mounted(path: str, root: str, prefix: str | None, expected: tuple[str, str]) -> None:
    """Of what hosts and servers say, the prefix of all addresses and the path inside are found."""
    assert mounted(path, root, None if prefix is None else Settings(prefix=prefix).prefix) == expected


async def _handler(visit: Visit) -> Response:
    """Answers nothing."""
    return Response()


def test_the_more_particular_path_counts() -> None:
    """Of two rows that fit, the one with the longer beginning without names answers; else the first."""
    router = Router(
        [Route("GET", path, _handler) for path in ("/r/{id}", "/r/new", "/r/{id}/do/{trigger}", "/{a}/new")]
    )
    assert router.find("GET", "/r/new")[1] == {}
    assert router.find("HEAD", "/r/7")[1] == {"id": "7"}
    assert router.find("GET", "/x/new")[1] == {"a": "x"}
    assert router.find("GET", "/r/a~2Fb/do/~E4~BA~A4")[1] == {"id": "a/b", "trigger": "交"}
    for method, path, status in (("GET", "/r", 404), ("POST", "/r/7", 405), ("BREW", "/r/7", 405)):
        with pytest.raises(HTTPException) as raised:
            router.find(method, path)
        assert raised.value.status_code == status
