"""Resolves model names with dated, sourced data: ids, lifecycles, prices and fallback models."""
