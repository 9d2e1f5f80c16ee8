"""Tests of what programs need that embed a flow."""
