"""The storage contract as tests: a backend gives a factory of its stores, and has them all.

::

    class TestMyStore(StoreTests):
        @pytest.fixture
        def new_store(self, tmp_path):
            return lambda: MyStore(...)  # a fresh, empty store at each call

Every sentence of `reportflow.storage.base` is a test here, whose docstring repeats it. Needs the extra
``reportflow[testing]``.
"""

from reportflow.testing.conformance.rewriting import rewrite_asserts

rewrite_asserts()
