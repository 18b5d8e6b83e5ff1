"""Model names as data with dates and sources, and what they lead to."""
