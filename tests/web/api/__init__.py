"""The JSON API of the portal."""
