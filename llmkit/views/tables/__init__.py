"""Renders tables and reports as HTML and text."""
