"""Checks the keys of providers, and reports which of them work."""
