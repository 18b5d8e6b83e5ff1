"""Tests the shipped notebooks, as files and executed."""
