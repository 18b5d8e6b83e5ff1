"""Converts plain values to tables, figures, markup and records."""
