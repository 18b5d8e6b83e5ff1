"""Speed and memory of llmkit, measured as ratios within one run."""
