"""Signs in at providers, and says which keys work."""
