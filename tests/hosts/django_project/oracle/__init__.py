"""A database engine that the library does not know: a double of Oracle's."""
