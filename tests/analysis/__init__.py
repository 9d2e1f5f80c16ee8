"""Tests of the static checks and the matrix."""
