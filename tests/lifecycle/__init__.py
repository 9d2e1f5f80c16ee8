"""Tests of the lifecycles: tables, decisions, histories."""
