"""The test kit: proof for stores of your own, and Hypothesis strategies for what reportflow keeps.

`conformance` holds the storage contract as tests, `machine` holds any store against a naive model, `strategies` makes
values. The last two need the extra ``reportflow[testing]``; `conformance` needs nothing but a runner such as pytest.
"""
