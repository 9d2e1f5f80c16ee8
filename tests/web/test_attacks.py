"""What people who mean harm may try: each fact is one that was once otherwise, or that a reader of the code doubts."""

from __future__ import annotations

import pytest
from starlette.datastructures import QueryParams

from reportflow.web.markup import paragraphs
from reportflow.web.querying import values_of
from reportflow.web.urls import as_sent
from tests.web.desk import LI, Office


@pytest.fixture
def office() -> Office:
    """An office without a limit of requests."""
    return Office(rate=None)


# -- one request keeps a worker no longer than its length allows: each of these took minutes --------------------------


def test_a_text_of_many_spaces_is_shown_at_once() -> None:
    """Spaces without the end of a line are looked at once each."""
    assert paragraphs("a" + " " * 500_000 + "b\n \n\u3000c \n") == f"<p>a{' ' * 500_000}b</p><p>c</p>"


def test_a_path_of_many_parts_is_read_at_once() -> None:
    """An escaped path that fits no mount is tried for as many prefixes as a mount may have, not for all its parts."""
    many = 30_000
    assert as_sent("/xA" + "/aA" * many, b"/office%2Fx%41" + b"/a%41" * many) == "/xA" + "/aA" * many


def test_an_address_of_many_parameters_is_read_at_once(office: Office) -> None:
    """Each parameter is looked at once, whatever their number: pages lead to the short address, the API refuses."""
    several = "&".join(f"{number:x}=1" for number in range(8_000))
    with office.browser(LI) as li:
        assert li.get(f"/find?{several}&state=", follow=False).status_code == 303
        for path in ("/api/inbox", "/api/records", "/api/count", "/api/feed"):
            refused = li.get(f"{path}?{several}")
            assert refused.status_code == 422
            assert len(refused.content) < 200_000, path
    params = QueryParams([("id", str(number % 200)) for number in range(200_000)])
    assert len(values_of(params)["id"]) == 200


def test_what_is_wrong_with_a_body_is_no_longer_than_a_reader_can_use(office: Office) -> None:
    """Of thousands of faults the first hundred or so are named: an answer is not a thousand times its request."""
    with office.browser(LI) as li:
        for draft in ({f"x{number}": 1 for number in range(20_000)}, {"title": "a", "authors": [{}] * 20_000}):
            refused = li.request("POST", "/api/records", json={"kind": "report", "draft": draft})
            assert refused.status_code == 422
            assert 100 <= len(refused.json()["errors"]) < 300
