"""What `conform` lets pytest collect: the suite on the stores of a factory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reportflow.testing.conformance.session import SUBJECT, Subject
from reportflow.testing.conformance.suite import RolledBack
from reportflow.testing.conformance.whole import StoreTests


class TestStore(StoreTests):
    """The suite on the subject of the session."""

    @pytest.fixture(autouse=True)
    def subject(self, pytestconfig: pytest.Config) -> Subject:
        """What was given to `conform`."""
        subject = pytestconfig.stash[SUBJECT]
        self.profile: str = subject.profile
        self.seed: int | None = subject.seed
        return subject

    @pytest.fixture
    def new_store(self, subject: Subject) -> Callable[[], Any]:
        """Its factory."""
        return subject.factory

    @pytest.fixture
    def reopen(self, subject: Subject) -> Callable[[Any], Any] | None:
        """What opens its data again."""
        return subject.reopen

    @pytest.fixture
    def rolled_back(self, subject: Subject) -> RolledBack | None:
        """Its transaction of the host."""
        return subject.rolled_back
