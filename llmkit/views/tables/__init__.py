"""Tables and reports as HTML."""
