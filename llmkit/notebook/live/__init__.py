"""The output of a running comparison, and tables that follow the sessions."""
