"""Displays running comparisons and live session tables in the output of a cell."""
