"""The tables of the office's own."""
