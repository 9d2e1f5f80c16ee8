"""A project of Django, with letters of its own beside the records; its tests are run by Django, on each engine."""
