"""Values to plain data and back: the one place that serializes."""
