"""The tables as Django's migrations."""
