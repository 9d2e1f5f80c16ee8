"""Judgement: a lifecycle is data, and judging it is pure. Import each name from the module that owns it."""
