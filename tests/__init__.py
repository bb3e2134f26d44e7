"""Tests mirror src/seven_terms; a package, so that tests.statistics does not hide the standard library's module."""
