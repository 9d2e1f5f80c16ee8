"""Commands of the office, a module each."""
