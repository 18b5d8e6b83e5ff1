"""How a request travels to a provider, and its answer back."""
