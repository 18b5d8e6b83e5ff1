"""One prompt to many language models, answers side by side, every connection owned by its cell."""
