"""Plain values in; tables, figures, markup and records out."""
