"""Builds the shipped catalogue from published packages and hand-written rows, and reports on it."""
