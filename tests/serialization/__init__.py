"""Tests of the serialization."""
