"""Event loops, and the sessions that belong to them."""
