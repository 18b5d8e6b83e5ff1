"""Many prompts to many models: plans, runs, watches and reports a comparison."""
