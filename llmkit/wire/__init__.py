"""HTTP requests and responses as values, and the two ways in which answers are streamed."""
