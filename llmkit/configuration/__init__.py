"""Holds what one user configured: providers, keys, and lists of models."""
