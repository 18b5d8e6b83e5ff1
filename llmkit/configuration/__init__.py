"""What one user has set up: providers, keys, and what is known of models."""
