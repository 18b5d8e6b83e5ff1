"""Builds the shipped catalogue from published packages and hand-kept rows, and reports on it."""
