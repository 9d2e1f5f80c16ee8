"""The pages: each module has the handlers of a few, and its part of the table of routes."""
