"""The user's program, which mypy checks, runs too."""

from __future__ import annotations

import asyncio

from tests.typing.user_program import use_parcels, use_reports, use_reports_asynchronously


def test_the_program_runs() -> None:
    """The program's calls do what their types say."""
    assert use_reports().text == "edited"
    parcel, codes = use_parcels()
    assert (parcel.grams, codes) == (900, ["too_heavy"])


def test_the_asynchronous_program_runs() -> None:
    """The same with the asynchronous flow."""
    assert asyncio.run(use_reports_asynchronously()).text == "edited"
