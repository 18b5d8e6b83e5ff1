"""Plans, runs, observes and reports comparisons: many prompts sent to many models."""
