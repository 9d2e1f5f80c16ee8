"""The texts that people read, in each language."""
