"""An office in Django, with reportflow."""
