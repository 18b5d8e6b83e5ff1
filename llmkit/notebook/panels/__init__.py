"""Provides the panels of the notebook."""
