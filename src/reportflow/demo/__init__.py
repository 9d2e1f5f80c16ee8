"""The demonstration: a year of an office, as data and as commands."""
