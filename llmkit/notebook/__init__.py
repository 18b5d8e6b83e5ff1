"""Provides the IPython extension, magics, live output and panels. Only this folder uses IPython."""
