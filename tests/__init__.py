"""The tests: a package, so that a child process imports a test's functions under the same name."""
