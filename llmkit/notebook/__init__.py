"""What makes llmkit at home in a notebook; the only floor that knows IPython."""
