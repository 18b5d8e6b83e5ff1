"""Measures speed and memory of llmkit, as ratios within one run."""
